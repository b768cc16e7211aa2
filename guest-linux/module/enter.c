// SPDX-License-Identifier: GPL-2.0
/*
 * enter ARGUMENT...: become a guest in the kernel, with these arguments for its kernel.
 *
 * Static, for a sandbox without libraries. The instance, an open /dev/lodge whose guest module is
 * loaded, is the descriptor $LODGE_INSTANCE; all others that are open become the guest kernel's,
 * under the same numbers. Its memory is what "mem=" says.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lodge/instance.h"

#define UNIT (4ULL << 20)

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
	return (n + UNIT - 1) / UNIT * UNIT;
}

int main(int argc, char **argv)
{
	const char *instance = getenv("LODGE_INSTANCE");
	int fd = instance ? atoi(instance) : -1, i;
	struct lodge_instance_run run = { .memory = 256ULL << 20 };
	__s32 fds[LODGE_RUN_FDS_MAX];

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
	return 1;
}
