// SPDX-License-Identifier: GPL-2.0
/* What lodge boot does about the devices of its guest: for the kernel in there, and for clients. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "devices.h"
#include "error.h"
#include "lodge.h"
#include "mconsole.h"
#include "net-kind.h"
#include "net-plug.h"
#include "rundir.h"
#include "sandbox.h"
#include "util.h"

/* "ubd15", and a little more, to see that it is too long. */
#define QUESTION_MAX 8

/**
 * devices_open - be there for the kernel of a guest that is to be started, and for clients
 * @devices: filled in
 * @guest: its name
 * @disks: what it is started with
 * @net: the same
 * @management: its management console
 *
 * In the present guest's directory; ends the program on failure.
 */
void devices_open(struct devices *devices, const char *guest, struct disks *disks, struct net *net,
		  struct mconsole_relay *management)
{
	int line[2];
	size_t i;

	*devices = (struct devices){
		.guest = guest, .disks = disks, .net = net, .hold.management = management,
	};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, line))
		die_errno(errno, "socketpair");
	devices->line = line[0];
	devices->guest_end = line[1];
	devices->listener = device_listen(RUNDIR_DEVICES);
	for (i = 0; i < DEVICES_CLIENTS; i++)
		devices->clients[i] = (struct device_client){ -1, -1, -1, -1 };
}

