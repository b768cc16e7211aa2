// SPDX-License-Identifier: GPL-2.0
/* A port of a virtual switch of VDE's. */
#include <errno.h>
#include <libvdeplug.h>
#include <poll.h>
#include <string.h>

#include "error.h"
#include "net-kind.h"
#include "util.h"

static void vde_port_open(struct net_port *port)
{
	char *description cleanup_free = xasprintf("lodge %s", port->interface->guest);
	const struct net_interface *interface = port->interface;

	errno = 0;
	port->private = vde_open(interface->where, description, NULL);
	if (!port->private)
		die("%s: no switch there: %s", interface->text,
		    errno ? strerror(errno) : "not one of VDE's");
	port->fd = vde_datafd(port->private);
}

/* The switch has gone when its control socket, silent otherwise, comes to its end. */
static bool gone(VDECONN *connection)
{
	struct pollfd control = { .fd = vde_ctlfd(connection), .events = POLLIN };

	return control.fd >= 0 && poll(&control, 1, 0) > 0;
}

static ssize_t vde_port_receive(struct net_port *port, void *frame, size_t size)
{
	struct pollfd data = { .fd = port->fd, .events = POLLIN };
	ssize_t n;

	if (poll(&data, 1, 0) <= 0)
		return 0;
	n = vde_recv(port->private, frame, size, 0);
	if (n <= 0)
		return gone(port->private) ? -1 : 0;
	return n;
}

static void vde_port_send(struct net_port *port, const void *frame, size_t length)
{
	vde_send(port->private, frame, length, 0);
}

static void vde_port_close(struct net_port *port)
{
	vde_close(port->private);
}

const struct net_kind net_vde = {
	.name = "vde", .value = "SOCKET",
	.open = vde_port_open, .receive = vde_port_receive, .send = vde_port_send,
	.close = vde_port_close,
};
