// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include "poll-list.h"
#include "util.h"

#define ROOM_STEP 16

/**
 * poll_list_add - wait for a descriptor, too
 * @list: of what to wait for
 * @fd: the descriptor; -1: there is none
 * @events: as poll() has them; with 0, errors and hang-ups only
 * @result: what poll_list_wait() finds goes there; 0 until then
 */
void poll_list_add(struct poll_list *list, int fd, short events, short *result)
{
	*result = 0;
	if (fd < 0)
		return;
	if (list->n == list->room) {
		list->room += ROOM_STEP;
		list->fds = xrealloc(list->fds, list->room, sizeof(*list->fds));
		list->results = xrealloc(list->results, list->room, sizeof(*list->results));
	}
	list->fds[list->n] = (struct pollfd){ .fd = fd, .events = events };
	list->results[list->n++] = result;
}

/**
 * poll_list_wait - poll() for all of them; the list is empty afterwards
 * @list: of what to wait for
 * @timeout: milliseconds, -1 for none
 *
 * Return: what poll() does.
 */
int poll_list_wait(struct poll_list *list, int timeout)
{
	int n = poll(list->fds, list->n, timeout);
	size_t i;

	for (i = 0; n > 0 && i < list->n; i++)
		*list->results[i] = list->fds[i].revents;
	list->n = 0;
	return n;
}

/** poll_list_free - give back what the list has taken */
void poll_list_free(struct poll_list *list)
{
	free(list->fds);
	free(list->results);
	*list = (struct poll_list){ 0 };
}
