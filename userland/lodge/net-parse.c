// SPDX-License-Identifier: GPL-2.0
/* What the user says of a guest's network. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "error.h"
#include "guests.h"
#include "lodge.h"
#include "net-kind.h"
#include "switch.h"
#include "util.h"

#define MTU_DEFAULT 1500

/* What QEMU's users know: 10.0.2.0/24, in which the guest is the 15th. */
#define USER_NETWORK "10.0.2.0/24"
#define USER_GUEST 15
#define USER_HOST 2
#define USER_DNS 3

/* What stands before a network that a message is about. */
const char *net_option = "--net ";

static const struct net_kind *const kinds[] = {
	&net_user, &net_switch, &net_tap, &net_fd, &net_vde, &net_mcast,
};

static unsigned long number(const char *text, unsigned long least, unsigned long most, bool *good)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	*good = *text >= '0' && *text <= '9' && !*end && !errno && n >= least && n <= most;
	return n;
}

static void set_mac(struct net_interface *interface, const char *value)
{
	unsigned char *mac = interface->mac;
	int used = 0;

	if (sscanf(value, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", mac, mac + 1, mac + 2, mac + 3,
		   mac + 4, mac + 5, &used) != NET_MAC || value[used] || used != 3 * NET_MAC - 1)
		die("%s: mac=%s: not a MAC address such as 02:00:00:12:34:56",
		    interface->text, value);
	if (mac[0] & 1 || !memcmp(mac, "\0\0\0\0\0", NET_MAC))
		die("%s: mac=%s: an interface cannot have that one", interface->text, value);
	interface->mac_given = true;
}

static void set_mtu(struct net_interface *interface, const char *value)
{
	bool good;

	interface->mtu = number(value, NET_MTU_MIN, NET_MTU_MAX, &good);
	if (!good)
		die("%s: mtu=%s: not a number from %d to %d", interface->text, value,
		    NET_MTU_MIN, NET_MTU_MAX);
}

static struct in_addr parse_address(const struct net_interface *interface, const char *key,
				    const char *value)
{
	struct in_addr address;

	if (inet_pton(AF_INET, value, &address) != 1)
		die("%s: %s=%s: not an IPv4 address", interface->text, key, value);
	return address;
}

static void parse_prefix(struct net_interface *interface, const char *key, const char *value,
			 unsigned int least, unsigned int most)
{
	char *copy cleanup_free = xstrdup(value);
	char *slash = strchr(copy, '/');
	bool good = false;

	if (slash) {
		*slash = '\0';
		interface->prefix = number(slash + 1, least, most, &good);
	}
	if (!good)
		die("%s: %s=%s: not ADDRESS/BITS with %u to %u bits", interface->text, key,
		    value, least, most);
	interface->address = parse_address(interface, key, copy);
}

static void set_address(struct net_interface *interface, const char *value)
{
	parse_prefix(interface, "address", value, 1, 31);
}

static void set_gateway(struct net_interface *interface, const char *value)
{
	interface->gateway = parse_address(interface, "gateway", value);
}

static void set_dns(struct net_interface *interface, const char *value)
{
	interface->dns = parse_address(interface, "dns", value);
}

static void set_local(struct net_interface *interface, const char *value)
{
	interface->local = parse_address(interface, "local", value);
}

static void parse_network(struct net_interface *interface, const char *key, const char *value)
{
	in_addr_t first;

	parse_prefix(interface, key, value, 8, 27);
	first = ntohl(interface->address.s_addr) & ~0U << (32 - interface->prefix);
	if (first != ntohl(interface->address.s_addr))
		die("%s: %s=%s: the address is not the network's first", interface->text, key,
		    value);
	interface->address.s_addr = htonl(first + USER_GUEST);
	interface->gateway.s_addr = htonl(first + USER_HOST);
	interface->dns.s_addr = htonl(first + USER_DNS);
}

static void set_network(struct net_interface *interface, const char *value)
{
	parse_network(interface, "net", value);
}

static void set_nat(struct net_interface *interface, const char *value)
{
	interface->uplink = xcalloc(1, sizeof(*interface->uplink));
	*interface->uplink = (struct net_interface){
		.kind = &net_user, .text = interface->text, .guest = interface->where,
		.guest_end = -1, .host_end = -1,
	};
	parse_network(interface->uplink, "nat", value ? value : USER_NETWORK);
}

