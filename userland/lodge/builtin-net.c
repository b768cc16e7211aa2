// SPDX-License-Identifier: GPL-2.0
/* lodge net: networks of full guests that run. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "action.h"
#include "device-plug.h"
#include "error.h"
#include "lodge.h"
#include "net-kind.h"
#include "report.h"
#include "rundir.h"
#include "table.h"
#include "util.h"

static struct {
	const char *published[64];
	size_t n;
	bool json;
} given;

static char **parse(int argc, char **argv, const char *letters)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "json", no_argument, NULL, 'j' },
		{ "publish", required_argument, NULL, 'p' },
		{ 0 }
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "hp:", options, NULL)) >= 0) {
		if (opt == 'h') {
			puts(cmd_net.usage);
			exit(0);
		}
		if (!strchr(letters, opt))
			die_usage("net", NULL);
		if (opt == 'j')
			given.json = true;
		else if (given.n == ARRAY_SIZE(given.published))
			die("--publish: %zu ports at most", given.n);
		else
			given.published[given.n++] = optarg;
	}
	return argv + optind;
}

/* Says what is wrong here and now, not in the process that will serve it. */
static void check(struct net *net, const char *text)
{
	const struct net_interface *interface = net->interfaces;
	size_t i;

	net_option = "";
	net_add(net, text);
	if (!net->n)
		die("%s: is no network", text);
	if (!interface->kind->private_address &&
	    (interface->address.s_addr || interface->gateway.s_addr || interface->dns.s_addr))
		die("%s: addresses are for the start of a guest: one that runs gives itself its own",
		    text);
	for (i = 0; i < given.n; i++)
		net_publish(net, given.published[i]);
	if (net->n > 1)
		die("%s: --publish is for the network 'user'", text);
}

static void describe(struct device_message *message, const struct net_interface *interface,
		     const char *text)
{
	size_t i, length = 0;

	message->mtu = interface->mtu;
	message->mac_given = interface->mac_given;
	memcpy(message->mac, interface->mac, NET_MAC);
	if (strlen(text) >= sizeof(message->text))
		die("%s: is too long", text);
	strcpy(message->text, text);
	for (i = 0; i < given.n; i++) {
		length += snprintf(message->more + length, sizeof(message->more) - length, "%s\n",
				   given.published[i]);
		if (length >= sizeof(message->more))
			die("--publish: too many ports");
	}
}

static int add_main(int argc, char **argv)
{
	static const char *const wanted[] = { "NAME", "KIND", NULL };
	char **args = parse(argc, argv, "p");
	struct device_message message = { 0 };
	int passed[DEVICES_PASSED] = { STDERR_FILENO, -1, -1 };
	struct net net = { 0 };
	int fd;

	action_expect(&cmd_net, args, "add", wanted);
	check(&net, args[1]);
	describe(&message, net.interfaces, args[1]);
	passed[1] = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (passed[1] < 0)
		die_errno(errno, ".");
	if (net.interfaces->kind == &net_fd)
		passed[2] = atoi(net.interfaces->where);
	full_guest_enter(args[0]);
	fd = device_connect(args[0]);
	device_add(fd, args[0], &device_nets, &message, passed, passed[2] < 0 ? 2 : 3);
	close(fd);
	return 0;
}

static int parse_unit(const char *text)
{
	int unit = -1, end = 0;

	if (sscanf(text, "vec%2d%n", &unit, &end) != 1 || text[end] || unit < 0 || unit >= NET_MAX)
		die("net: %s: not an interface: they are vec0 to vec%d", text, NET_MAX - 1);
	return unit;
}

static int remove_main(int argc, char **argv)
{
	static const char *const wanted[] = { "NAME", "INTERFACE", NULL };
	char **args = parse(argc, argv, "");

	action_expect(&cmd_net, args, "remove", wanted);
	device_remove(args[0], &device_nets, parse_unit(args[1]));
	return 0;
}

static char *mac_text(const struct device_message *m)
{
	return xasprintf("%02x:%02x:%02x:%02x:%02x:%02x", m->mac[0], m->mac[1], m->mac[2],
			 m->mac[3], m->mac[4], m->mac[5]);
}

static void print_json(int fd, const char *guest)
{
	struct json_object *list = json_object_new_array(), *interface;
	struct device_message m = { .unit = -1 };

	while (device_next(fd, guest, &device_nets, &m)) {
		char *name cleanup_free = device_name(&device_nets, m.unit);
		char *mac cleanup_free = mac_text(&m);

		interface = json_object_new_object();
		json_object_object_add(interface, "name", json_object_new_string(name));
		json_object_object_add(interface, "mac", json_object_new_string(mac));
		json_object_object_add(interface, "mtu", json_object_new_int(m.mtu));
		json_object_object_add(interface, "network", json_object_new_string(m.text));
		json_object_array_add(list, interface);
	}
	report_print_json(list);
}

static void print_table(int fd, const char *guest)
{
	static const char *const heads[] = { "INTERFACE", "MAC", "MTU", "NETWORK" };
	struct table table = { .columns = ARRAY_SIZE(heads), .right = "llrl" };
	struct device_message m = { .unit = -1 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(heads); i++)
		table_add(&table, heads[i]);
	while (device_next(fd, guest, &device_nets, &m)) {
		char *name cleanup_free = device_name(&device_nets, m.unit);
		char *mac cleanup_free = mac_text(&m);

		table_add(&table, name);
		table_add(&table, mac);
		table_add_count(&table, m.mtu);
		table_add(&table, m.text);
	}
	table_print(&table);
}

static int ls_main(int argc, char **argv)
{
	static const char *const wanted[] = { "NAME", NULL };
	char **args = parse(argc, argv, "j");
	int fd;

	action_expect(&cmd_net, args, "ls", wanted);
	full_guest_enter(args[0]);
	fd = device_connect(args[0]);
	if (given.json)
		print_json(fd, args[0]);
	else
		print_table(fd, args[0]);
	close(fd);
	return 0;
}

static int net_main(int argc, char **argv)
{
	static const struct action actions[] = {
		{ "add", add_main },
		{ "ls", ls_main },
		{ "remove", remove_main },
		{ 0 }
	};

	return action_run(&cmd_net, actions, "", argc, argv);
}

const struct command cmd_net = {
	.name = "net",
	.run = net_main,
	.summary = "add and remove networks of a full guest that runs",
	.usage =
	"Usage: lodge net add [-p PORTS]... NAME KIND[,KEY=VALUE]...\n"
	"       lodge net remove NAME INTERFACE\n"
	"       lodge net ls [--json] NAME\n"
	"Add a network, of the kinds that 'lodge boot --net' knows, to a full guest that runs, and\n"
	"print what its interface is called there; or pull one out. What is added lasts as long as\n"
	"the guest, also when it reboots.\n\n"
	"  -p, --publish [ADDRESS:]HOSTPORT:GUESTPORT[/udp]  a port of the host leads there\n"
	"      --json             as JSON\n"
	"  -h, --help             show this",
};
