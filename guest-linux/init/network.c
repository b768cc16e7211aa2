// SPDX-License-Identifier: GPL-2.0
/* The guest's network interfaces, of which lodge tells in variables of init's environment. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/route.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init.h"

#define INTERFACES 8
#define NAME_SERVERS 3	/* more than that libc does not read */

/* vecN's, as lodge_vecN=ADDRESS/BITS,GATEWAY,DNS says; 0.0.0.0 where there is none. */
struct interface {
	char name[IFNAMSIZ];
	struct in_addr address, gateway, dns;
	unsigned int bits;
};

static struct sockaddr ipv4(struct in_addr address)
{
	const struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr = address };
	struct sockaddr generic;

	memcpy(&generic, &in, sizeof(generic));
	return generic;
}

static bool read_interface(struct interface *interface, int number)
{
	char variable[32], address[16], gateway[16], dns[16];
	const char *text;

	snprintf(variable, sizeof(variable), "lodge_vec%d", number);
	text = getenv(variable);
	if (!text)
		return false;
	snprintf(interface->name, sizeof(interface->name), "vec%d", number);
	if (sscanf(text, "%15[0-9.]/%u,%15[0-9.],%15[0-9.]", address, &interface->bits, gateway,
		   dns) != 4 ||
	    !inet_aton(address, &interface->address) || !inet_aton(gateway, &interface->gateway) ||
	    !inet_aton(dns, &interface->dns) || interface->bits > 32)
		fail("%s=%s: not a network", variable, text);
	return true;
}

static void set(int fd, unsigned long what, const char *name, struct ifreq *request)
{
	snprintf(request->ifr_name, IFNAMSIZ, "%s", name);
	if (ioctl(fd, what, request))
		fail("%s: %s", name, strerror(errno));
}

static void raise_interface(int fd, const char *name)
{
	struct ifreq request = { 0 };

	set(fd, SIOCGIFFLAGS, name, &request);
	request.ifr_flags |= IFF_UP;
	set(fd, SIOCSIFFLAGS, name, &request);
}

static void set_address(int fd, const struct interface *interface)
{
	const struct in_addr mask = {
		interface->bits ? htonl(~0U << (32 - interface->bits)) : 0,
	};
	struct ifreq request = { .ifr_addr = ipv4(interface->address) };

	set(fd, SIOCSIFADDR, interface->name, &request);
	request = (struct ifreq){ .ifr_netmask = ipv4(mask) };
	set(fd, SIOCSIFNETMASK, interface->name, &request);
}

static void set_gateway(int fd, const struct interface *interface)
{
	const struct in_addr any = { 0 };
	struct rtentry route = {
		.rt_dst = ipv4(any), .rt_genmask = ipv4(any),
		.rt_gateway = ipv4(interface->gateway),
		.rt_flags = RTF_UP | RTF_GATEWAY, .rt_dev = (char *)interface->name,
	};

	if (ioctl(fd, SIOCADDRT, &route) && errno != EEXIST)
		fail("%s: gateway %s: %s", interface->name, inet_ntoa(interface->gateway),
		     strerror(errno));
}

/* The host's may be a link to a file that only the host has. */
static void write_name_servers(const struct in_addr *servers, size_t n)
{
	static const char file[] = "/etc/resolv.conf";
	size_t i;
	int fd;

	if (!n)
		return;
	if (mkdir("/etc", 0755) && errno != EEXIST)
		fail("/etc: %s", strerror(errno));
	unlink(file);
	fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		fail("%s: %s", file, strerror(errno));
	fchmod(fd, 0644);
	for (i = 0; i < n; i++)
		if (dprintf(fd, "nameserver %s\n", inet_ntoa(servers[i])) < 0)
			fail("%s: %s", file, strerror(errno));
	close(fd);
}

/**
 * network_raise - make the interfaces usable, before anything else runs
 *
 * /etc is the guest's.
 */
void network_raise(void)
{
	struct in_addr servers[NAME_SERVERS];
	struct interface interface;
	size_t n = 0;
	int fd, i;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		fail("network: %s", strerror(errno));
	/* A loop-back interface that is down surprises more programs than one that is not there. */
	raise_interface(fd, "lo");
	for (i = 0; i < INTERFACES && read_interface(&interface, i); i++) {
		raise_interface(fd, interface.name);
		if (interface.address.s_addr)
			set_address(fd, &interface);
		if (interface.gateway.s_addr)
			set_gateway(fd, &interface);
		if (interface.dns.s_addr && n < NAME_SERVERS)
			servers[n++] = interface.dns;
	}
	close(fd);
	write_name_servers(servers, n);
}
