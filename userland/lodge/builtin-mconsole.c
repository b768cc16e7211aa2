// SPDX-License-Identifier: GPL-2.0
/* lodge mconsole, halt, pause, resume, kill: what is done to a full guest from outside. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "error.h"
#include "guest-arguments.h"
#include "lodge.h"
#include "mconsole.h"
#include "rundir.h"
#include "util.h"

#define HALT_S 60
#define KILL_S 10
#define START_S 10
#define PAUSE_MS 20

static const struct option options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ 0 }
};

/* For commands without options of their own. Returns the index of the first argument. */
static int parse(int argc, char **argv, const struct command *command)
{
	int opt;

	while ((opt = getopt_long(argc, argv, "+h", options, NULL)) >= 0) {
		if (opt != 'h')
			die_usage(command->name, NULL);
		puts(command->usage);
		exit(0);
	}
	if (optind == argc)
		die_usage(command->name, "no guest named");
	return optind;
}

/* Returns whether it did as it was told; says so if not. */
static bool tell(const char *guest, const char *text)
{
	char *answer cleanup_free = NULL;

	if (mconsole_ask(guest, text, &answer))
		return true;
	warn_guest(guest, NULL, "%s", answer);
	return false;
}

static bool enter(const char *guest, bool described)
{
	if (described)
		return rundir_enter(guest);
	full_guest_enter(guest);
	return true;
}

static int tell_each(int argc, char **argv, const struct command *command, const char *text)
{
	struct guests guests;
	int status = 0;
	bool described;
	size_t i;

	described = guests_from_arguments(&guests, argc, argv, command, rundir_exists);
	for (i = 0; i < guests.n; i++) {
		if (enter(guests.names[i], described) && !tell(guests.names[i], text))
			status = error_status();
	}
	guests_free(&guests);
	return status;
}

static void pause_ms(void)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };

	nanosleep(&pause, NULL);
}

static bool wait_for_end(int seconds)
{
	int ms;

	for (ms = 0; ms < seconds * 1000; ms += PAUSE_MS) {
		if (!rundir_runs())
			return true;
		pause_ms();
	}
	return false;
}

static int mconsole_main(int argc, char **argv)
{
	char *text cleanup_free = xstrdup("");
	char *answer cleanup_free = NULL;
	const char *guest, *shown;
	char *longer;
	bool good;
	int i;

	i = parse(argc, argv, &cmd_mconsole);
	guest = argv[i++];
	if (i == argc)
		die_usage("mconsole", "no command: try 'help'");
	full_guest_enter(guest);
	for (; i < argc; i++) {
		longer = xasprintf("%s%s%s", text, *text ? " " : "", argv[i]);
		free(text);
		text = longer;
	}
	good = mconsole_ask(guest, text, &answer);
	if (!good)
		die_guest(guest, text, "%s", answer);
	/* A file begins on a line of its own, for clients that say "OK" in front. */
	shown = answer + (*answer == '\n');
	if (*shown)
		printf("%s%s", shown, shown[strlen(shown) - 1] == '\n' ? "" : "\n");
	return 0;
}

static int pause_main(int argc, char **argv)
{
	return tell_each(argc, argv, &cmd_pause, "stop");
}

static int resume_main(int argc, char **argv)
{
	return tell_each(argc, argv, &cmd_resume, "go");
}

/* The pid is the guest's as long as its launcher holds the lock and has not seen it end. */
static void kill_guest(const char *guest, const char *why)
{
	int fd cleanup_fd = -1;
	pid_t pid;
	int mark;

	pid = rundir_number(RUNDIR_PID);
	if (pid > 1)
		fd = syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0 || !rundir_runs())
		return;
	mark = open(why, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (mark >= 0)
		close(mark);
	if (syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) && errno != ESRCH)
		die_guest(guest, NULL, "%s", strerror(errno));
}

/*
 * Init was told; wait until it has shut down. To most of them Ctrl-Alt-Del means a reboot, and
 * what has come up again is ended.
 */
static bool wait_for_halt(const char *guest, unsigned long long boot, long long end)
{
	do {
		if (!rundir_runs())
			return true;
		if (mconsole_boot_id() && mconsole_boot_id() != boot) {
			kill_guest(guest, RUNDIR_HALTED);
			return wait_for_end(KILL_S);
		}
		pause_ms();
	} while (now_ms() < end);
	return false;
}

/* A guest that is to be halted, by its process: its name may be another's before long. */
struct halting {
	pid_t pid;
	unsigned long long boot;
};

