/* SPDX-License-Identifier: GPL-2.0 */
/* Standing in for a child process: signals go to it, its end becomes an exit status. */
#ifndef LODGE_SUPERVISE_H
#define LODGE_SUPERVISE_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/**
 * struct signals - what a program's signals were before signals_hold()
 * @mask: the blocked ones
 * @child: what SIGCHLD did
 */
struct signals {
	sigset_t mask;
	struct sigaction child;
};

void signals_hold(struct signals *saved);
void signals_restore(const struct signals *saved);
int supervise(pid_t child, int events, bool (*changed)(int events));

#endif
