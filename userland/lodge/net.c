// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "error.h"
#include "lodge.h"
#include "net.h"
#include "net-kind.h"
#include "util.h"

/* FNV-1a, 64 bits: the same name gives the same address, on every machine. */
#define HASH_BASIS 0xcbf29ce484222325ULL
#define HASH_PRIME 0x100000001b3ULL

/* Unicast, and of no manufacturer's. */
#define MAC_LOCAL 0x02
#define MAC_GROUP 0x01

/** net_choose_mac - give an interface of @net, whose guest is known, its address */
void net_choose_mac(const struct net *net, struct net_interface *interface)
{
	size_t i, index = interface - net->interfaces;
	unsigned long long hash = HASH_BASIS;
	const char *at;

	for (at = interface->guest; *at; at++)
		hash = (hash ^ (unsigned char)*at) * HASH_PRIME;
	hash = (hash ^ index) * HASH_PRIME;
	hash ^= hash >> 32;
	for (i = 0; i < NET_MAC; i++)
		interface->mac[i] = hash >> 8 * i;
	interface->mac[0] = (interface->mac[0] & ~MAC_GROUP) | MAC_LOCAL;
}

static void check_macs(const struct net *net)
{
	size_t i, j;

	for (i = 0; i < net->n; i++)
		for (j = 0; j < i; j++)
			if (!memcmp(net->interfaces[i].mac, net->interfaces[j].mac, NET_MAC))
				die("%s: vec%zu has this MAC address", net->interfaces[i].text, j);
}

/**
 * net_start - have all interfaces served
 * @net: what the user wants
 * @guest: the guest's name
 *
 * Ends the program, after a message, if one of them cannot be.
 */
void net_start(struct net *net, const char *guest)
{
	struct net_interface *interface;
	size_t i;

	for (i = 0; i < net->n; i++) {
		interface = net->interfaces + i;
		interface->guest = guest;
		if (!interface->mac_given)
			net_choose_mac(net, interface);
	}
	check_macs(net);
	for (i = 0; i < net->n; i++) {
		interface = net->interfaces + i;
		net_server_start(interface);
		interface->ready = true;
		/* The server's now: who is at the other end shall see it end. */
		if (interface->kind == &net_fd)
			close(atoi(interface->where));
	}
}

static void how_it_ended(int status, char *text, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(text, size, "signal %d", WTERMSIG(status));
	else
		snprintf(text, size, "status %d", WEXITSTATUS(status));
}

/** net_watch - say so if a server has ended while the guest runs; after SIGCHLD */
void net_watch(struct net *net)
{
	struct net_interface *interface;
	char how[32];
	int status;
	size_t i;

	for (i = 0; i < net->n; i++) {
		interface = net->interfaces + i;
		if (!interface->server || !interface->ready ||
		    waitpid(interface->server, &status, WNOHANG) != interface->server)
			continue;
		interface->server = 0;
		/* It ends by itself when the guest has, which is about to be seen. */
		if (WIFEXITED(status) && !WEXITSTATUS(status))
			continue;
		how_it_ended(status, how, sizeof(how));
		if (net_server_replace(interface))
			warn_guest(interface->guest, NULL,
				   "vec%zu is connected anew: what served it ended (%s)", i, how);
		else
			warn_guest(interface->guest, NULL,
				   "vec%zu has no network any more: what served it ended (%s)",
				   i, how);
	}
}

/** net_remove - end what serves an interface; then there is none of this number */
void net_remove(struct net *net, size_t index)
{
	struct net_interface *interface = net->interfaces + index;

	if (!interface->kind)
		return;
	net_server_end(interface);
	close(interface->guest_end);
	close(interface->host_end);
	free((char *)interface->text);
	free((char *)interface->wanted);
	free(interface->where);
	free(interface->uplink);
	free(interface->published);
	*interface = (struct net_interface){ .guest_end = -1, .host_end = -1 };
	while (net->n && !net->interfaces[net->n - 1].kind)
		net->n--;
}

/** net_end - end all servers, and wait until they have cleaned up */
void net_end(struct net *net)
{
	size_t i;

	for (i = 0; i < net->n; i++)
		if (net->interfaces[i].server)
			kill(net->interfaces[i].server, SIGTERM);
	for (i = 0; i < net->n; i++)
		net_server_end(net->interfaces + i);
}

/** net_arguments - what a guest's kernel is to know of it, but for its line; the caller frees */
char *net_arguments(const struct net_interface *interface)
{
	const unsigned char *mac = interface->mac;

	return xasprintf("mtu=%u,mac=%02x:%02x:%02x:%02x:%02x:%02x", interface->mtu,
			 mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

/**
 * net_kernel_argument - what the guest's kernel is told of an interface
 * @net: started
 * @index: of the interface
 *
 * Return: an argument, which the caller frees.
 */
char *net_kernel_argument(const struct net *net, size_t index)
{
	char *arguments cleanup_free = net_arguments(net->interfaces + index);

	return xasprintf("vec%zu:transport=fd,fd=%d,%s", index,
			 net->interfaces[index].guest_end, arguments);
}

static void address_text(struct in_addr address, char text[INET_ADDRSTRLEN])
{
	inet_ntop(AF_INET, &address, text, INET_ADDRSTRLEN);
}

/**
 * net_init_argument - what lodge's own init is told of an interface
 * @net: started
 * @index: of the interface
 *
 * Return: an argument for the kernel, which gives init what it does not know itself as a
 * variable of its environment; the caller frees it.
 */
char *net_init_argument(const struct net *net, size_t index)
{
	const struct net_interface *interface = net->interfaces + index;
	char address[INET_ADDRSTRLEN], gateway[INET_ADDRSTRLEN], dns[INET_ADDRSTRLEN];

	address_text(interface->address, address);
	address_text(interface->gateway, gateway);
	address_text(interface->dns, dns);
	return xasprintf("lodge_vec%zu=%s/%u,%s,%s", index, address, interface->prefix, gateway,
			 dns);
}
