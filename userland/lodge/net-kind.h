/* SPDX-License-Identifier: GPL-2.0 */
/* What can be behind an interface of a guest, and the process that serves it. */
#ifndef LODGE_NET_KIND_H
#define LODGE_NET_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "net.h"

/* A packet, its Ethernet header and a VLAN tag. */
#define NET_FRAME_HEAD 14
#define NET_FRAME_EXTRA (NET_FRAME_HEAD + 4)
#define NET_FRAME_MAX (NET_MTU_MAX + NET_FRAME_EXTRA)

struct net_waiting;

/**
 * struct net_line - the line to the guest, as its server has it
 * @fd: packet socket, one frame in each packet
 * @longest: bytes of the longest frame
 * @first: frames that the guest has not taken yet
 * @last: where the next one goes
 * @waiting: how many
 */
struct net_line {
	int fd;
	size_t longest;
	struct net_waiting *first, **last;
	size_t waiting;
};

/**
 * struct net_port - what is behind an interface, as its server has it
 * @interface: as the user wants it
 * @line: to the guest
 * @fd: has something to receive when it can be read; -1 when that has ended
 * @private: of the kind
 */
struct net_port {
	const struct net_interface *interface;
	struct net_line line;
	int fd;
	void *private;
};

/**
 * struct net_kind - a kind of network
 * @name: what the user types
 * @value: what stands behind its name and "=", for messages; NULL: nothing does
 * @private_address: it tells the guest its address
 * @comes_back: if its server ends, another one may find what is behind it again
 * @open: make the port ready, or end the process with a message
 * @serve: for kinds that are not relayed frame by frame: everything, until the guest has gone
 * @receive: one frame; its length, 0 for none or one to ignore, -1 at the end
 * @send: one frame; what cannot be sent is dropped
 * @close: leave nothing behind, or NULL
 */
struct net_kind {
	const char *name, *value;
	bool private_address, comes_back;
	void (*open)(struct net_port *port);
	void (*serve)(struct net_port *port);
	ssize_t (*receive)(struct net_port *port, void *frame, size_t size);
	void (*send)(struct net_port *port, const void *frame, size_t length);
	void (*close)(struct net_port *port);
};

extern const struct net_kind net_user, net_tap, net_fd, net_vde, net_mcast, net_switch;

void net_relay(struct net_port *port);

bool net_line_receive(struct net_line *line, void *frame, size_t size, size_t *length);
void net_line_send(struct net_line *line, const void *frame, size_t length);
void net_line_flush(struct net_line *line);

bool net_frame_allowed(const unsigned char *frame, size_t length, bool host_loopback);

const struct net_kind *net_find_kind(const char *text);

void net_server_give_up_privileges(const struct net_kind *kind);
void net_server_start(struct net_interface *interface);
int net_server_begin(struct net_interface *interface,
		     void (*prepare)(struct net_interface *interface, void *data), void *data);
void net_server_end(struct net_interface *interface);
bool net_server_replace(struct net_interface *interface);

#endif
