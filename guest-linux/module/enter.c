// SPDX-License-Identifier: GPL-2.0
/*
 * enter ARGUMENT...: become a guest in the kernel, with these arguments for its kernel.
 *
 * Static, for a sandbox without libraries. The instance, an open /dev/lodge whose guest module is
 * loaded, is the descriptor $LODGE_INSTANCE; all others that are open become the guest kernel's,
 * under the same numbers. Its memory is what "mem=" says. When it reboots it is started again.
 *
 * The exit status is that of its kernel, or 128 + SIGKILL if it has ended in another way.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lodge/instance.h"

static unsigned long long memory_of(const char *argument)
{
	char *end;
	unsigned long long n = strtoull(argument, &end, 10);

	switch (*end) {
	case 'G':
		n <<= 10;
		/* fall through */
	case 'M':
		n <<= 10;
		/* fall through */
	case 'K':
		n <<= 10;
	}
	return (n + LODGE_MEMORY_UNIT - 1) / LODGE_MEMORY_UNIT * LODGE_MEMORY_UNIT;
}

/* Returns only if the guest could not be started. */
static void become_guest(int fd, int argc, char **argv)
{
	struct lodge_instance_run run = { .memory = 256ULL << 20 };
	__s32 fds[LODGE_RUN_FDS_MAX];
	int i;

	/* They lie one after the other on the stack, as the kernel takes them. */
	if (argc > 1) {
		run.args = (uintptr_t)argv[1];
		run.args_length = argv[argc - 1] + strlen(argv[argc - 1]) + 1 - argv[1];
	}
	for (i = 1; i < argc; i++)
		if (!strncmp(argv[i], "mem=", 4))
			run.memory = memory_of(argv[i] + 4);
	for (i = 0; i < LODGE_RUN_FDS_MAX; i++)
		fds[i] = i != fd && fcntl(i, F_GETFD) >= 0 ? i : -1;
	run.fds = (uintptr_t)fds;
	run.nr_fds = LODGE_RUN_FDS_MAX;
	ioctl(fd, LODGE_INSTANCE_RUN, &run);
	fprintf(stderr, "enter: the guest could not be started: %s\n", strerror(errno));
}

static int fail(const char *what)
{
	fprintf(stderr, "enter: %s: %s\n", what, strerror(errno));
	return 1;
}

int main(int argc, char **argv)
{
	const char *instance = getenv("LODGE_INSTANCE");
	struct pollfd dead = { .fd = instance ? atoi(instance) : -1 };
	struct lodge_instance_status state;
	pid_t parent = getpid(), child;
	int status;

	do {
		child = fork();
		if (child < 0)
			return fail("fork");
		if (!child) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (getppid() == parent)
				become_guest(dead.fd, argc, argv);
			return 1;
		}
		while (waitpid(child, &status, 0) < 0)
			if (errno != EINTR)
				return fail("wait");
		if (WIFEXITED(status))
			return WEXITSTATUS(status);
		/* Its first process is not always the last one. */
		while (poll(&dead, 1, -1) < 0 && errno == EINTR)
			;
		if (ioctl(dead.fd, LODGE_INSTANCE_STATUS, &state))
			return fail("its end");
	} while (state.ended == LODGE_ENDED_REBOOT);
	return state.ended == LODGE_ENDED_HALT ? state.code & 0xff : 128 + SIGKILL;
}