static void answer_kernel(const struct devices *devices, const char *question, const char *text,
			  const int *passed, size_t n)
{
	char *answer cleanup_free = xasprintf("%s %s", question, text);
	union {
		char bytes[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr head;
	} control = { 0 };
	struct iovec iov = { answer, strlen(answer) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (n) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
		control.head = (struct cmsghdr){
			.cmsg_len = CMSG_LEN(n * sizeof(int)),
			.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
		};
		memcpy(CMSG_DATA(&control.head), passed, n * sizeof(int));
	}
	/* Who does not take its answers gets none. */
	sendmsg(devices->line, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void give_disk(struct devices *devices, const char *question, unsigned int unit)
{
	char *text cleanup_free = NULL;
	const struct disk *disk = &devices->disks->list[unit];

	/* What was there at the start has to be locked now; what was added is. */
	if (!disk->file || !disk_lock(disk)) {
		answer_kernel(devices, question, "none", NULL, 0);
		return;
	}
	devices->disk_asked[unit] = true;
	if (rundir_number(RUNDIR_PID) && !disk->block)
		sandbox_allow_file(rundir_number(RUNDIR_PID), disk->data + disk->size);
	text = xasprintf("%d,%llu,%lld,%llu,%lld,%s%s%s", !disk->readonly, disk->size,
			 (long long)disk->bitmap, disk->bitmap_length, (long long)disk->data,
			 disk->cow ? disk->cow : disk->file, disk->cow ? "," : "",
			 disk->cow ? disk->file : "");
	if (disk->cow)
		answer_kernel(devices, question, text, (const int[]){ disk->cow_fd, disk->fd }, 2);
	else
		answer_kernel(devices, question, text, &disk->fd, 1);
}

static void give_interface(struct devices *devices, const char *question, unsigned int unit)
{
	char *text cleanup_free = NULL;
	const struct net_interface *interface = devices->net->interfaces + unit;

	if (!interface->kind || !interface->ready) {
		answer_kernel(devices, question, "none", NULL, 0);
		return;
	}
	devices->net_asked[unit] = true;
	text = net_arguments(interface);
	answer_kernel(devices, question, text, &interface->guest_end, 1);
}

/* Which of its kind a device is; -1: none of that kind has this name. */
static int unit_of(const char *question, const char *kind, int n)
{
	char name[QUESTION_MAX + sizeof("-2147483648")];
	int unit;

	for (unit = 0; unit < n; unit++) {
		snprintf(name, sizeof(name), "%s%d", kind, unit);
		if (!strcmp(name, question))
			return unit;
	}
	return -1;
}

/* The guest's kernel is not trusted: it gets what the user has given it, and nothing else. */
static void hear_kernel(struct devices *devices)
{
	char question[QUESTION_MAX + 1];
	int disk, interface;
	ssize_t n;

	n = recv(devices->line, question, QUESTION_MAX, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		close(devices->line);
		devices->line = -1;
		return;
	}
	question[n] = '\0';
	disk = unit_of(question, "ubd", DISKS_MAX);
	interface = unit_of(question, "vec", NET_MAX);
	if (disk >= 0)
		give_disk(devices, question, disk);
	else if (interface >= 0)
		give_interface(devices, question, interface);
	else
		answer_kernel(devices, question, "none", NULL, 0);
}

static void drop_disk(struct devices *devices, int unit)
{
	struct disks *disks = devices->disks;

	if (unit < 0 || unit >= DISKS_MAX || !disks->list[unit].file)
		return;
	disk_close(&disks->list[unit]);
	devices->disk_asked[unit] = false;
	while (disks->n && !disks->list[disks->n - 1].file)
		disks->n--;
}

static void drop_interface(struct devices *devices, int unit)
{
	if (unit < 0 || unit >= NET_MAX)
		return;
	net_remove(devices->net, unit);
	devices->net_asked[unit] = false;
}

static void reply(struct device_client *client, struct device_message *message)
{
	device_send(client->fd, message, NULL, 0);
}

static void refuse(struct device_client *client, const char *why)
{
	struct device_message message = { .order = 1 };

	snprintf(message.text, sizeof(message.text), "%s", why);
	reply(client, &message);
}

static void close_client(struct devices *devices, struct device_client *client)
{
	/* What its kernel has asked for it may have: then it can be removed, and only then. */
	if (client->disk >= 0 && !devices->disk_asked[client->disk])
		drop_disk(devices, client->disk);
	if (client->net >= 0 && !devices->net_asked[client->net])
		drop_interface(devices, client->net);
	if (devices->holder == client) {
		devices->holder = NULL;
		hold_end(&devices->hold);
	}
	if (client->told >= 0)
		close(client->told);
	close(client->fd);
	*client = (struct device_client){ -1, -1, -1, -1 };
}

static void add_disk(struct devices *devices, struct device_client *client,
		     struct device_message *message, int *passed)
{
	struct disks *disks = devices->disks;
	struct disk disk;
	size_t unit = 0;

	while (unit < DISKS_MAX && disks->list[unit].file)
		unit++;
	if (!device_message_disk(message, passed, &disk)) {
		refuse(client, "not a disk");
		return;
	}
	/* They are the disk's now. */
	passed[0] = -1;
	passed[1] = -1;
	if (unit == DISKS_MAX || disks_have(disks, &disk)) {
		refuse(client, unit == DISKS_MAX ? "has as many disks as a guest can have" :
		       "this is another disk of the guest already");
		disk_close(&disk);
		return;
	}
	disks->list[unit] = disk;
	if (unit >= disks->n)
		disks->n = unit + 1;
	devices->disk_asked[unit] = false;
	client->disk = unit;
	*message = (struct device_message){ .unit = unit };
	reply(client, message);
}

static void get_disk(struct devices *devices, struct device_client *client,
		     struct device_message *message)
{
	size_t unit = message->unit < 0 ? 0 : message->unit;
	const struct disk *disk;

	*message = (struct device_message){ .unit = -1 };
	while (unit < devices->disks->n && !devices->disks->list[unit].file)
		unit++;
	if (unit >= devices->disks->n) {
		reply(client, message);
		return;
	}
	disk = &devices->disks->list[unit];
	message->unit = unit;
	message->plugged = devices->disk_asked[unit];
	device_disk_message(message, disk);
	device_send(client->fd, message, (const int[]){ disk->fd, disk->cow_fd },
		    disk->cow ? 2 : 1);
}

static void get_interface(struct devices *devices, struct device_client *client,
			  struct device_message *message)
{
	const struct net_interface *interface;
	size_t unit = message->unit < 0 ? 0 : message->unit;

	*message = (struct device_message){ .unit = -1 };
	while (unit < devices->net->n && !devices->net->interfaces[unit].kind)
		unit++;
	if (unit < devices->net->n) {
		interface = devices->net->interfaces + unit;
		message->unit = unit;
		message->plugged = devices->net_asked[unit];
		message->mtu = interface->mtu;
		memcpy(message->mac, interface->mac, NET_MAC);
		snprintf(message->text, sizeof(message->text), "%s", interface->wanted);
	}
	reply(client, message);
}

/* The server tells its own story, if it cannot begin, where the client's user sees it. */
static void add_interface(struct devices *devices, struct device_client *client,
			  const struct device_message *message, const int *passed)
{
	const char *why = NULL;
	int unit;

	unit = net_plug(devices->net, devices->guest, message, passed, &client->told, &why);
	if (unit < 0)
		refuse(client, why);
	else
		client->net = unit;
}

/* The server of a new interface is ready, or never will be. */
static void server_has_begun(struct devices *devices, struct device_client *client)
{
	struct device_message message = { .unit = client->net };
	char byte;
	bool ready = read(client->told, &byte, 1) == 1;

	close(client->told);
	client->told = -1;
	if (ready) {
		devices->net->interfaces[client->net].ready = true;
		reply(client, &message);
		return;
	}
	refuse(client, "no network was added");
	drop_interface(devices, client->net);
	client->net = -1;
}

static void begin_to_hold(struct devices *devices, struct device_client *client)
{
	if (!hold_begin(&devices->hold)) {
		refuse(client, devices->hold.management->held ?
		       "a backup of this guest is being made" :
		       "the guest is paused: resume it first");
		return;
	}
	devices->holder = client;
	devices->held = false;
}

static void serve(struct devices *devices, struct device_client *client,
		  struct device_message *message, int *passed)
{
	unsigned int order = message->order;
	int unit = message->unit;

	switch (order) {
	case DEVICES_DISK_ADD:
		add_disk(devices, client, message, passed);
		return;
	case DEVICES_DISK_GET:
		get_disk(devices, client, message);
		return;
	case DEVICES_NET_ADD:
		add_interface(devices, client, message, passed);
		return;
	case DEVICES_NET_GET:
		get_interface(devices, client, message);
		return;
	case DEVICES_HOLD:
		begin_to_hold(devices, client);
		return;
	case DEVICES_RELEASE:
		if (devices->holder == client)
			hold_end(&devices->hold);
		return;
	case DEVICES_DISK_DROP:
		drop_disk(devices, unit);
		client->disk = -1;
		break;
	case DEVICES_DISK_KEEP:
		client->disk = -1;
		break;
	case DEVICES_NET_DROP:
		drop_interface(devices, unit);
		client->net = -1;
		break;
	case DEVICES_NET_KEEP:
		client->net = -1;
		break;
	default:
		refuse(client, "not a request of this version");
		return;
	}
	*message = (struct device_message){ .unit = unit };
	reply(client, message);
}

static void hear_client(struct devices *devices, struct device_client *client)
{
	int passed[DEVICES_PASSED];
	struct device_message message;
	size_t i;

	if (device_receive(client->fd, &message, passed))
		serve(devices, client, &message, passed);
	else
		close_client(devices, client);
	for (i = 0; i < DEVICES_PASSED; i++)
		if (passed[i] >= 0)
			close(passed[i]);
}

static void take_client(struct devices *devices)
{
	int fd = accept4(devices->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	size_t i;

	for (i = 0; fd >= 0 && i < DEVICES_CLIENTS; i++) {
		if (devices->clients[i].fd >= 0)
			continue;
		devices->clients[i].fd = fd;
		return;
	}
	if (fd >= 0)
		close(fd);
}

/* Who asked for a hold waits for two things: that the guest stands still, and that it goes on. */
static void move_hold(struct devices *devices)
{
	struct hold *hold = &devices->hold;
	struct device_message message = { .unit = -1, .ms = hold->ms };

	hold_move(hold);
	if (!devices->holder)
		return;
	if (hold->state == HOLD_HELD && !devices->held) {
		devices->held = true;
		reply(devices->holder, &message);
	} else if (hold->state == HOLD_NONE) {
		message.ms = hold->ms;
		if (*hold->why)
			refuse(devices->holder, hold->why);
		else
			reply(devices->holder, &message);
		devices->holder = NULL;
	}
}

/** devices_poll - what to wait for */
void devices_poll(const struct devices *devices, struct pollfd fds[DEVICES_FDS])
{
	size_t i;

	fds[0] = (struct pollfd){ .fd = devices->line, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = devices->listener, .events = POLLIN };
	for (i = 0; i < DEVICES_CLIENTS; i++) {
		fds[2 + 2 * i] = (struct pollfd){ devices->clients[i].fd, POLLIN, 0 };
		fds[3 + 2 * i] = (struct pollfd){ devices->clients[i].told, POLLIN, 0 };
	}
}

/** devices_move - do what poll() found for devices_poll(); after mconsole_relay_move() */
void devices_move(struct devices *devices, const struct pollfd fds[DEVICES_FDS])
{
	size_t i;

	if (fds[0].revents)
		hear_kernel(devices);
	for (i = 0; i < DEVICES_CLIENTS; i++) {
		struct device_client *client = devices->clients + i;

		if (fds[3 + 2 * i].revents)
			server_has_begun(devices, client);
		if (fds[2 + 2 * i].revents)
			hear_client(devices, client);
	}
	if (fds[1].revents)
		take_client(devices);
	move_hold(devices);
}

/** devices_wait - whether something is to be done before long, whatever poll() finds */
bool devices_wait(const struct devices *devices)
{
	return devices->hold.state != HOLD_NONE && devices->hold.state != HOLD_HELD;
}
