/* SPDX-License-Identifier: GPL-2.0 */
/* A list of descriptors to poll(), made anew each time, and where what it finds is put. */
#ifndef LODGE_POLL_LIST_H
#define LODGE_POLL_LIST_H

#include <poll.h>
#include <stddef.h>

/**
 * struct poll_list - what to wait for; all zero at first
 * @fds: for poll()
 * @results: for each of @fds, where its events go
 * @n: how many
 * @room: for how many there is memory
 */
struct poll_list {
	struct pollfd *fds;
	short **results;
	size_t n, room;
};

void poll_list_add(struct poll_list *list, int fd, short events, short *result);
int poll_list_wait(struct poll_list *list, int timeout);
void poll_list_free(struct poll_list *list);

#endif
