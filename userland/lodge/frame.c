// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "frame.h"

/**
 * frame_receive - take what has come of a frame, without waiting
 * @frame: all zero before the first call
 * @fd: a stream socket
 *
 * At most one frame's bytes are taken at a time.
 */
enum frame_state frame_receive(struct frame *frame, int fd)
{
	const size_t head = sizeof(frame->head);
	size_t want;
	char *to;
	ssize_t n;

	if (frame->have >= head && frame->have == head + frame->head.length)
		frame->have = 0;
	if (frame->have < head) {
		to = (char *)&frame->head + frame->have;
		want = head - frame->have;
	} else {
		to = frame->data + frame->have - head;
		want = head + frame->head.length - frame->have;
	}
	n = recv(fd, to, want, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return FRAME_PARTIAL;
	if (n <= 0)
		return FRAME_END;
	frame->have += n;
	if (frame->have < head)
		return FRAME_PARTIAL;
	if (frame->head.length > FRAME_DATA_MAX)
		return FRAME_TOO_LONG;
	return frame->have == head + frame->head.length ? FRAME_COMPLETE : FRAME_PARTIAL;
}

/** frame_number - what a complete frame carries if that is a number; else 0 */
unsigned int frame_number(const struct frame *frame)
{
	unsigned int number = 0;

	if (frame->head.length == sizeof(number))
		memcpy(&number, frame->data, sizeof(number));
	return number;
}

/**
 * frame_put - make a frame that frame_send() sends
 * @out: where no other one is left
 * @length: FRAME_INPUT_MAX at most
 */
void frame_put(struct frame_out *out, unsigned int type, const void *data, size_t length)
{
	const struct frame_head head = { .type = type, .length = length };

	memcpy(out->bytes, &head, sizeof(head));
	if (length)
		memcpy(out->bytes + sizeof(head), data, length);
	out->length = sizeof(head) + length;
	out->done = 0;
}

/**
 * frame_send - send what the stream takes now of a frame
 *
 * The other side may have gone: that is seen where it is read from.
 *
 * Return: whether all has gone.
 */
bool frame_send(struct frame_out *out, int fd)
{
	ssize_t n;

	while (out->done < out->length) {
		n = send(fd, out->bytes + out->done, out->length - out->done,
			 MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return false;
		if (n < 0)
			break;
		out->done += n;
	}
	out->length = 0;
	out->done = 0;
	return true;
}
