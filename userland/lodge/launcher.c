// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "error.h"
#include "kernel-log.h"
#include "launcher.h"
#include "lodge.h"
#include "util.h"

#define POWER_OFF_MS 5000

static const int watched[] = {
	SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH, SIGCHLD,
};

static sigset_t saved_mask;

static sigset_t watched_set(void)
{
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < ARRAY_SIZE(watched); i++)
		sigaddset(&set, watched[i]);
	return set;
}

/** launcher_hold_signals - keep signals for launcher_signals(); before a guest is started */
void launcher_hold_signals(void)
{
	const struct sigaction plain = { .sa_handler = SIG_DFL };
	sigset_t set = watched_set();

	sigaction(SIGCHLD, &plain, NULL);
	sigprocmask(SIG_BLOCK, &set, &saved_mask);
	signal(SIGPIPE, SIG_IGN);
	/* A file that may not grow is like a full disk. */
	signal(SIGXFSZ, SIG_IGN);
}

/** launcher_release_signals - undo launcher_hold_signals() in a child */
void launcher_release_signals(void)
{
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	sigprocmask(SIG_SETMASK, &saved_mask, NULL);
}

/** launcher_signals - a file to read the signals from that are held */
int launcher_signals(void)
{
	sigset_t set = watched_set();
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);

	if (fd < 0)
		die_errno(errno, "signalfd");
	return fd;
}

/**
 * launcher_reap - wait for a guest that is about to power off, and end it if it does not
 * @guest: its process
 * @signals: of launcher_signals()
 * @log: what it says meanwhile
 *
 * Return: its exit status, or 128 and the number of the signal that ended it.
 */
int launcher_reap(pid_t guest, int signals, struct kernel_log *log)
{
	long long end = now_ms() + POWER_OFF_MS;
	struct pollfd fds[] = { { .events = POLLIN }, { .fd = signals, .events = POLLIN } };
	struct signalfd_siginfo info;
	int status = 0;
	pid_t pid;

	while ((pid = waitpid(guest, &status, WNOHANG)) != guest) {
		if (pid < 0 && errno != EINTR)
			break;
		if (now_ms() >= end)
			kill(guest, SIGKILL);
		fds[0].fd = log->fd;
		poll(fds, ARRAY_SIZE(fds), 100);
		if (fds[0].revents)
			kernel_log_read(log);
		if (fds[1].revents && read(signals, &info, sizeof(info)) < 0)
			continue;
	}
	while (log->fd >= 0) {
		fds[0].fd = log->fd;
		if (poll(fds, 1, 0) <= 0)
			break;
		kernel_log_read(log);
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
