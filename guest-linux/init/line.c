// SPDX-License-Identifier: GPL-2.0
/* The serial line to the host: frames as channel.h has them. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <termios.h>
#include <unistd.h>

#include "channel.h"
#include "init.h"

static int line = -1;

/* The frame that is being read, as far as it has come. */
static struct {
	struct frame_head head;
	char data[FRAME_INPUT_MAX + 1];
	size_t have;
} in;

/**
 * fail - tell the host why there is no command, and power off
 * @fmt: the reason, without a newline
 */
void fail(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (line >= 0)
		line_send(FRAME_FAILED, text, strlen(text));
	else
		fprintf(stderr, "lodge: %s\n", text);
	tcdrain(line);
	reboot(RB_POWER_OFF);
	_exit(1);
}

/** line_open - open the serial line, and let every byte pass as it is */
void line_open(const char *path)
{
	struct termios mode;

	line = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (line < 0 || tcgetattr(line, &mode))
		fail("%s: %s", path, strerror(errno));
	cfmakeraw(&mode);
	if (tcsetattr(line, TCSANOW, &mode))
		fail("%s: %s", path, strerror(errno));
	line_send(FRAME_READY, NULL, 0);
}

/** line_fd - what to poll for input */
int line_fd(void)
{
	return line;
}

static void wait_for(short events)
{
	struct pollfd fd = { .fd = line, .events = events };

	poll(&fd, 1, -1);
}

static void write_all(const char *data, size_t length)
{
	ssize_t n;

	while (length) {
		n = write(line, data, length);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			reboot(RB_POWER_OFF);
		if (n <= 0) {
			wait_for(POLLOUT);
			continue;
		}
		data += n;
		length -= n;
	}
}

/** line_send - send one frame, waiting as long as the host takes */
void line_send(unsigned int type, const void *data, size_t length)
{
	const struct frame_head head = { .type = type, .length = length };

	write_all((const char *)&head, sizeof(head));
	write_all(data, length);
}

/**
 * line_frame - read what has come, without waiting
 * @type: of the frame
 * @length: of its data
 *
 * Return: the data, good until the next call, NULL when no frame is
 * complete yet.
 */
void *line_frame(unsigned int *type, size_t *length)
{
	size_t want;
	char *to;
	ssize_t n;

	for (;;) {
		if (in.have < sizeof(in.head)) {
			to = (char *)&in.head + in.have;
			want = sizeof(in.head) - in.have;
		} else {
			if (in.head.length > FRAME_INPUT_MAX)
				fail("the host sent a frame of %u bytes", in.head.length);
			to = in.data + (in.have - sizeof(in.head));
			want = sizeof(in.head) + in.head.length - in.have;
			if (!want)
				break;
		}
		n = read(line, to, want);
		if (n < 0 && errno == EINTR)
			continue;
		/* Nobody is left to run for. */
		if (!n || (n < 0 && errno != EAGAIN))
			reboot(RB_POWER_OFF);
		if (n < 0)
			return NULL;
		in.have += n;
	}
	*type = in.head.type;
	*length = in.head.length;
	in.have = 0;
	return in.data;
}

static char *next_string(char **at, char *end)
{
	char *string = *at;

	if (string >= end)
		fail("the host's order is too short");
	*at += strlen(string) + 1;
	return string;
}

/* Returns all that the host has sent until FRAME_START, with a zero byte behind it. */
static char *receive_text(size_t *total)
{
	unsigned int type, taken;
	char *text = NULL, *data;
	size_t length;

	*total = 0;
	for (;;) {
		data = line_frame(&type, &length);
		if (!data) {
			wait_for(POLLIN);
			continue;
		}
		if (type != FRAME_ORDER && type != FRAME_START)
			fail("the host began with a frame of type %u", type);
		text = realloc(text, *total + length + 1);
		if (!text || *total > ORDER_MAX)
			fail("the host's order is too long");
		memcpy(text + *total, data, length);
		*total += length;
		text[*total] = '\0';
		if (type == FRAME_START)
			return text;
		taken = length;
		line_send(FRAME_CREDIT, &taken, sizeof(taken));
	}
}

/**
 * line_receive - wait for the host's order
 * @order: filled in; stays good for ever
 */
void line_receive(struct order *order)
{
	size_t length, n, i;
	char *at, *end;

	at = receive_text(&length);
	end = at + length;
	order->terminal = strchr(next_string(&at, end), 't');
	order->rows = atoi(next_string(&at, end));
	order->columns = atoi(next_string(&at, end));
	order->hostname = next_string(&at, end);
	order->directory = next_string(&at, end);
	n = strtoul(next_string(&at, end), NULL, 10);
	if (!n || n > length)
		fail("the host's order has no command");
	order->argv = calloc(n + 1, sizeof(*order->argv));
	order->envp = calloc(length + 1, sizeof(*order->envp));
	if (!order->argv || !order->envp)
		fail("no memory for the host's order");
	for (i = 0; i < n; i++)
		order->argv[i] = next_string(&at, end);
	for (i = 0; at < end; i++)
		order->envp[i] = next_string(&at, end);
}
