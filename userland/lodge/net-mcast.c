// SPDX-License-Identifier: GPL-2.0
/* Frames in UDP datagrams to a multicast group: all who are in it are one Ethernet. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "error.h"
#include "net-kind.h"
#include "util.h"

/* The socket that sends: the group gives us what it said, too, and it is told by its address. */
struct group {
	int out;
	struct sockaddr_in self;
};

static struct sockaddr_in group_address(const struct net_interface *interface)
{
	char *copy cleanup_free = xstrdup(interface->where);
	struct sockaddr_in address = { .sin_family = AF_INET };
	unsigned long number = 0;
	char *colon, *end = NULL;

	colon = strchr(copy, ':');
	if (colon) {
		*colon = '\0';
		number = strtoul(colon + 1, &end, 10);
	}
	if (!colon || !inet_aton(copy, &address.sin_addr) || end == colon + 1 || *end ||
	    !number || number > 65535)
		die("%s: not ADDRESS:PORT", interface->text);
	if (!IN_MULTICAST(ntohl(address.sin_addr.s_addr)))
		die("%s: %s is no multicast address: 224.0.0.0 to 239.255.255.255",
		    interface->text, copy);
	address.sin_port = htons(number);
	return address;
}

static void join(int in, int out, const struct net_interface *interface,
		 const struct sockaddr_in *address)
{
	const struct ip_mreq group = {
		.imr_multiaddr = address->sin_addr, .imr_interface = interface->local,
	};
	const int yes = 1;

	/* Several guests of one host are in the group. */
	if (setsockopt(in, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) ||
	    bind(in, (const struct sockaddr *)address, sizeof(*address)) ||
	    setsockopt(in, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)) ||
	    setsockopt(out, IPPROTO_IP, IP_MULTICAST_IF, &interface->local,
		       sizeof(interface->local)) ||
	    setsockopt(out, IPPROTO_IP, IP_MULTICAST_LOOP, &yes, sizeof(yes)) ||
	    connect(out, (const struct sockaddr *)address, sizeof(*address)))
		die_errno(errno, "%s", interface->text);
}

static void mcast_open(struct net_port *port)
{
	const struct net_interface *interface = port->interface;
	const struct sockaddr_in address = group_address(interface);
	struct group *group = xcalloc(1, sizeof(*group));
	socklen_t length = sizeof(group->self);

	port->private = group;
	port->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	group->out = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (port->fd < 0 || group->out < 0)
		die_errno(errno, "%s", interface->text);
	join(port->fd, group->out, interface, &address);
	if (getsockname(group->out, (struct sockaddr *)&group->self, &length))
		die_errno(errno, "%s", interface->text);
}

static ssize_t mcast_receive(struct net_port *port, void *frame, size_t size)
{
	const struct group *group = port->private;
	struct sockaddr_in from = { 0 };
	socklen_t length = sizeof(from);
	ssize_t n;

	do {
		n = recvfrom(port->fd, frame, size, 0, (struct sockaddr *)&from, &length);
	} while (n >= 0 && from.sin_port == group->self.sin_port &&
		 from.sin_addr.s_addr == group->self.sin_addr.s_addr);
	return n < 0 ? 0 : n;
}

/* A host without a route just now has one later. */
static void mcast_send(struct net_port *port, const void *frame, size_t length)
{
	const struct group *group = port->private;

	if (send(group->out, frame, length, 0) < 0)
		return;
}

const struct net_kind net_mcast = {
	.name = "mcast", .value = "ADDRESS:PORT",
	.open = mcast_open, .receive = mcast_receive, .send = mcast_send,
};
