// SPDX-License-Identifier: GPL-2.0
/* Ports that are descriptors: TAP devices of the host, and what the caller has opened. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "net-kind.h"
#include "util.h"

#define DEVICE "/dev/net/tun"

static void tap_open(struct net_port *port)
{
	const struct net_interface *interface = port->interface;
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };

	if (strlen(interface->where) >= IFNAMSIZ)
		die("%s: a device's name has %d characters at most", interface->text,
		    IFNAMSIZ - 1);
	port->fd = open(DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (port->fd < 0)
		die_errno(errno, "%s: " DEVICE, interface->text);
	strcpy(request.ifr_name, interface->where);
	if (!ioctl(port->fd, TUNSETIFF, &request))
		return;
	if (errno == EPERM)
		die("%s: there is no TAP device of yours of this name; root makes one by "
		    "'ip tuntap add dev %s mode tap user %u'", interface->text, interface->where,
		    getuid());
	if (errno == EINVAL)
		die("%s: a device of this name is there, but no TAP device", interface->text);
	die_errno(errno, "%s", interface->text);
}

/* Of a TAP device or a socket that keeps packets apart. */
static ssize_t fd_receive(struct net_port *port, void *frame, size_t size)
{
	ssize_t n = read(port->fd, frame, size);

	if (n > 0)
		return n;
	/* EIO: the device is down, EBADFD: it is gone. ECONNREFUSED: nobody is there yet. */
	if (n < 0 && errno != ECONNRESET && errno != EBADFD)
		return 0;
	return -1;
}

static void fd_send(struct net_port *port, const void *frame, size_t length)
{
	if (write(port->fd, frame, length) < 0)
		return;
}

static void fd_open(struct net_port *port)
{
	const struct net_interface *interface = port->interface;
	socklen_t length = sizeof(int);
	struct ifreq tap;
	int type;

	/* Frames must not run together; which is so for packet sockets and TAP devices. */
	if (!getsockopt(port->fd, SOL_SOCKET, SO_TYPE, &type, &length)) {
		if (type != SOCK_SEQPACKET && type != SOCK_DGRAM)
			die("%s: neither a datagram nor a packet socket", interface->text);
	} else if (ioctl(port->fd, TUNGETIFF, &tap)) {
		die("%s: neither a socket nor a TAP device", interface->text);
	} else if ((tap.ifr_flags & (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)) !=
		   (IFF_TAP | IFF_NO_PI)) {
		die("%s: a TAP device must have IFF_NO_PI, and not IFF_VNET_HDR",
		    interface->text);
	}
	fcntl(port->fd, F_SETFL, fcntl(port->fd, F_GETFL) | O_NONBLOCK);
	signal(SIGPIPE, SIG_IGN);
}

const struct net_kind net_tap = {
	.name = "tap", .value = "DEVICE",
	.open = tap_open, .receive = fd_receive, .send = fd_send,
};

const struct net_kind net_fd = {
	.name = "fd", .value = "NUMBER",
	.open = fd_open, .receive = fd_receive, .send = fd_send,
};
