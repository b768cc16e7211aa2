// SPDX-License-Identifier: GPL-2.0
/* NAT in user space: libslirp turns the guest's connections into sockets of this process. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <slirp/libslirp.h>
#include <string.h>
#include <time.h>

#include "error.h"
#include "net-kind.h"
#include "util.h"

#define TURN 64
#define HOST 2		/* in the guest's network: the host ... */
#define NAME_SERVER 3	/* ... and its name server */

struct timer {
	struct timer *next;
	SlirpTimerCb run;
	void *argument;
	int64_t when;	/* ms; 0: not set */
};

struct nat {
	struct net_port *port;
	Slirp *slirp;
	struct timer *timers;
	struct pollfd *fds;
	size_t n, room;
};

static int64_t clock_ns(void *opaque)
{
	struct timespec now;

	(void)opaque;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static ssize_t send_packet(const void *frame, size_t length, void *opaque)
{
	struct nat *nat = opaque;

	net_line_send(&nat->port->line, frame, length);
	return length;
}

/* What the guest does wrong is its own affair. */
static void guest_error(const char *text, void *opaque)
{
	(void)text;
	(void)opaque;
}

static void *timer_new(SlirpTimerCb run, void *argument, void *opaque)
{
	struct timer *timer = xcalloc(1, sizeof(*timer));
	struct nat *nat = opaque;

	*timer = (struct timer){ .next = nat->timers, .run = run, .argument = argument };
	nat->timers = timer;
	return timer;
}

static void timer_free(void *freed, void *opaque)
{
	struct nat *nat = opaque;
	struct timer **at = &nat->timers;

	while (*at != freed)
		at = &(*at)->next;
	*at = (*at)->next;
	free(freed);
}

static void timer_mod(void *timer, int64_t when, void *opaque)
{
	(void)opaque;
	((struct timer *)timer)->when = when;
}

/* It is asked for all of them before each poll(). */
static void poll_fd(int fd, void *opaque)
{
	(void)fd;
	(void)opaque;
}

/* Nothing happens beside the loop that it would have to be told of. */
static void notify(void *opaque)
{
	(void)opaque;
}

static const SlirpCb callbacks = {
	.send_packet = send_packet,
	.guest_error = guest_error,
	.clock_get_ns = clock_ns,
	.timer_new = timer_new,
	.timer_free = timer_free,
	.timer_mod = timer_mod,
	.register_poll_fd = poll_fd,
	.unregister_poll_fd = poll_fd,
	.notify = notify,
};

static struct in_addr neighbour(const struct net_interface *interface, unsigned int number)
{
	in_addr_t mask = htonl(~0U << (32 - interface->prefix));

	return (struct in_addr){ (interface->address.s_addr & mask) | htonl(number) };
}

static struct in6_addr neighbour6(unsigned char number)
{
	return (struct in6_addr){ .s6_addr = { 0xfe, 0xc0, [15] = number } };
}

static void open_to_host(struct nat *nat, const struct net_publish *p)
{
	/* An error number is there if it comes from a system call. */
	errno = 0;
	if (!slirp_add_hostfwd(nat->slirp, p->udp, p->host, p->host_port,
			       nat->port->interface->address, p->guest_port))
		return;
	if (errno)
		die_errno(errno, "--publish %s", p->text);
	die("--publish %s: the port cannot be had", p->text);
}

static void user_open(struct net_port *port)
{
	const struct net_interface *interface = port->interface;
	const SlirpConfig config = {
		.version = 4,
		.in_enabled = true,
		.vnetwork = neighbour(interface, 0),
		.vnetmask.s_addr = htonl(~0U << (32 - interface->prefix)),
		.vhost = neighbour(interface, HOST),
		.vdhcp_start = interface->address,
		.vnameserver = neighbour(interface, NAME_SERVER),
		.in6_enabled = true,
		.vprefix_addr6 = neighbour6(0),
		.vprefix_len = 64,
		.vhost6 = neighbour6(HOST),
		.vnameserver6 = neighbour6(NAME_SERVER),
		.vhostname = interface->guest,
		.if_mtu = interface->mtu,
		.if_mru = interface->mtu,
		.disable_host_loopback = !interface->host_loopback,
	};
	struct nat *nat = xcalloc(1, sizeof(*nat));
	size_t i;

	nat->port = port;
	port->private = nat;
	nat->slirp = slirp_new(&config, &callbacks, nat);
	if (!nat->slirp)
		die("%s: libslirp %s refuses it", interface->text, slirp_version_string());
	for (i = 0; i < interface->n_published; i++)
		open_to_host(nat, interface->published + i);
}

static int add_poll(int fd, int wanted, void *opaque)
{
	struct nat *nat = opaque;
	short events = 0;

	if (wanted & SLIRP_POLL_IN)
		events |= POLLIN;
	if (wanted & SLIRP_POLL_OUT)
		events |= POLLOUT;
	if (wanted & SLIRP_POLL_PRI)
		events |= POLLPRI;
	if (nat->n == nat->room) {
		nat->room = nat->room * 2 + 8;
		nat->fds = xrealloc(nat->fds, nat->room, sizeof(*nat->fds));
	}
	nat->fds[nat->n] = (struct pollfd){ .fd = fd, .events = events };
	return nat->n++;
}

static int what_happened(int index, void *opaque)
{
	struct nat *nat = opaque;
	short events = nat->fds[index].revents;
	int result = 0;

	if (events & POLLIN)
		result |= SLIRP_POLL_IN;
	if (events & POLLOUT)
		result |= SLIRP_POLL_OUT;
	if (events & POLLPRI)
		result |= SLIRP_POLL_PRI;
	if (events & POLLERR)
		result |= SLIRP_POLL_ERR;
	if (events & POLLHUP)
		result |= SLIRP_POLL_HUP;
	return result;
}

/* Returns how long to sleep at most, -1 without end; libslirp has its own idea of it. */
static int sleep_ms(const struct nat *nat, uint32_t longest)
{
	int64_t left, now = now_ms();
	const struct timer *timer;

	for (timer = nat->timers; timer; timer = timer->next) {
		if (!timer->when)
			continue;
		left = timer->when > now ? timer->when - now : 0;
		if (left < longest)
			longest = left;
	}
	return longest > INT32_MAX ? -1 : (int)longest;
}

static void run_timers(const struct nat *nat)
{
	int64_t now = now_ms();
	struct timer *timer, *next;

	for (timer = nat->timers; timer; timer = next) {
		next = timer->next;
		if (!timer->when || timer->when > now)
			continue;
		timer->when = 0;
		timer->run(timer->argument);
	}
}

/* Returns false when the guest has gone. */
static bool from_guest(struct nat *nat)
{
	static unsigned char frame[NET_FRAME_MAX + 1];
	size_t length;
	int i;

	for (i = 0; i < TURN; i++) {
		if (!net_line_receive(&nat->port->line, frame, sizeof(frame), &length))
			return false;
		if (!length)
			return true;
		if (net_frame_allowed(frame, length, nat->port->interface->host_loopback))
			slirp_input(nat->slirp, frame, length);
	}
	return true;
}

static void user_serve(struct net_port *port)
{
	struct nat *nat = port->private;
	uint32_t longest;
	int line, n;

	do {
		nat->n = 0;
		line = add_poll(port->line.fd, SLIRP_POLL_IN, nat);
		if (port->line.first)
			nat->fds[line].events |= POLLOUT;
		longest = UINT32_MAX;
		slirp_pollfds_fill(nat->slirp, &longest, add_poll, nat);
		n = poll(nat->fds, nat->n, sleep_ms(nat, longest));
		if (n < 0 && errno != EINTR)
			return;
		net_line_flush(&port->line);
		slirp_pollfds_poll(nat->slirp, n < 0, what_happened, nat);
		run_timers(nat);
	} while (from_guest(nat));
}

const struct net_kind net_user = {
	.name = "user",
	.private_address = true,
	.open = user_open,
	.serve = user_serve,
};
