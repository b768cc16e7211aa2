// SPDX-License-Identifier: GPL-2.0
/* System calls that have nothing to do with private memory, and mmap. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define TIMES	20000

void row_getpid(unsigned int times)
{
	unsigned int i;

	samples_begin();
	for (i = 0; i < times; i++) {
		__u64 start = stamp_start();

		syscall(SYS_getpid);
		samples_add(start, stamp_end());
	}
	samples_end("getpid");
}

void row_read(unsigned int times)
{
	int fd = open("/dev/zero", O_RDONLY);
	unsigned int i;
	char byte;

	if (fd < 0)
		die("/dev/zero");
	samples_begin();
	for (i = 0; i < times; i++) {
		__u64 start = stamp_start();

		if (read(fd, &byte, 1) != 1)
			die("read");
		samples_add(start, stamp_end());
	}
	samples_end("read");
	close(fd);
}

static void row_clock_gettime(void)
{
	struct timespec now;
	unsigned int i;

	samples_begin();
	for (i = 0; i < TIMES; i++) {
		__u64 start = stamp_start();

		clock_gettime(CLOCK_MONOTONIC, &now);
		samples_add(start, stamp_end());
	}
	samples_end("clock_gettime");
}

static void row_mmap(void)
{
	unsigned int i;

	samples_begin();
	for (i = 0; i < 5000; i++) {
		__u64 start = stamp_start();

		pages_unmap(pages_map(16), 16);
		samples_add(start, stamp_end());
	}
	samples_end("mmap-munmap");
}

void rows_calls(void)
{
	row_getpid(TIMES);
	row_read(TIMES);
	row_clock_gettime();
	row_mmap();
}