static void set_host_loopback(struct net_interface *interface, const char *value)
{
	if (value)
		die("%s: host-loopback has no value", interface->text);
	interface->host_loopback = true;
}

/* only: the kind that has it; others: all but that kind have it. */
static const struct key {
	const char *name;
	void (*set)(struct net_interface *interface, const char *value);
	const struct net_kind *only, *not;
	bool alone;
} keys[] = {
	{ .name = "mac", .set = set_mac },
	{ .name = "mtu", .set = set_mtu },
	{ .name = "address", .set = set_address, .not = &net_user },
	{ .name = "gateway", .set = set_gateway, .not = &net_user },
	{ .name = "dns", .set = set_dns, .not = &net_user },
	{ .name = "net", .set = set_network, .only = &net_user },
	{ .name = "nat", .set = set_nat, .only = &net_switch, .alone = true },
	{ .name = "host-loopback", .set = set_host_loopback, .only = &net_user, .alone = true },
	{ .name = "local", .set = set_local, .only = &net_mcast },
};

static bool has_key(const struct net_kind *kind, const struct key *key)
{
	return key->not != kind && (!key->only || key->only == kind);
}

static noreturn void no_key(const struct net_interface *interface, const char *word)
{
	const char *names[ARRAY_SIZE(keys)], *near;
	size_t i, n = 0;

	for (i = 0; i < ARRAY_SIZE(keys); i++)
		if (has_key(interface->kind, keys + i))
			names[n++] = keys[i].name;
	near = nearest(word, names, n);
	if (near)
		die("%s: %s has no '%s'; did you mean '%s'?", interface->text,
		    interface->kind->name, word, near);
	die("%s: %s has no '%s'", interface->text, interface->kind->name, word);
}

static void set_key(struct net_interface *interface, char *word)
{
	char *value = strchr(word, '=');
	size_t i;

	if (value)
		*value++ = '\0';
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(word, keys[i].name) && has_key(interface->kind, keys + i))
			break;
	if (i == ARRAY_SIZE(keys))
		no_key(interface, word);
	if (!value && !keys[i].alone)
		die("%s: %s= needs a value", interface->text, word);
	keys[i].set(interface, value);
}

/** net_find_kind - the kind that KIND[=WHERE][,KEY=VALUE]... begins with, or NULL */
const struct net_kind *net_find_kind(const char *text)
{
	size_t i, length = strcspn(text, "=,");

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strlen(kinds[i]->name) == length && !memcmp(kinds[i]->name, text, length))
			return kinds[i];
	return NULL;
}

static void set_kind(struct net_interface *interface, char *word)
{
	char *value = strchr(word, '=');

	interface->kind = net_find_kind(word);
	if (value)
		*value++ = '\0';
	if (!interface->kind)
		die("%s: no network is called '%s': there are user, switch=NAME, "
		    "tap=DEVICE, fd=NUMBER, vde=SOCKET, mcast=ADDRESS:PORT and none",
		    interface->text, word);
	if (interface->kind->value && (!value || !*value))
		die("%s: %s=%s is needed", interface->text, word, interface->kind->value);
	if (!interface->kind->value && value)
		die("%s: %s has no value", interface->text, word);
	if (value)
		interface->where = xstrdup(value);
}

/* A number that is not one would make frames of what was not meant. */
static void check_descriptor(const struct net *net, const struct net_interface *interface)
{
	size_t i;
	bool good;
	unsigned long fd = number(interface->where, 3, INT_MAX, &good);

	if (!good)
		die("%s: not a descriptor's number, from 3", interface->text);
	for (i = 0; i < net->n; i++)
		if (net->interfaces[i].kind == &net_fd &&
		    !strcmp(net->interfaces[i].where, interface->where))
			die("%s: is another interface's already", interface->text);
	if (fcntl(fd, F_SETFD, FD_CLOEXEC))
		die_errno(errno, "%s: descriptor %lu", interface->text, fd);
}

/* Who is given an address on a network with a way out finds it. */
static void finish_switch(struct net_interface *interface)
{
	struct net_interface *uplink = interface->uplink;

	if (!uplink)
		return;
	uplink->mtu = interface->mtu;
	if (!interface->address.s_addr)
		return;
	if (!interface->gateway.s_addr)
		interface->gateway = uplink->gateway;
	if (!interface->dns.s_addr)
		interface->dns = uplink->dns;
}

