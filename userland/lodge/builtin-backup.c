// SPDX-License-Identifier: GPL-2.0
/* lodge backup: the disks of a full guest that runs, as they are at one moment. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "backup.h"
#include "devices.h"
#include "error.h"
#include "guests.h"
#include "lodge.h"
#include "rundir.h"
#include "util.h"

#define UNFINISHED ".part"
#define NOTE "backup.txt"

/* What has to be removed if this does not get to its end: a directory, and all it can hold. */
static char *unfinished;

static void remove_unfinished(void)
{
	int dir;
	size_t i;

	if (!unfinished)
		return;
	dir = open(unfinished, O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (i = 0; i < DISKS_MAX; i++) {
		unlinkat(dir, backup_file(i, false), 0);
		unlinkat(dir, backup_file(i, true), 0);
	}
	unlinkat(dir, NOTE, 0);
	rmdir(unfinished);
	unfinished = NULL;
}

static void remove_and_end(int sig)
{
	remove_unfinished();
	signal(sig, SIG_DFL);
	raise(sig);
}

/* Where it goes, from the root directory on. */
static char *here_or(const char *given, const char *guest)
{
	char *cwd cleanup_free = getcwd(NULL, 0);
	char *name cleanup_free = NULL;
	time_t now = time(NULL);
	struct tm tm;
	char when[32], *path;
	size_t length;

	if (!cwd)
		die_errno(errno, ".");
	if (!given) {
		localtime_r(&now, &tm);
		strftime(when, sizeof(when), "%Y%m%d-%H%M%S", &tm);
		name = xasprintf("%s-%s", guest, when);
		/* As in USER/NAME. */
		if (strchr(name, '/'))
			*strchr(name, '/') = '-';
		given = name;
	}
	path = *given == '/' ? xstrdup(given) : xasprintf("%s/%s", cwd, given);
	for (length = strlen(path); length > 1 && path[length - 1] == '/'; length--)
		path[length - 1] = '\0';
	return path;
}

/* Returns the directory that is filled, open. */
static int begin(const char *path)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM, SIGQUIT };
	char *part = xasprintf("%s" UNFINISHED, path);
	struct stat st;
	size_t i;
	int dir;

	if (!lstat(path, &st))
		die("%s: is there already: a backup is a new directory", path);
	if (mkdir(part, 0700)) {
		if (errno == EEXIST)
			die("%s: a backup to there is being made, or was killed: then remove it",
			    part);
		die_errno(errno, "%s", part);
	}
	unfinished = part;
	atexit(remove_unfinished);
	for (i = 0; i < ARRAY_SIZE(signals); i++)
		signal(signals[i], remove_and_end);
	dir = open(part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		die_errno(errno, "%s", part);
	return dir;
}

/* All is on the disk before the directory has its name. */
static void finish(const char *path, int dir)
{
	char *copy cleanup_free = xstrdup(path);
	int parent cleanup_fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fsync(dir) && errno != EINVAL)
		die_errno(errno, "%s", unfinished);
	if (renameat2(AT_FDCWD, unfinished, AT_FDCWD, path, RENAME_NOREPLACE))
		die_errno(errno, "%s", path);
	unfinished = NULL;
	if (parent >= 0)
		fsync(parent);
}

static void get_disks(int fd, const char *guest, struct disks *disks)
{
	struct device_message message = { .unit = -1 };
	int passed[DEVICES_PASSED];

	for (;;) {
		message = (struct device_message){
			.order = DEVICES_DISK_GET, .unit = message.unit + 1,
		};
		memset(passed, -1, sizeof(passed));
		device_ask(fd, guest, &message, passed, 0);
		if (message.unit < 0 || message.unit >= DISKS_MAX)
			return;
		if (!device_message_disk(&message, passed, &disks->list[message.unit]))
			die_guest(guest, NULL, "half an answer");
		disks->n = message.unit + 1;
	}
}

static bool has_disks(const struct disks *disks)
{
	size_t i;

	for (i = 0; i < disks->n; i++)
		if (disks->list[i].file && !disks->list[i].readonly)
			return true;
	return false;
}

static void write_note(int dir, const char *guest, const struct disks *disks, long long ms)
{
	int fd = openat(dir, NOTE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	FILE *note = fd < 0 ? NULL : fdopen(fd, "w");
	time_t now = time(NULL);
	char when[64];
	struct tm tm;
	size_t i;

	if (!note)
		die_errno(errno, "%s/" NOTE, unfinished);
	localtime_r(&now, &tm);
	strftime(when, sizeof(when), "%F %T %z", &tm);
	fprintf(note, "guest    %s\ntime     %s\nstopped  %lld.%03lld s\n", guest, when, ms / 1000,
		ms % 1000);
	for (i = 0; i < disks->n; i++)
		if (disks->list[i].file)
			backup_describe(note, i, &disks->list[i]);
	if (fflush(note) || fsync(fd) || fclose(note))
		die_errno(errno, "%s/" NOTE, unfinished);
}

static const char *parse(int argc, char **argv, const char **given)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ 0 }
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		if (opt != 'h')
			die_usage("backup", NULL);
		puts(cmd_backup.usage);
		exit(0);
	}
	if (optind == argc)
		die_usage("backup", "no guest named");
	if (argc - optind > 2)
		die_usage("backup", "%s: one argument too many", argv[optind + 2]);
	*given = argv[optind + 1];
	return argv[optind];
}

static int backup_main(int argc, char **argv)
{
	char *path cleanup_free = NULL;
	struct device_message message = { .order = DEVICES_HOLD };
	struct disks disks = { 0 };
	const char *guest, *given;
	int fd, dir;

	guest = parse(argc, argv, &given);
	full_guest_check_name(guest);
	path = here_or(given, guest);
	full_guest_enter(guest);
	fd = device_connect(guest);
	/* The copies are those of who wants them. */
	rundir_leave();
	get_disks(fd, guest, &disks);
	if (!has_disks(&disks))
		die_guest(guest, NULL, "has no disks that it can write to");
	dir = begin(path);
	backup_say("%s: writing what it has not written yet", guest);
	device_ask(fd, guest, &message, NULL, 0);
	backup_copy(&disks, dir, unfinished);
	message = (struct device_message){ .order = DEVICES_RELEASE };
	device_ask(fd, guest, &message, NULL, 0);
	/* It runs: now there is time to wait for our own disk. */
	backup_say("%s: runs; waiting for the disk here", guest);
	backup_sync(&disks, dir, unfinished);
	write_note(dir, guest, &disks, message.ms);
	finish(path, dir);
	backup_say("%s", "");
	printf("%s: stopped for %lld.%03lld s: %s\n", guest, message.ms / 1000, message.ms % 1000,
	       path);
	return 0;
}

const struct command cmd_backup = {
	.name = "backup",
	.run = backup_main,
	.summary = "copy the disks of a full guest that runs",
	.usage =
	"Usage: lodge backup NAME [DIR]\n"
	"Copy the disks of a full guest to a new directory (here, called after the guest and the\n"
	"time). The guest writes all it has to write and stands still while its disks are\n"
	"copied, which takes no time where files can share blocks; how long that was is said.\n"
	"Of a disk with a COW file that is copied. Disks that the guest cannot write to are not.\n\n"
	"  -h, --help             show this",
};
