// SPDX-License-Identifier: GPL-2.0
/* fork, exit, exec, and copy-on-write. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

pid_t must_fork(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	return pid;
}

void must_wait(pid_t pid)
{
	if (waitpid(pid, NULL, 0) != pid)
		die("waitpid");
}

/* One row: the call of fork itself; the other: the child's exit until the parent has its status. */
static void row_fork(const char *row, unsigned long pages, unsigned int times, bool exits)
{
	char *at = pages_map(pages);
	unsigned int i;

	samples_begin();
	for (i = 0; i < times; i++) {
		__u64 start, forked;
		pid_t pid;

		/* All pages are this process's own again, and writable. */
		pages_touch(at, pages, i);
		rest();
		start = stamp_start();
		pid = must_fork();
		if (!pid)
			_exit(0);
		forked = stamp_end();
		if (exits)
			mark(MARK_START);
		must_wait(pid);
		if (exits)
			samples_add(forked, stamp_end());
		else
			samples_add(start, forked);
	}
	samples_end(row);
	pages_unmap(at, pages);
}

void row_exec(const char *nothing)
{
	unsigned int i;

	samples_begin();
	for (i = 0; i < 60; i++) {
		__u64 start = stamp_start();
		pid_t pid = must_fork();

		if (!pid) {
			execl(nothing, nothing, NULL);
			_exit(127);
		}
		must_wait(pid);
		samples_add(start, stamp_end());
		rest();
	}
	samples_end("fork-exec-exit");
}

static void write_each(char *at, unsigned long pages)
{
	unsigned long i;

	for (i = 0; i < pages; i++) {
		volatile char *page = at + i * PAGE;
		__u64 start = stamp_start();

		*page = 2;
		samples_add(start, stamp_end());
	}
}

static void row_cow(const char *row, bool by_child)
{
	unsigned long pages = 2048;
	char *at = pages_map(pages);
	unsigned int round;
	int ends[2];
	char byte;
	pid_t pid;

	samples_begin();
	for (round = 0; round < 6; round++) {
		pages_touch(at, pages, round);
		if (pipe(ends))
			die("pipe");
		pid = must_fork();
		if (!pid) {
			close(ends[1]);
			if (by_child)
				write_each(at, pages);
			/* The parent's end closes when it is done. */
			else if (read(ends[0], &byte, 1))
				_exit(1);
			_exit(0);
		}
		close(ends[0]);
		if (!by_child) {
			rest();
			write_each(at, pages);
			close(ends[1]);
		}
		must_wait(pid);
		if (by_child)
			close(ends[1]);
		rest();
	}
	samples_end(row);
	pages_unmap(at, pages);
}

void rows_fork(const char *nothing)
{
	row_cow("cow-parent", false);
	row_cow("cow-child", true);
	row_fork("fork-4M", 4 * MIB / PAGE, 60, false);
	row_fork("fork-32M", 32 * MIB / PAGE, 12, false);
	row_fork("exit-wait-4M", 4 * MIB / PAGE, 60, true);
	row_fork("exit-wait-32M", 32 * MIB / PAGE, 12, true);
	row_exec(nothing);
}
