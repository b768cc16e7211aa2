/* SPDX-License-Identifier: GPL-2.0 */
/* Frames as guest-linux/init/channel.h has them, on lodge's side of a stream. */
#ifndef LODGE_FRAME_H
#define LODGE_FRAME_H

#include <stdbool.h>
#include <stddef.h>

#include "guest-linux/init/channel.h"

/**
 * struct frame - one that is being received; who sends it is not trusted
 * @head: its type and length
 * @data: what it carries, once it is complete
 * @have: bytes that have come, those of @head counted
 */
struct frame {
	struct frame_head head;
	char data[FRAME_DATA_MAX];
	size_t have;
};

enum frame_state {
	FRAME_PARTIAL,		/* more is to come */
	FRAME_COMPLETE,		/* the next frame_receive() begins another one */
	FRAME_TOO_LONG,
	FRAME_END,		/* the other side has closed the stream, or it failed */
};

enum frame_state frame_receive(struct frame *frame, int fd);
unsigned int frame_number(const struct frame *frame);

/**
 * struct frame_out - one that is being sent, without waiting for who does not read
 * @bytes: of it, the head first
 * @length: of @bytes; 0: it has gone, and the next may come
 * @done: bytes that are on their way
 */
struct frame_out {
	char bytes[sizeof(struct frame_head) + FRAME_INPUT_MAX];
	size_t length, done;
};

void frame_put(struct frame_out *out, unsigned int type, const void *data, size_t length);
bool frame_send(struct frame_out *out, int fd);

#endif
