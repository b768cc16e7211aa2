// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "error.h"
#include "lodge.h"
#include "supervise.h"
#include "util.h"

static const int forwarded[] = {
	SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT, SIGTSTP,
};

static sigset_t watched(void)
{
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (i = 0; i < ARRAY_SIZE(forwarded); i++)
		sigaddset(&set, forwarded[i]);
	return set;
}

/**
 * signals_hold - keep the signals that supervise() handles until it takes them
 * @saved: filled in, for signals_restore() in the child
 */
void signals_hold(struct signals *saved)
{
	const struct sigaction keep_children = { .sa_handler = SIG_DFL };
	sigset_t set = watched();

	/* An inherited SIG_IGN would make the child's status vanish. */
	sigaction(SIGCHLD, &keep_children, &saved->child);
	sigprocmask(SIG_BLOCK, &set, &saved->mask);
}

/** signals_restore - undo signals_hold(); what came in between is delivered now */
void signals_restore(const struct signals *saved)
{
	sigaction(SIGCHLD, &saved->child, NULL);
	sigprocmask(SIG_SETMASK, &saved->mask, NULL);
}

/*
 * The child is in lodge's process group, so that job control works as if lodge were not there. A
 * signal from the terminal has therefore reached it already, and so has one that it sent to its
 * own group; what another process sent to lodge has not.
 */
static bool child_has_it(const struct signalfd_siginfo *info, pid_t child)
{
	return info->ssi_code > 0 || info->ssi_pid == (unsigned int)child;
}

/* Returns the exit status, or -1 while the child lives. */
static int child_changed(pid_t child)
{
	int status;
	pid_t pid;

	pid = waitpid(child, &status, WNOHANG | WUNTRACED);
	if (pid < 0 && errno != EINTR)
		die_errno(errno, "wait");
	if (pid <= 0)
		return -1;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);
	/*
	 * Job control stopped it: stop too, so that the shell takes the terminal back. A plain
	 * SIGSTOP is somebody else's business, who may continue the child and not lodge.
	 */
	if (WIFSTOPPED(status) && WSTOPSIG(status) != SIGSTOP)
		raise(SIGSTOP);
	return -1;
}

/* Returns the exit status, or -1 while the child lives. */
static int take_signal(int signals, pid_t child)
{
	struct signalfd_siginfo info;

	if (read(signals, &info, sizeof(info)) != sizeof(info))
		return -1;
	if (info.ssi_signo == SIGCHLD)
		return child_changed(child);
	if (!child_has_it(&info, child))
		kill(child, info.ssi_signo);
	return -1;
}

/**
 * supervise - pass signals on to a child until it has ended
 * @child: the only child that changes state; signals_hold() was called before it was made
 * @events: a file to poll for POLLPRI meanwhile, or -1
 * @changed: called when there is news in @events; returns false when there will be no more
 *
 * Return: the child's exit status, or 128 and the number of the signal that ended it.
 */
int supervise(pid_t child, int events, bool (*changed)(int events))
{
	sigset_t set = watched();
	struct pollfd fds[] = {
		{ .fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), .events = POLLIN },
		{ .fd = events, .events = POLLPRI },
	};
	int status = -1;

	if (fds[0].fd < 0)
		die_errno(errno, "signalfd");
	while (status < 0) {
		poll(fds, ARRAY_SIZE(fds), -1);
		/* News first: the child may have ended because of them. */
		if (fds[1].revents && !changed(events))
			fds[1].fd = -1;
		status = take_signal(fds[0].fd, child);
	}
	close(fds[0].fd);
	return status;
}
