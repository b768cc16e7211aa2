// SPDX-License-Identifier: GPL-2.0
/* Which frames of a guest may reach the sockets of the process that serves it. */
#include <net/ethernet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <string.h>

#include "net-kind.h"

/* Both 127.0.0.0/8 and 0.0.0.0/8 are the host itself, for the host. */
static bool to_loopback(in_addr_t address)
{
	unsigned int net = ntohl(address) >> 24;

	return !net || net == IN_LOOPBACKNET;
}

/* No fragments: how libslirp joins them cannot be trusted with what a guest's root can send. */
static bool ipv4_allowed(const unsigned char *packet, size_t length, bool host_loopback)
{
	struct iphdr head;

	if (length < sizeof(head))
		return false;
	memcpy(&head, packet, sizeof(head));
	if (head.frag_off & htons(IP_MF | IP_OFFMASK))
		return false;
	return host_loopback || !to_loopback(head.daddr);
}

static bool ipv6_allowed(const unsigned char *packet, size_t length, bool host_loopback)
{
	struct ip6_hdr head;
	const struct in6_addr *to = &head.ip6_dst;

	if (length < sizeof(head))
		return false;
	memcpy(&head, packet, sizeof(head));
	/* The host would take a mapped address for the IPv4 address in it. */
	return host_loopback ||
	       (!IN6_IS_ADDR_LOOPBACK(to) && !IN6_IS_ADDR_UNSPECIFIED(to) &&
		!IN6_IS_ADDR_V4MAPPED(to) && !IN6_IS_ADDR_V4COMPAT(to));
}

/**
 * net_frame_allowed - whether libslirp may see a frame
 * @frame: from the guest
 * @length: of @frame
 * @host_loopback: the guest may talk to the host's loop-back
 *
 * libslirp keeps a guest from the host's loop-back under its own name of it, 10.0.2.2. But
 * what is addressed to 127.0.0.1, which a guest's root can make, it connects to 127.0.0.1.
 */
bool net_frame_allowed(const unsigned char *frame, size_t length, bool host_loopback)
{
	const unsigned char *packet = frame + NET_FRAME_HEAD;
	unsigned int type;

	if (length < NET_FRAME_HEAD)
		return false;
	type = frame[12] << 8 | frame[13];
	length -= NET_FRAME_HEAD;
	switch (type) {
	case ETHERTYPE_ARP:
		return true;
	case ETHERTYPE_IP:
		return ipv4_allowed(packet, length, host_loopback);
	case ETHERTYPE_IPV6:
		return ipv6_allowed(packet, length, host_loopback);
	default:
		return false;
	}
}
