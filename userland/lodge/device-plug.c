// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "device-plug.h"
#include "error.h"
#include "mconsole.h"
#include "rundir.h"
#include "util.h"

#define START_MS 10000
#define START_PAUSE_MS 20
/* The guest's udev looks at each new disk, and has it open then. */
#define OPEN_MS 1000
#define OPEN_PAUSE_MS 50

const struct device_kind device_disks = {
	DEVICES_DISK_ADD, DEVICES_DISK_KEEP, DEVICES_DISK_DROP, DEVICES_DISK_GET,
	"ubd", true, "=@host",
};

const struct device_kind device_nets = {
	DEVICES_NET_ADD, DEVICES_NET_KEEP, DEVICES_NET_DROP, DEVICES_NET_GET,
	"vec", false, ":transport=host",
};

static void pause_ms(int ms)
{
	const struct timespec pause = { .tv_nsec = ms * 1000000L };

	nanosleep(&pause, NULL);
}

/** device_name - what a device is called in the guest; the caller frees */
char *device_name(const struct device_kind *kind, int unit)
{
	return kind->lettered ? xasprintf("%s%c", kind->prefix, 'a' + unit) :
				xasprintf("%s%d", kind->prefix, unit);
}

static void ask(int fd, const char *guest, unsigned int order, int unit,
		struct device_message *answer)
{
	*answer = (struct device_message){ .order = order, .unit = unit };
	device_ask(fd, guest, answer, NULL, 0);
}

/*
 * Have the guest's kernel take what it was offered. Returns what it says if it does not; the
 * caller frees.
 */
static char *plug(int fd, const char *guest, const struct device_kind *kind, const char *name,
		  int unit)
{
	char *order cleanup_free = xasprintf("config %s%s", name, kind->config);
	long long end = now_ms() + START_MS;
	struct device_message message;
	char *why;

	while (!mconsole_ask(guest, order, &why)) {
		/* It was starting, and has asked by itself. */
		if (strstr(why, "already configured")) {
			ask(fd, guest, kind->get, unit, &message);
			if (message.plugged)
				break;
			return why;
		}
		if (!strstr(why, "is starting") || now_ms() >= end)
			return why;
		free(why);
		pause_ms(START_PAUSE_MS);
	}
	free(why);
	return NULL;
}

/**
 * device_add - add a device to the guest whose directory was entered, and print its name
 * @fd: of device_connect()
 * @guest: name
 * @kind: of the device
 * @message: which describes it
 * @passed: descriptors that belong to it, as for device_ask()
 * @n: how many
 *
 * Ends the program on failure.
 */
void device_add(int fd, const char *guest, const struct device_kind *kind,
		struct device_message *message, int *passed, size_t n)
{
	char *name cleanup_free = NULL, *why cleanup_free = NULL;
	struct device_message answer;
	int unit;

	message->order = kind->add;
	device_ask(fd, guest, message, passed, n);
	unit = message->unit;
	name = device_name(kind, unit);
	why = plug(fd, guest, kind, name, unit);
	ask(fd, guest, why ? kind->drop : kind->keep, unit, &answer);
	if (why)
		die_guest(guest, NULL, "%s: %s", name, why);
	puts(name);
}

/* Returns what the guest's kernel says if it does not; the caller frees. */
static char *unplug(const char *guest, const char *name)
{
	char *order cleanup_free = xasprintf("remove %s", name);
	char *why;
	int ms;

	for (ms = 0; !mconsole_ask(guest, order, &why); ms += OPEN_PAUSE_MS) {
		if (!strstr(why, "open") || ms >= OPEN_MS)
			return why;
		free(why);
		pause_ms(OPEN_PAUSE_MS);
	}
	free(why);
	return NULL;
}

/** device_remove - take a device from a guest; ends the program on failure */
void device_remove(const char *guest, const struct device_kind *kind, int unit)
{
	char *name cleanup_free = device_name(kind, unit);
	char *why cleanup_free = NULL;
	struct device_message answer;
	bool known;
	int fd;

	full_guest_enter(guest);
	fd = device_connect(guest);
	ask(fd, guest, kind->get, unit, &answer);
	known = answer.unit == unit;
	why = unplug(guest, name);
	/* One that its kernel has lost is lodge's still. */
	if (why && !(known && strstr(why, "exist")))
		die_guest(guest, NULL, "%s: %s", name, why);
	ask(fd, guest, kind->drop, unit, &answer);
	close(fd);
}

/**
 * device_next - go through a guest's devices
 * @fd: of device_connect()
 * @guest: name
 * @kind: of the devices
 * @message: the last one, @unit -1 before the first; becomes the next
 *
 * Return: whether there is one.
 */
bool device_next(int fd, const char *guest, const struct device_kind *kind,
		 struct device_message *message)
{
	ask(fd, guest, kind->get, message->unit + 1, message);
	return message->unit >= 0;
}