/* One that has just been started listens before long. */
static bool tell_to_halt(const char *guest, struct halting *halting)
{
	char *answer cleanup_free = NULL;
	int ms;

	halting->pid = rundir_number(RUNDIR_PID);
	for (ms = 0; ms < START_S * 1000 && rundir_runs(); ms += PAUSE_MS) {
		halting->boot = mconsole_boot_id();
		if (halting->boot)
			break;
		pause_ms();
	}
	if (mconsole_ask(guest, "cad", &answer) || !rundir_runs())
		return true;
	warn_guest(guest, NULL, "%s", answer);
	return false;
}

static bool has_gone(const char *guest, const struct halting *halting)
{
	return !rundir_enter(guest) || (pid_t)rundir_number(RUNDIR_PID) != halting->pid;
}

static int halt_main(int argc, char **argv)
{
	struct halting *list cleanup_free = NULL;
	struct guests guests;
	int status = 0;
	bool described;
	long long end;
	size_t i;

	described = guests_from_arguments(&guests, argc, argv, &cmd_halt, rundir_exists);
	list = xcalloc(guests.n, sizeof(*list));
	/* All are told before any is waited for. */
	for (i = 0; i < guests.n; i++) {
		if (!enter(guests.names[i], described) ||
		    tell_to_halt(guests.names[i], list + i))
			continue;
		list[i].boot = 0;
		status = error_status();
	}
	end = now_ms() + HALT_S * 1000LL;
	for (i = 0; i < guests.n; i++) {
		if (!list[i].boot || has_gone(guests.names[i], list + i) ||
		    wait_for_halt(guests.names[i], list[i].boot, end))
			continue;
		warn_guest(guests.names[i], NULL,
			   "still runs after %d s: 'lodge kill' ends it at once", HALT_S);
		status = error_status();
	}
	guests_free(&guests);
	return status;
}

static int kill_main(int argc, char **argv)
{
	struct guests guests;
	int status = 0;
	bool described;
	size_t i;

	described = guests_from_arguments(&guests, argc, argv, &cmd_kill, rundir_exists);
	for (i = 0; i < guests.n; i++) {
		if (!enter(guests.names[i], described))
			continue;
		kill_guest(guests.names[i], RUNDIR_KILLED);
		if (wait_for_end(KILL_S))
			continue;
		warn_guest(guests.names[i], NULL, "its launcher does not end");
		status = error_status();
	}
	guests_free(&guests);
	return status;
}

const struct command cmd_mconsole = {
	.name = "mconsole",
	.run = mconsole_main,
	.summary = "talk to the kernel of a full guest",
	.usage =
	"Usage: lodge mconsole NAME COMMAND [ARG]...\n"
	"Have the kernel of a full guest do something, and print what it answers: version,\n"
	"help, stop, go, cad, halt, reboot, sysrq, proc, stack, log, config, remove.\n\n"
	"  -h, --help             show this",
};

const struct command cmd_halt = {
	.name = "halt",
	.run = halt_main,
	.summary = "have full guests shut down",
	.usage =
	"Usage: lodge halt NAME...\n"
	"       lodge halt --file FILE\n"
	"Ask the init of full guests to shut down, and wait until they have. A guest that runs\n"
	"one command ends that with SIGTERM.\n\n"
	"  -f, --file FILE        all guests that run of those that FILE describes\n"
	"  -h, --help             show this",
};

const struct command cmd_pause = {
	.name = "pause",
	.run = pause_main,
	.summary = "freeze full guests",
	.usage =
	"Usage: lodge pause NAME...\n"
	"       lodge pause --file FILE\n"
	"Stop full guests where they are, until 'lodge resume'.\n\n"
	"  -f, --file FILE        all guests that run of those that FILE describes\n"
	"  -h, --help             show this",
};

const struct command cmd_resume = {
	.name = "resume",
	.run = resume_main,
	.summary = "let paused full guests go on",
	.usage =
	"Usage: lodge resume NAME...\n"
	"       lodge resume --file FILE\n"
	"Let full guests go on that 'lodge pause' has stopped.\n\n"
	"  -f, --file FILE        all guests that run of those that FILE describes\n"
	"  -h, --help             show this",
};

const struct command cmd_kill = {
	.name = "kill",
	.run = kill_main,
	.summary = "end full guests at once",
	.usage =
	"Usage: lodge kill NAME...\n"
	"       lodge kill --file FILE\n"
	"End full guests without asking them. What they have not written is lost.\n\n"
	"  -f, --file FILE        all guests that run of those that FILE describes\n"
	"  -h, --help             show this",
};
