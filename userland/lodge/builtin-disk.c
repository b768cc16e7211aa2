// SPDX-License-Identifier: GPL-2.0
/* lodge disk: disks of full guests that run. */
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
#include "report.h"
#include "rundir.h"
#include "table.h"
#include "util.h"

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
		die("disk: %s: not a disk: they are ubda to ubd%c", text, 'a' + DISKS_MAX - 1);
	return unit;
}

static int add_main(int argc, char **argv)
{
	int here cleanup_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	static const char *const wanted[] = { "NAME", "FILE", NULL };
	char **args = parse(argc, argv, NULL);
	struct device_message message = { 0 };
	int passed[DEVICES_PASSED], fd;
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
	device_disk_message(&message, &disk);
	passed[0] = disk.fd;
	passed[1] = disk.cow_fd;
	full_guest_enter(args[0]);
	device_add(fd, args[0], &device_disks, &message, passed, disk.cow ? 2 : 1);
	disk_close(&disk);
	close(fd);
	return 0;
}

static int remove_main(int argc, char **argv)
{
	static const char *const wanted[] = { "NAME", "DISK", NULL };
	char **args = parse(argc, argv, NULL);

	action_expect(&cmd_disk, args, "remove", wanted);
	device_remove(args[0], &device_disks, parse_unit(args[1]));
	return 0;
}

static void print_json(int fd, const char *guest)
{
	struct json_object *list = json_object_new_array(), *disk;
	struct device_message m = { .unit = -1 };

	while (device_next(fd, guest, &device_disks, &m)) {
		char *name cleanup_free = device_name(&device_disks, m.unit);

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
	size_t i;

	for (i = 0; i < ARRAY_SIZE(heads); i++)
		table_add(&table, heads[i]);
	while (device_next(fd, guest, &device_disks, &m)) {
		char *name cleanup_free = device_name(&device_disks, m.unit);

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
