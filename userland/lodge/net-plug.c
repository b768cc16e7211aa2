// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "devices.h"
#include "error.h"
#include "launcher.h"
#include "lodge.h"
#include "net-kind.h"
#include "net-plug.h"
#include "util.h"

/* What a client has passed. */
enum { STDERR, DIRECTORY, GIVEN };

struct plug {
	const struct device_message *message;
	const int *passed;
};

/* The descriptor of fd=N has another number here than where the user gave it. */
static char *with_own_number(const char *text, int given)
{
	if (!starts_with(text, "fd="))
		return xstrdup(text);
	return xasprintf("fd=%d%s", given, text + strcspn(text, ","));
}

/* In the new server: as at the start of a guest, but where the client is, and to its stderr. */
static void prepare(struct net_interface *interface, void *data)
{
	const struct plug *plug = data;
	char *lines = xstrdup(plug->message->more), *line;
	struct net own = { 0 };

	launcher_release_signals();
	error_set_status(STATUS_FAILED);
	net_option = "";
	if (dup2(plug->passed[STDERR], STDERR_FILENO) < 0 || fchdir(plug->passed[DIRECTORY]))
		die_errno(errno, "%s", interface->text);
	net_add(&own, with_own_number(plug->message->text, plug->passed[GIVEN]));
	while ((line = strsep(&lines, "\n")))
		if (*line)
			net_publish(&own, line);
	if (own.n != 1)
		die("%s: not one network", interface->text);
	own.interfaces[0].text = interface->text;
	own.interfaces[0].guest = interface->guest;
	own.interfaces[0].guest_end = interface->guest_end;
	own.interfaces[0].host_end = interface->host_end;
	memcpy(own.interfaces[0].mac, interface->mac, NET_MAC);
	*interface = own.interfaces[0];
}

static bool has_mac(const struct net *net, const struct net_interface *interface)
{
	size_t i;

	for (i = 0; i < net->n; i++)
		if (net->interfaces[i].kind && net->interfaces + i != interface &&
		    !memcmp(net->interfaces[i].mac, interface->mac, NET_MAC))
			return true;
	return false;
}

/**
 * net_plug - begin to serve one more interface
 * @net: of a guest that runs
 * @guest: its name
 * @message: what is wanted; the client has parsed it, and said what was wrong
 * @passed: what came with it, which stays the caller's
 * @told: set to where a byte comes when frames can flow; at its end none will, and the server
 *	has said why to the client's standard error. The caller closes it.
 * @why: set if there is no interface
 *
 * Return: its index, or -1.
 */
int net_plug(struct net *net, const char *guest, const struct device_message *message,
	     const int *passed, int *told, const char **why)
{
	const struct net_kind *kind = net_find_kind(message->text);
	struct plug plug = { message, passed };
	struct net_interface *interface;
	size_t index = 0;

	while (index < NET_MAX && net->interfaces[index].kind)
		index++;
	*why = "has as many networks as a guest can have";
	if (index == NET_MAX)
		return -1;
	*why = "not a network";
	if (!kind || passed[STDERR] < 0 || passed[DIRECTORY] < 0 || message->mtu < NET_MTU_MIN ||
	    message->mtu > NET_MTU_MAX)
		return -1;
	interface = net->interfaces + index;
	*interface = (struct net_interface){
		.wanted = xstrdup(message->text), .text = xstrdup(message->text),
		.guest = guest, .mtu = message->mtu,
		.mac_given = message->mac_given, .guest_end = -1, .host_end = -1,
	};
	if (interface->mac_given)
		memcpy(interface->mac, message->mac, NET_MAC);
	else
		net_choose_mac(net, interface);
	*why = "another interface of the guest has this MAC address";
	if (has_mac(net, interface))
		return -1;
	*why = "its server cannot be started";
	*told = net_server_begin(interface, prepare, &plug);
	if (*told < 0)
		return -1;
	interface->kind = kind;
	if (index >= net->n)
		net->n = index + 1;
	return index;
}
