// SPDX-License-Identifier: GPL-2.0
/* lodge boot --file: the guests that a file describes, each with a launcher of its own. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "boot.h"
#include "description.h"
#include "error.h"
#include "launcher.h"
#include "lodge.h"
#include "notify.h"
#include "rundir.h"
#include "util.h"

/* Guests that are starting, for each CPU: more would only wait for each other. */
#define STARTING_PER_CPU 2

/**
 * struct start - a guest that is to be started
 * @guest: what it is
 * @launcher: its process, 0: not yet, or not any more
 * @up: tells when it is up; -1: it has told, or has ended
 * @is_up: it was up
 */
struct start {
	const struct section *guest;
	pid_t launcher;
	int up;
	bool is_up;
};

/**
 * struct starts - all guests of one call
 * @list: the guests
 * @n: how many
 * @begun: how many of them have been started
 * @starting: how many have been, and are not up yet
 * @failed: how many did not come up
 * @alive: how many launchers there are
 * @foreground: lodge stays until all have ended
 * @ending: they are told to
 * @status: to end with
 */
struct starts {
	struct start *list;
	size_t n, begun, starting, failed, alive;
	bool foreground, ending;
	int status;
};

static void choose(struct starts *starts, const struct description *d, const char *const *names)
{
	const char **known cleanup_free = xcalloc(d->n, sizeof(*known));
	const struct section *guest;
	const char *near;
	size_t i;

	for (starts->n = 0; names[starts->n]; starts->n++)
		;
	starts->list = xcalloc(starts->n ? starts->n : d->n, sizeof(*starts->list));
	for (i = 0; i < d->n; i++) {
		known[i] = d->guests[i].name;
		if (!starts->n)
			starts->list[i].guest = d->guests + i;
	}
	for (i = 0; i < starts->n; i++) {
		guest = description_find(d, names[i]);
		near = guest ? NULL : nearest(names[i], known, d->n);
		if (near)
			die_guest(names[i], NULL, "%s has no such guest: did you mean '%s'?",
				  d->file, near);
		if (!guest)
			die_guest(names[i], NULL, "%s has no such guest", d->file);
		starts->list[i].guest = guest;
	}
	if (!starts->n)
		starts->n = d->n;
}

/* Each in a process of its own, so that all that is wrong with all guests is said at once. */
static void check_all(const struct starts *starts)
{
	bool good = true;
	struct boot boot;
	int status;
	size_t i;
	pid_t pid;

	fflush(NULL);
	for (i = 0; i < starts->n; i++) {
		pid = fork();
		if (pid < 0)
			die_errno(errno, "fork");
		if (!pid) {
			boot_init(&boot);
			boot_describe(&boot, starts->list[i].guest);
			_exit(0);
		}
		good &= waitpid(pid, &status, 0) == pid && !status;
	}
	if (!good)
		exit(error_status());
}

static noreturn void launch(const struct section *guest, int up, bool foreground, pid_t lodge)
{
	struct boot boot;

	/* Whoever has been told to stay takes the guests with him, and gently. */
	if (foreground) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != lodge)
			_exit(error_status());
	}
	boot_is_detached(up, foreground);
	boot_init(&boot);
	boot_describe(&boot, guest);
	boot.detach = true;
	boot.is_detached = true;
	exit(boot_run(&boot));
}

static void start(struct starts *starts, struct start *one)
{
	pid_t lodge = getpid();
	int up[2];

	starts->begun++;
	if (!starts->foreground && rundir_exists(one->guest->name)) {
		printf("%s: runs already\n", one->guest->name);
		return;
	}
	fflush(NULL);
	if (pipe2(up, O_CLOEXEC))
		die_errno(errno, "pipe");
	one->launcher = fork();
	if (one->launcher < 0)
		die_errno(errno, "fork");
	if (!one->launcher) {
		launcher_release_signals();
		close(up[0]);
		launch(one->guest, up[1], starts->foreground, lodge);
	}
	close(up[1]);
	one->up = up[0];
	starts->starting++;
	starts->alive++;
}

/* It is up, or its launcher has said why it is not, and ended. */
static void hear(struct starts *starts, struct start *one)
{
	char byte;

	one->is_up = read(one->up, &byte, 1) == 1;
	close(one->up);
	one->up = -1;
	starts->starting--;
	if (one->is_up) {
		printf("%s: up\n", one->guest->name);
		fflush(stdout);
		return;
	}
	starts->failed++;
}

