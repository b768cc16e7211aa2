// SPDX-License-Identifier: GPL-2.0
/* lodge disk: disks of full guests that run. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "action.h"
#include "devices.h"
#include "error.h"
#include "lodge.h"
#include "mconsole.h"
#include "report.h"
#include "rundir.h"
#include "table.h"
#include "util.h"

/* The guest's udev looks at each new disk, and has it open then. */
#define PATIENCE_MS 1000
#define PAUSE_MS 50

static char **parse(int argc, char **argv, bool *json)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "json", no_argument, NULL, OPT_LONG_ONLY },
		{ 0 }
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		if (opt == 'h') {
			puts(cmd_disk.usage);
			exit(0);
		}
		if (opt != OPT_LONG_ONLY || !json)
			die_usage("disk", NULL);
		*json = true;
	}
	return argv + optind;
}

static char letter(int unit)
{
	return 'a' + unit;
}

/* ubdb, /dev/ubdb or ubd1. */
static int parse_unit(const char *text)
{
	const char *name = starts_with(text, "/dev/") ? text + strlen("/dev/") : text;
	int unit = -1, end = 0;
	char which;

	if (sscanf(name, "ubd%2d%n", &unit, &end) == 1 && !name[end])
		;
	else if (sscanf(name, "ubd%c%n", &which, &end) == 1 && end && !name[end])
		unit = which - 'a';
	if (unit < 0 || unit >= DISKS_MAX)
		die("disk: %s: not a disk: they are ubda to ubd%c", text, letter(DISKS_MAX - 1));
	return unit;
}

static int add_main(int argc, char **argv)
{
	char *why cleanup_free = NULL, *order cleanup_free = NULL;
	int here cleanup_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	static const char *const wanted[] = { "NAME", "FILE", NULL };
	char **args = parse(argc, argv, NULL);
	struct device_message message;
	int passed[DEVICES_PASSED], fd, unit;
	struct disk disk;

	action_expect(&cmd_disk, args, "add", wanted);
	full_guest_enter(args[0]);
	fd = device_connect(args[0]);
	if (here < 0 || fchdir(here))
		die_errno(errno, ".");
	disk_open(&disk, "disk add", args[1], NULL);
	if (!disk_lock(&disk))
		die("disk add: %s: is in use by another guest, or by a tool that changes it",
		    disk.cow ? disk.cow : disk.file);
	message = (struct device_message){ .order = DEVICES_DISK_ADD };
	device_disk_message(&message, &disk);
	passed[0] = disk.fd;
	passed[1] = disk.cow_fd;
	device_ask(fd, args[0], &message, passed, disk.cow ? 2 : 1);
	unit = message.unit;
	order = xasprintf("config ubd%d=@host", unit);
	message = (struct device_message){ .order = DEVICES_DISK_GET, .unit = unit };
	full_guest_enter(args[0]);
	if (!device_plug(fd, args[0], order, &message, &why)) {
		message = (struct device_message){ .order = DEVICES_DISK_DROP, .unit = unit };
		device_ask(fd, args[0], &message, NULL, 0);
		die_guest(args[0], NULL, "ubd%c: %s", letter(unit), why);
	}
	message = (struct device_message){ .order = DEVICES_DISK_KEEP, .unit = unit };
	device_ask(fd, args[0], &message, NULL, 0);
	printf("ubd%c\n", letter(unit));
	disk_close(&disk);
	close(fd);
	return 0;
}

/* Returns what the guest's kernel says if it does not; the caller frees. */
static char *remove_from_kernel(const char *guest, int unit)
{
	char *order cleanup_free = xasprintf("remove ubd%d", unit);
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };
	char *answer;
	int ms;

	for (ms = 0; !mconsole_ask(guest, order, &answer); ms += PAUSE_MS) {
		if (!strstr(answer, "open") || ms >= PATIENCE_MS)
			return answer;
		free(answer);
		nanosleep(&pause, NULL);
	}
	free(answer);
	return NULL;
}

