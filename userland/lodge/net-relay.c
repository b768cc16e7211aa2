// SPDX-License-Identifier: GPL-2.0
/* Frames from a guest to a port and back. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

#include "lodge.h"
#include "net-kind.h"

/* Frames in one direction before the other has its turn. */
#define TURN 64

static void from_port(struct net_port *port, unsigned char *frame)
{
	ssize_t n;
	int i;

	for (i = 0; i < TURN; i++) {
		n = port->interface->kind->receive(port, frame, NET_FRAME_MAX + 1);
		if (n < 0)
			port->fd = -1;
		if (n <= 0)
			return;
		if (n >= NET_FRAME_HEAD)
			net_line_send(&port->line, frame, n);
	}
}

/* Returns false when the guest has gone. */
static bool from_guest(struct net_port *port, unsigned char *frame)
{
	size_t length;
	int i;

	for (i = 0; i < TURN; i++) {
		if (!net_line_receive(&port->line, frame, NET_FRAME_MAX + 1, &length))
			return false;
		if (!length)
			return true;
		if (port->fd >= 0)
			port->interface->kind->send(port, frame, length);
	}
	return true;
}

/**
 * net_relay - pass frames until the guest has gone or the launcher has
 * @port: open
 */
void net_relay(struct net_port *port)
{
	static unsigned char frame[NET_FRAME_MAX + 1];
	sigset_t end;
	int ended;

	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	sigprocmask(SIG_BLOCK, &end, NULL);
	ended = signalfd(-1, &end, SFD_CLOEXEC);
	if (ended < 0)
		return;
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = ended, .events = POLLIN },
			{ .fd = port->line.fd, .events = POLLIN },
			{ .fd = port->fd, .events = POLLIN },
		};

		if (port->line.first)
			fds[1].events |= POLLOUT;
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			return;
		if (fds[0].revents)
			return;
		net_line_flush(&port->line);
		if (fds[1].revents && !from_guest(port, frame))
			return;
		if (fds[2].revents)
			from_port(port, frame);
	}
}
