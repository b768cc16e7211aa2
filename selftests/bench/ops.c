// SPDX-License-Identifier: GPL-2.0
/*
 * ops [-b GUEST | -g] STATE GROUP [ARGUMENT]...
 *
 * Counts the instructions of single operations and prints a line for each:
 *	op,STATE,ROW,SAMPLES,MEAN,MIN,P50,P99,P99.9,MAX
 * -b: bind to the guest with this directory first, and start again as a program of it.
 * -g: in a full guest, as root; make the folder that is the argument fit for group guest.
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

static const char usage[] =
	"usage: ops [-b GUEST | -g] STATE GROUP [ARGUMENT]...\n"
	"groups: calls, memory, fork NOTHING, evict CONTROL, pause, guest FOLDER, stamp, idle,\n"
	"        start ROWS TIMES COMMAND..., command ROW TIMES COMMAND...\n";

int main(int argc, char **argv)
{
	const char *group, *argument;

	if (argc > 3 && !strcmp(argv[1], "-b"))
		bind_and_restart(argv[2], argv);
	if (argc > 4 && !strcmp(argv[1], "-g")) {
		guest_prepare(argv[4]);
		argv++;
		argc--;
	}
	if (argc < 3) {
		fputs(usage, stderr);
		return 1;
	}
	group = argv[2];
	argument = argc > 3 ? argv[3] : "";
	if (!strcmp(group, "pause"))
		pause();
	if (!strcmp(group, "stamp") || !strcmp(group, "idle")) {
		print_stamp();
		if (!strcmp(group, "idle"))
			pause();
		return 0;
	}
	samples_init(argv[1]);
	/* Single pages are compared with single pages. */
	if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0))
		die("prctl");
	if (!strcmp(group, "start") && argc > 5) {
		rows_start(argv + 3);
		return 0;
	}
	go_first();
	if (!strcmp(group, "calls"))
		rows_calls();
	else if (!strcmp(group, "memory"))
		rows_memory();
	else if (!strcmp(group, "fork"))
		rows_fork(argument);
	else if (!strcmp(group, "evict"))
		rows_evict(argument);
	else if (!strcmp(group, "guest"))
		rows_guest(argument);
	else if (!strcmp(group, "command") && argc > 5)
		row_command(argv + 3);
	else
		die("%s: not a group, or too few arguments", group);
	return 0;
}
