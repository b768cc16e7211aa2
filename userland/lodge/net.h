/* SPDX-License-Identifier: GPL-2.0 */
/* Networks of a full guest: each interface is served by a process of its own. */
#ifndef LODGE_NET_H
#define LODGE_NET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define NET_MAX 8
#define NET_MAC 6
#define NET_MTU_MIN 576
#define NET_MTU_MAX 65521

struct net_kind;

/**
 * struct net_publish - a port of the host that leads into the guest
 * @text: as the user gave it
 * @udp: not TCP
 * @host: where it listens
 * @host_port: there
 * @guest_port: where it leads
 */
struct net_publish {
	const char *text;
	bool udp;
	struct in_addr host;
	unsigned short host_port, guest_port;
};

/**
 * struct net_interface - one interface
 * @kind: what is behind it; NULL: there is none
 * @wanted: as the user gave it
 * @text: the same behind the option, for messages
 * @guest: the guest's name, for messages
 * @where: which one of its kind: a device, a descriptor, an address; NULL if there is one only
 * @mac: its hardware address
 * @mac_given: the user chose it
 * @mtu: bytes of the longest packet
 * @address: the guest's, or 0.0.0.0
 * @prefix: of the address, in bits
 * @gateway: the guest's default route, or 0.0.0.0
 * @dns: the guest's name server, or 0.0.0.0
 * @local: address of the host's interface that multicasts go out of, or 0.0.0.0
 * @host_loopback: the guest may talk to the host's 127.0.0.1
 * @uplink: of a switch, its way out: a user network; NULL: it has none
 * @published: ports
 * @n_published: how many
 * @guest_end: packet socket that is the guest's
 * @host_end: the other end
 * @server: process that serves it, or 0
 * @ready: frames can flow
 */
struct net_interface {
	const struct net_kind *kind;
	const char *wanted, *text, *guest;
	char *where;
	unsigned char mac[NET_MAC];
	bool mac_given;
	unsigned int mtu;
	struct in_addr address, gateway, dns, local;
	unsigned int prefix;
	bool host_loopback;
	struct net_interface *uplink;
	struct net_publish *published;
	size_t n_published;
	int guest_end, host_end;
	pid_t server;
	bool ready;
};

/**
 * struct net - all interfaces of a guest
 * @interfaces: vec0, vec1, ...
 * @n: behind the last that is there; before it, some may have been removed
 */
struct net {
	struct net_interface interfaces[NET_MAX];
	size_t n;
};

extern const char *net_option;

void net_add(struct net *net, const char *text);
void net_publish(struct net *net, const char *text);
void net_check_system(const struct net *net);
void net_start(struct net *net, const char *guest);
void net_watch(struct net *net);
void net_end(struct net *net);

void net_choose_mac(const struct net *net, struct net_interface *interface);
void net_remove(struct net *net, size_t index);
char *net_arguments(const struct net_interface *interface);
char *net_kernel_argument(const struct net *net, size_t index);
char *net_init_argument(const struct net *net, size_t index);

#endif
