// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
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
static bool child_has_it(const siginfo_t *info, pid_t child)
{
	return info->si_code > 0 || info->si_pid == child;
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

/**
 * supervise - pass signals on to a child until it has ended
 * @child: the only child that changes state; signals_hold() was called before it was made
 *
 * Return: its exit status, or 128 and the number of the signal that ended it.
 */
int supervise(pid_t child)
{
	sigset_t set = watched();
	int sig, status;
	siginfo_t info;

	for (;;) {
		sig = sigwaitinfo(&set, &info);
		if (sig == SIGCHLD) {
			status = child_changed(child);
			if (status >= 0)
				return status;
		} else if (sig > 0 && !child_has_it(&info, child)) {
			kill(child, sig);
		}
	}
}
