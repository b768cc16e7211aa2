// SPDX-License-Identifier: GPL-2.0
/* lodge run: a guest for one command. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "control.h"
#include "error.h"
#include "guests.h"
#include "hostgroup.h"
#include "keyvals.h"
#include "lodge.h"
#include "processes.h"
#include "settings.h"
#include "supervise.h"
#include "swapfile.h"
#include "util.h"

#define NAME_TRIES 100
#define PAUSE_MS 5
#define LINGER_MS 100
#define GOING_MS 10000

enum { OPT_CGROUP = OPT_SETTINGS_END, OPT_KEEP, OPT_KILL };

static const struct option options[] = {
	{ "cgroup", no_argument, NULL, OPT_CGROUP },
	{ "help", no_argument, NULL, 'h' },
	{ "join", required_argument, NULL, 'j' },
	{ "keep", no_argument, NULL, OPT_KEEP },
	{ "kill", no_argument, NULL, OPT_KILL },
	{ "name", required_argument, NULL, 'n' },
	{ "quiet", no_argument, NULL, 'q' },
	{ 0 }
};

/* One run: what was asked for, and what has been made so far. */
static struct run {
	struct settings settings;
	char **command;
	char *guest;
	bool named, join, cgroup, keep, kill, quiet;

	pid_t owner;
	bool made_guest;
	pid_t child;
	int child_waits;
	struct swapfile swap;
	struct hostgroup group;
	unsigned long long kills;
} run = { .child_waits = -1, .group = HOSTGROUP_NONE };

static void parse(int argc, char **argv)
{
	int opt;

	while ((opt = settings_getopt(&run.settings, argc, argv, "+hj:m:n:q", options)) >= 0) {
		switch (opt) {
		case OPT_CGROUP:
			run.cgroup = true;
			break;
		case OPT_KEEP:
			run.keep = true;
			break;
		case OPT_KILL:
			run.kill = true;
			break;
		case 'h':
			puts(cmd_run.usage);
			exit(0);
		case 'j':
			run.join = true;
			run.guest = optarg;
			break;
		case 'n':
			run.named = true;
			run.guest = optarg;
			break;
		case 'q':
			run.quiet = true;
			break;
		default:
			die_usage("run", NULL);
		}
	}
	run.command = argv + optind;
	if (!*run.command)
		die_usage("run", "no command to run");
	if (run.join && (run.named || run.settings.n || run.cgroup || run.keep))
		die_usage("run", "--join takes a guest as it is: only -q and --kill go with it");
}

static void pause_ms(int ms)
{
	const struct timespec time = { .tv_nsec = ms * 1000000L };

	nanosleep(&time, NULL);
}

/* Runs at every exit before the command has started, and leaves nothing behind. */
static void undo(void)
{
	char *why = NULL;

	if (getpid() != run.owner)
		return;
	/* The child waits for a word on this socket; the end of the socket ends it. */
	if (run.child_waits >= 0)
		close(run.child_waits);
	if (run.child > 0)
		while (waitpid(run.child, NULL, 0) < 0 && errno == EINTR)
			;
	if (run.made_guest && control_remove_ended(run.guest, &why))
		warn_guest(run.guest, NULL, "could not be removed: %s", why);
	free(why);
	swapfile_unlink(&run.swap);
	hostgroup_remove(&run.group);
}

static void make_guest(void)
{
	int err, tries = run.named ? 1 : NAME_TRIES;
	char *why;

	for (;;) {
		err = control_create(run.guest, &why);
		if (!err)
			break;
		if (err != -EEXIST || !--tries)
			die_guest(run.guest, NULL, "%s", why);
		free(why);
		run.guest = guest_new_name(run.command[0]);
	}
	run.made_guest = true;
	if (!run.keep && control_write(run.guest, "autoremove", "1", &why))
		die_guest(run.guest, "autoremove", "%s", why);
}

static void bind_self(void)
{
	char *why;

	if (control_write(run.guest, "procs", "0", &why))
		die_guest(run.guest, "procs", "%s", why);
}

/* The child: bind, say so, wait until the limits are set, become the command. */
static noreturn void become_command(int ready, int go, const struct signals *saved)
{
	char byte = 0;
	int err;

	bind_self();
	hostgroup_enter(&run.group, run.guest);
	if (write(ready, &byte, 1) != 1 || read(go, &byte, 1) != 1)
		_exit(STATUS_RUN_FAILED);
	signals_restore(saved);
	execvp(run.command[0], run.command);
	err = errno;
	warn_guest(run.guest, run.command[0], "%s",
		   err == ENOENT ? "command not found" : strerror(err));
	_exit(err == ENOENT ? STATUS_NOT_FOUND : STATUS_CANNOT_RUN);
}

/*
 * The child binds itself before anything that may take long: from then on the guest has a
 * process, and goes with it, whenever and however lodge ends.
 */
