// SPDX-License-Identifier: GPL-2.0
/* What full guests are compared by: what a kernel does most. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

static void copy(const char *from, const char *to)
{
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_EXCL, 0755);
	struct stat st;

	if (in < 0 || out < 0 || fstat(in, &st) ||
	    sendfile(out, in, NULL, st.st_size) != st.st_size || close(in) || close(out))
		die("copying %s to %s", from, to);
}

void guest_prepare(const char *folder)
{
	static const char sysctl[] = "/proc/sys/kernel/sched_rt_runtime_us";
	char path[256];
	int fd;

	if (mkdir(folder, 0755) && errno != EEXIST)
		die("%s", folder);
	if (mount("tmpfs", folder, "tmpfs", 0, NULL))
		die("tmpfs at %s", folder);
	snprintf(path, sizeof(path), "%s/nothing", folder);
	copy("/nothing", path);
	/* A counted program may have the CPU for as long as it wants. */
	fd = open(sysctl, O_WRONLY);
	if (fd < 0 || write(fd, "-1", 2) != 2 || close(fd))
		die("%s", sysctl);
}

static void row_open(const char *folder)
{
	char path[256];
	unsigned int i;
	int fd;

	snprintf(path, sizeof(path), "%s/file", folder);
	fd = open(path, O_RDWR | O_CREAT, 0644);
	if (fd < 0)
		die("%s", path);
	close(fd);
	samples_begin();
	for (i = 0; i < 5000; i++) {
		__u64 start = stamp_start();

		fd = open(path, O_RDONLY);
		close(fd);
		samples_add(start, stamp_end());
		if (fd < 0)
			die("%s", path);
	}
	samples_end("open-close");
}

/* A byte to another process and back. */
static void row_pipe(void)
{
	int there[2], back[2];
	unsigned int i;
	char byte = 1;
	pid_t pid;

	if (pipe(there) || pipe(back))
		die("pipe");
	pid = must_fork();
	if (!pid) {
		close(there[1]);
		while (read(there[0], &byte, 1) == 1)
			if (write(back[1], &byte, 1) != 1)
				_exit(1);
		_exit(0);
	}
	samples_begin();
	for (i = 0; i < 2000; i++) {
		__u64 start = stamp_start();

		if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
			die("pipe");
		samples_add(start, stamp_end());
	}
	samples_end("pipe");
	close(there[1]);
	must_wait(pid);
	close(there[0]);
	close(back[0]);
	close(back[1]);
}

static void row_mmap_touch(void)
{
	unsigned int i;

	samples_begin();
	for (i = 0; i < 2000; i++) {
		__u64 start = stamp_start();
		char *at = pages_map(1);

		pages_touch(at, 1, 1);
		pages_unmap(at, 1);
		samples_add(start, stamp_end());
	}
	samples_end("mmap-touch-munmap");
}

/* The pages are written to in between, so that each fork finds all of them this process's own. */
static void row_fork_wait(const char *row, unsigned long pages, unsigned int times)
{
	char *at = pages ? pages_map(pages) : NULL;
	unsigned int i;

	samples_begin();
	for (i = 0; i < times; i++) {
		__u64 start;
		pid_t pid;

		pages_touch(at, pages, i);
		rest();
		start = stamp_start();
		pid = must_fork();
		if (!pid)
			_exit(0);
		must_wait(pid);
		samples_add(start, stamp_end());
	}
	samples_end(row);
	if (pages)
		pages_unmap(at, pages);
}

/*
 * Two ordinary processes share a CPU: when one yields, the other one runs, as a rule. A turn in
 * which the scheduler has chosen otherwise counts for nothing.
 */
static void row_switch(void)
{
	const unsigned int turns_wanted = 4000;
	const struct sched_param ordinary = { 0 };
	volatile unsigned long *turns;
	unsigned int i, seen = 0;
	cpu_set_t cpu;
	pid_t pid;

	CPU_ZERO(&cpu);
	CPU_SET(sched_getcpu(), &cpu);
	turns = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (turns == MAP_FAILED)
		die("mmap");
	if (sched_setaffinity(0, sizeof(cpu), &cpu) ||
	    sched_setscheduler(0, SCHED_OTHER, &ordinary))
		die("no ordinary process on this CPU");
	pid = must_fork();
	if (!pid) {
		for (turns[0] = 1; !turns[1]; turns[0]++)
			sched_yield();
		_exit(0);
	}
	while (!turns[0])
		usleep(1000);
	sched_yield();
	samples_begin();
	for (i = 0; i < 10 * turns_wanted && seen < turns_wanted; i++) {
		unsigned long turn = turns[0];
		__u64 start = stamp_start(), end;

		sched_yield();
		end = stamp_end();
		if (turns[0] != turn + 1)
			continue;
		samples_add_per(start, end, 2);
		seen++;
	}
	if (seen < turns_wanted)
		die("the child took turns %u times only", seen);
	samples_end("switch");
	turns[1] = 1;
	must_wait(pid);
	munmap((void *)turns, PAGE);
}

void rows_guest(const char *folder)
{
	char nothing[256];

	snprintf(nothing, sizeof(nothing), "%s/nothing", folder);
	row_getpid(5000);
	row_read(5000);
	row_open(folder);
	row_pipe();
	row_write_fault(3);
	row_mmap_touch();
	row_fork_wait("fork-exit-wait", 0, 100);
	row_fork_wait("fork-exit-wait-32M", 32 * MIB / PAGE, 4);
	row_exec(nothing);
	row_switch();
}
