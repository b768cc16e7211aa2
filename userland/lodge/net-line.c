// SPDX-License-Identifier: GPL-2.0
/* The line to a guest: frames that it sends, and frames that wait until it takes them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "net-kind.h"
#include "util.h"

/* What a guest that does not listen costs, beside the socket's own buffer. */
#define WAITING_MAX 256

struct net_waiting {
	struct net_waiting *next;
	size_t length;
	unsigned char frame[];
};

/**
 * net_line_receive - take a frame from the guest
 * @line: the line
 * @frame: filled in
 * @size: of @frame, more than the line's longest
 * @length: of the frame; 0 if there is none, or one of a length that no frame has
 *
 * Return: false when the guest has gone.
 */
bool net_line_receive(struct net_line *line, void *frame, size_t size, size_t *length)
{
	ssize_t n = recv(line->fd, frame, size, MSG_DONTWAIT);

	*length = 0;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR || errno == ENOBUFS;
	if (n >= NET_FRAME_HEAD && (size_t)n <= line->longest)
		*length = n;
	return n;
}

static bool send_now(struct net_line *line, const void *frame, size_t length)
{
	ssize_t n = send(line->fd, frame, length, MSG_DONTWAIT | MSG_NOSIGNAL);

	return n >= 0 || (errno != EAGAIN && errno != ENOBUFS && errno != EINTR);
}

/**
 * net_line_send - give the guest a frame, now or when it listens
 * @line: the line
 * @frame: copied
 * @length: of @frame
 *
 * As on every network, frames are dropped when too many of them wait.
 */
void net_line_send(struct net_line *line, const void *frame, size_t length)
{
	struct net_waiting *new;

	if (length > line->longest || line->waiting == WAITING_MAX)
		return;
	if (!line->first && send_now(line, frame, length))
		return;
	new = malloc(sizeof(*new) + length);
	if (!new)
		return;
	*new = (struct net_waiting){ .length = length };
	memcpy(new->frame, frame, length);
	if (!line->first)
		line->last = &line->first;
	*line->last = new;
	line->last = &new->next;
	line->waiting++;
}

/** net_line_flush - send what waits, as far as the guest takes it */
void net_line_flush(struct net_line *line)
{
	struct net_waiting *sent;

	while (line->first && send_now(line, line->first->frame, line->first->length)) {
		sent = line->first;
		line->first = sent->next;
		line->waiting--;
		free(sent);
	}
}