static void check_switch(const struct net_interface *interface)
{
	const char *name = interface->where;

	if (name[strspn(name, NAME_BYTES)] || *name == '.')
		die("%s: a switch's name has letters, digits, '.', '_' and '-' in it, and no "
		    "'.' in front", interface->text);
	if (strlen(name) > SWITCH_NAME_MAX)
		die("%s: a switch's name has %d characters at most", interface->text,
		    SWITCH_NAME_MAX);
}

/* The launcher goes to another directory. */
static void find_socket(struct net_interface *interface)
{
	char *path = realpath(interface->where, NULL);

	if (!path)
		return;
	free(interface->where);
	interface->where = path;
}

/**
 * net_add - one more interface
 * @net: all of them
 * @text: KIND[=WHERE][,KEY=VALUE]..., stays the caller's; ends the program if it is not that
 */
void net_add(struct net *net, const char *text)
{
	char *copy cleanup_free = xstrdup(text);
	struct net_interface *interface = net->interfaces + net->n;
	char *rest, *word;

	if (!strcmp(text, "none"))
		return;
	rest = copy;
	word = strsep(&rest, ",");
	if (net->n == NET_MAX)
		die("%s%s: a guest has %d interfaces at most", net_option, text, NET_MAX);
	*interface = (struct net_interface){
		.wanted = xstrdup(text), .text = xasprintf("%s%s", net_option, text),
		.mtu = MTU_DEFAULT, .guest_end = -1, .host_end = -1,
	};
	set_kind(interface, word);
	if (interface->kind == &net_user)
		set_network(interface, USER_NETWORK);
	if (interface->kind == &net_fd)
		check_descriptor(net, interface);
	if (interface->kind == &net_switch)
		check_switch(interface);
	if (interface->kind == &net_vde)
		find_socket(interface);
	while ((word = strsep(&rest, ",")))
		set_key(interface, word);
	finish_switch(interface);
	net->n++;
}

/** net_check_system - refuse what only lodge's own init does, for a guest that has another */
void net_check_system(const struct net *net)
{
	const struct net_interface *interface;
	size_t i;

	for (i = 0; i < net->n; i++) {
		interface = net->interfaces + i;
		if (!interface->kind->private_address &&
		    (interface->address.s_addr || interface->gateway.s_addr ||
		     interface->dns.s_addr))
			die("%s: addresses are for --rootdir: a system gives itself its own",
			    interface->text);
	}
}

static noreturn void not_a_port(const char *text)
{
	die("--publish %s: not [ADDRESS:]HOSTPORT:GUESTPORT[/tcp|/udp]", text);
}

static unsigned short parse_port(const char *text, const char *port)
{
	bool good;
	unsigned long n = number(port, 1, USHRT_MAX, &good);

	if (!good)
		not_a_port(text);
	return n;
}

static struct net_interface *user_interface(struct net *net)
{
	size_t i;

	for (i = 0; i < net->n; i++)
		if (net->interfaces[i].kind == &net_user)
			return net->interfaces + i;
	net_add(net, "user");
	return net->interfaces + net->n - 1;
}

/**
 * net_publish - let a port of the host lead into the guest
 * @net: its first user network gets it; if there is none, one is made
 * @text: [ADDRESS:]HOSTPORT:GUESTPORT[/tcp|/udp], stays the caller's; ends the program if it
 *	is not that
 *
 * After the last net_add().
 */
void net_publish(struct net *net, const char *text)
{
	char *copy cleanup_free = xstrdup(text);
	struct net_publish p = { .text = text, .host.s_addr = htonl(INADDR_LOOPBACK) };
	struct net_interface *interface = user_interface(net);
	char *protocol, *guest, *host;

	protocol = strchr(copy, '/');
	if (protocol) {
		*protocol++ = '\0';
		p.udp = !strcmp(protocol, "udp");
		if (!p.udp && strcmp(protocol, "tcp"))
			not_a_port(text);
	}
	guest = strrchr(copy, ':');
	if (!guest)
		not_a_port(text);
	*guest++ = '\0';
	host = strrchr(copy, ':');
	if (host) {
		*host++ = '\0';
		if (inet_pton(AF_INET, copy, &p.host) != 1)
			die("--publish %s: '%s' is not an IPv4 address", text, copy);
	}
	p.host_port = parse_port(text, host ? host : copy);
	p.guest_port = parse_port(text, guest);
	interface->published = xrealloc(interface->published, interface->n_published + 1,
					sizeof(p));
	interface->published[interface->n_published++] = p;
}