static int remove_main(int argc, char **argv)
{
	char *why cleanup_free = NULL;
	static const char *const wanted[] = { "NAME", "DISK", NULL };
	char **args = parse(argc, argv, NULL);
	struct device_message message = { .order = DEVICES_DISK_GET };
	int fd, unit;
	bool known;

	action_expect(&cmd_disk, args, "remove", wanted);
	unit = parse_unit(args[1]);
	full_guest_enter(args[0]);
	fd = device_connect(args[0]);
	message.unit = unit;
	device_ask(fd, args[0], &message, NULL, 0);
	known = message.unit == unit;
	why = remove_from_kernel(args[0], unit);
	/* One that its kernel has lost is lodge's still. */
	if (why && !(known && strstr(why, "exist")))
		die_guest(args[0], NULL, "ubd%c: %s", letter(unit), why);
	message = (struct device_message){ .order = DEVICES_DISK_DROP, .unit = unit };
	device_ask(fd, args[0], &message, NULL, 0);
	close(fd);
	return 0;
}

/* Returns whether there is one from this unit on. */
static bool next_disk(int fd, const char *guest, struct device_message *message)
{
	*message = (struct device_message){
		.order = DEVICES_DISK_GET, .unit = message->unit + 1,
	};
	device_ask(fd, guest, message, NULL, 0);
	return message->unit >= 0;
}

static void print_json(int fd, const char *guest)
{
	struct json_object *list = json_object_new_array(), *disk;
	struct device_message m = { .unit = -1 };
	char name[] = "ubda";

	while (next_disk(fd, guest, &m)) {
		name[3] = letter(m.unit);
		disk = json_object_new_object();
		json_object_object_add(disk, "name", json_object_new_string(name));
		json_object_object_add(disk, "size", json_object_new_uint64(m.size));
		json_object_object_add(disk, "readonly", json_object_new_boolean(m.readonly));
		json_object_object_add(disk, "file", json_object_new_string(m.text));
		json_object_object_add(disk, "cow",
				       *m.more ? json_object_new_string(m.more) : NULL);
		json_object_array_add(list, disk);
	}
	report_print_json(list);
}

static void print_table(int fd, const char *guest)
{
	static const char *const heads[] = { "DISK", "SIZE", "MODE", "FILE", "COW" };
	struct table table = { .columns = ARRAY_SIZE(heads), .right = "lrlll" };
	struct device_message m = { .unit = -1 };
	char name[] = "ubda";
	size_t i;

	for (i = 0; i < ARRAY_SIZE(heads); i++)
		table_add(&table, heads[i]);
	while (next_disk(fd, guest, &m)) {
		name[3] = letter(m.unit);
		table_add(&table, name);
		table_add_size(&table, m.size);
		table_add(&table, m.readonly ? "ro" : "rw");
		table_add(&table, m.text);
		table_add(&table, *m.more ? m.more : "-");
	}
	table_print(&table);
}

static int ls_main(int argc, char **argv)
{
	static const char *const wanted[] = { "NAME", NULL };
	bool json = false;
	char **args = parse(argc, argv, &json);
	int fd;

	action_expect(&cmd_disk, args, "ls", wanted);
	full_guest_enter(args[0]);
	fd = device_connect(args[0]);
	if (json)
		print_json(fd, args[0]);
	else
		print_table(fd, args[0]);
	close(fd);
	return 0;
}

static int disk_main(int argc, char **argv)
{
	static const struct action actions[] = {
		{ "add", add_main },
		{ "ls", ls_main },
		{ "remove", remove_main },
		{ 0 }
	};

	return action_run(&cmd_disk, actions, "", argc, argv);
}

const struct command cmd_disk = {
	.name = "disk",
	.run = disk_main,
	.summary = "add and remove disks of a full guest that runs",
	.usage =
	"Usage: lodge disk add NAME FILE[,ro][,cow=FILE]\n"
	"       lodge disk remove NAME DISK\n"
	"       lodge disk ls [--json] NAME\n"
	"Add a disk, an image or a device, to a full guest that runs, and print what it is called\n"
	"there; with cow=FILE, what changes is put there. A disk that is in use in there is not\n"
	"removed. What is added lasts as long as the guest, also when it reboots.\n\n"
	"      --json             as JSON, sizes in bytes\n"
	"  -h, --help             show this",
};