static void tell_all(struct starts *starts, int sig)
{
	size_t i;

	starts->ending = true;
	for (i = 0; i < starts->begun; i++)
		if (starts->list[i].launcher > 0)
			kill(starts->list[i].launcher, sig);
}

static void reap(struct starts *starts)
{
	struct start *one;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (one = starts->list; one < starts->list + starts->begun; one++)
			if (one->launcher == pid)
				break;
		if (one == starts->list + starts->begun)
			continue;
		one->launcher = 0;
		starts->alive--;
		status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
		if (!one->is_up || starts->ending)
			continue;
		printf("%s: has ended, status %d\n", one->guest->name, status);
		fflush(stdout);
		if (!starts->status)
			starts->status = status;
	}
}

static void take_signal(struct starts *starts, int signals)
{
	struct signalfd_siginfo info;

	if (read(signals, &info, sizeof(info)) != sizeof(info))
		return;
	switch (info.ssi_signo) {
	case SIGCHLD:
		reap(starts);
		break;
	case SIGINT:
	case SIGTERM:
	case SIGHUP:
	case SIGQUIT:
		/* Those in the background are up, or come up by themselves: no more are started. */
		if (!starts->foreground) {
			if (starts->begun < starts->n)
				warn("%zu of %zu guests have not been started",
				     starts->n - starts->begun, starts->n);
			exit(128 + info.ssi_signo);
		}
		notify("STOPPING=1");
		tell_all(starts, info.ssi_signo);
		break;
	}
}

static void wait_for_news(struct starts *starts, int signals)
{
	struct pollfd *fds cleanup_free = xcalloc(starts->begun + 1, sizeof(*fds));
	size_t i;

	fds[0] = (struct pollfd){ .fd = signals, .events = POLLIN };
	for (i = 0; i < starts->begun; i++)
		fds[i + 1] = (struct pollfd){ .fd = starts->list[i].up, .events = POLLIN };
	if (poll(fds, starts->begun + 1, -1) < 0)
		return;
	for (i = 0; i < starts->begun; i++)
		if (fds[i + 1].revents)
			hear(starts, starts->list + i);
	if (fds[0].revents)
		take_signal(starts, signals);
}

static void start_all(struct starts *starts, int signals)
{
	size_t most = STARTING_PER_CPU * sysconf(_SC_NPROCESSORS_ONLN);

	while (!starts->ending && (starts->begun < starts->n || starts->starting)) {
		if (starts->begun < starts->n && starts->starting < most)
			start(starts, starts->list + starts->begun);
		else
			wait_for_news(starts, signals);
	}
}

/* A service is there as a whole or not at all. */
static void stay(struct starts *starts, int signals)
{
	if (starts->failed && !starts->ending) {
		starts->status = error_status();
		tell_all(starts, SIGTERM);
	} else if (!starts->ending) {
		notify("READY=1\nSTATUS=%zu guests are up", starts->n);
	}
	while (starts->alive)
		wait_for_news(starts, signals);
}

/**
 * boot_file - start guests that a file describes
 * @file: its path
 * @names: those to start, NULL behind them; none: all
 * @foreground: stay until they have ended
 *
 * Return: the status to end with: 0 when all are up, or, with @foreground, have ended well.
 */
int boot_file(const char *file, const char *const *names, bool foreground)
{
	struct starts starts = { .foreground = foreground };
	struct description description;
	struct boot boot;
	int signals;
	size_t i;

	description_read(&description, file);
	choose(&starts, &description, names);
	description_enter(&description);
	check_all(&starts);
	if (foreground && starts.n == 1) {
		boot_init(&boot);
		boot_describe(&boot, starts.list[0].guest);
		return boot_run(&boot);
	}
	notify_not_from_children();
	launcher_hold_signals();
	signals = launcher_signals();
	for (i = 0; i < starts.n; i++)
		starts.list[i].up = -1;
	start_all(&starts, signals);
	if (starts.failed && !starts.ending)
		warn("%s: %zu of %zu guests did not come up", file, starts.failed, starts.n);
	if (foreground)
		stay(&starts, signals);
	else if (starts.failed)
		starts.status = error_status();
	return starts.status;
}
