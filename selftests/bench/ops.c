// SPDX-License-Identifier: GPL-2.0
/*
 * ops [-b GUEST] STATE GROUP [ARGUMENT]
 *
 * Counts the instructions of single operations and prints a line for each:
 *	op,STATE,ROW,SAMPLES,MEAN,MIN,P50,P99,P99.9,MAX
 * -b: bind to the guest with this directory first, and start again as a program of it.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "bench.h"

/* Neither the children nor the kernel's threads take the CPU away in the middle of a sample. */
static void go_first(void)
{
	struct sched_param param = { .sched_priority = 1 };

	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param))
		die("sched_setscheduler");
}

int main(int argc, char **argv)
{
	const char *group, *argument;

	if (argc > 3 && !strcmp(argv[1], "-b"))
		bind_and_restart(argv[2], argv);
	if (argc < 3) {
		fprintf(stderr, "usage: ops [-b GUEST] STATE calls|memory|fork|evict|pause [ARGUMENT]\n");
		return 1;
	}
	group = argv[2];
	argument = argc > 3 ? argv[3] : "";
	if (!strcmp(group, "pause"))
		pause();
	samples_init(argv[1]);
	/* Single pages are compared with single pages. */
	if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0))
		die("prctl");
	go_first();
	if (!strcmp(group, "calls"))
		rows_calls();
	else if (!strcmp(group, "memory"))
		rows_memory();
	else if (!strcmp(group, "fork"))
		rows_fork(argument);
	else if (!strcmp(group, "evict"))
		rows_evict(argument);
	return 0;
}