static void start_child(const struct signals *saved)
{
	int ready[2], go[2];
	char byte;

	if (pipe2(ready, O_CLOEXEC) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, go))
		die_errno(errno, "pipe");
	fflush(NULL);
	run.child = fork();
	if (run.child < 0)
		die_errno(errno, "fork");
	if (!run.child) {
		close(ready[0]);
		close(go[1]);
		become_command(ready[1], go[0], saved);
	}
	close(ready[1]);
	close(go[0]);
	run.child_waits = go[1];
	/* The child has said what went wrong if it ends here. */
	if (read(ready[0], &byte, 1) != 1)
		exit(STATUS_RUN_FAILED);
	close(ready[0]);
}

static void release_child(void)
{
	if (send(run.child_waits, "", 1, MSG_NOSIGNAL) != 1)
		die_guest(run.guest, NULL, "the command's process was killed before it started");
	close(run.child_waits);
	run.child_waits = -1;
}

/* How many processes outlived the command; waits for the guest to go if it is about to. */
static size_t linger(void)
{
	struct pids pids;
	size_t n;
	int ms;

	for (ms = 0; ms < GOING_MS; ms += PAUSE_MS) {
		if (!control_exists(run.guest))
			return 0;
		n = pids_read(&pids, run.guest) ? 0 : pids.n;
		pids_free(&pids);
		if (n && ms >= LINGER_MS)
			return n;
		if (!n && (run.keep || run.join))
			return 0;
		pause_ms(PAUSE_MS);
	}
	return 0;
}

static int open_file(const char *file, int flags)
{
	char *path cleanup_free = control_path(run.guest, file);

	return open(path, flags | O_CLOEXEC);
}

/* The guest's own out-of-memory kills. */
static bool note_kills(int events)
{
	static const char key[] = "\noom_kill ";
	char text[1024] = "\n";
	char *found;

	if (events < 0 || pread(events, text + 1, sizeof(text) - 2, 0) <= 0)
		return false;
	found = strstr(text, key);
	if (found)
		run.kills = strtoull(found + strlen(key), NULL, 10);
	return true;
}

static void finish(void)
{
	size_t left;

	if (run.kill) {
		left = processes_end(run.guest);
		if (left)
			warn_guest(run.guest, "procs", "%zu processes do not end", left);
	}
	left = linger();
	if (left && !run.kill && !run.quiet)
		warn_guest(run.guest, "procs", "kept by %zu that outlived the command", left);
	hostgroup_remove(&run.group);
}

static int run_main(int argc, char **argv)
{
	int events cleanup_fd = -1, hold = -1;
	struct signals saved;
	const char *value;
	int status;

	error_set_status(STATUS_RUN_FAILED);
	parse(argc, argv);
	if (run.join)
		guest_check_exists(run.guest);
	else if (!run.named)
		run.guest = guest_new_name(run.command[0]);
	guest_check_name(run.guest);
	settings_check(&run.settings, run.guest);
	control_root();

	signals_hold(&saved);
	run.owner = getpid();
	atexit(undo);
	value = settings_get(&run.settings, "memory.swap.file");
	if (value) {
		swapfile_prepare(&run.swap, run.guest, value);
		settings_add(&run.settings, "memory.swap.file", run.swap.path);
	}
	if (!run.join)
		make_guest();
	if (run.cgroup) {
		value = settings_get(&run.settings, "memory.max");
		hostgroup_create(&run.group, run.guest, value ? value : "max");
	}
	start_child(&saved);
	if (settings_apply(&run.settings, run.guest, false))
		exit(STATUS_RUN_FAILED);
	/* The guest has it open: without a name it is gone with the guest, whoever is killed. */
	if (run.keep)
		run.swap.created = false;
	swapfile_unlink(&run.swap);
	if (!run.quiet && !run.join) {
		events = open_file("memory.events", O_RDONLY);
		/* Or it may be gone with its last process before that is read. */
		hold = open_file("autoremove", O_WRONLY);
	}
	release_child();
	run.made_guest = false;

	status = supervise(run.child, events, note_kills);
	run.child = 0;
	note_kills(events);
	if (hold >= 0)
		close(hold);
	if (run.kills)
		warn_guest(run.guest, "memory.events",
			   "%llu killed: the pool and all behind it was full", run.kills);
	finish();
	return status;
}

const struct command cmd_run = {
	.name = "run",
	.run = run_main,
	.summary = "run a command in a guest of its own",
	.usage =
	"Usage: lodge run [OPTION]... [--] COMMAND [ARG]...\n"
	"Make a guest, run COMMAND in it, and pass signals and the exit status on.\n\n"
	SETTINGS_USAGE
	"  -n, --name NAME        name of the guest; made up if not given\n"
	"  -j, --join NAME        run in a guest that exists, with its limits\n"
	"      --cgroup           also limit what the guest passes through to the host,\n"
	"                         by a cgroup v2 of the host with the same memory.max\n"
	"      --kill             when COMMAND ends, end what it has left running\n"
	"      --keep             keep the guest (and a new swap file) afterwards\n"
	"  -q, --quiet            say nothing but errors\n"
	"  -h, --help             show this\n\n"
	"Sizes are bytes, or have K, M, G or T behind them. The exit status is COMMAND's,\n"
	"128+N if signal N ended it, 127 if it was not found, 126 if it could not be run,\n"
	"125 if lodge itself failed.",
};
