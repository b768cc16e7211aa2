// SPDX-License-Identifier: GPL-2.0
/* Faults of untouched pages, and unmapping. */
#include <sys/prctl.h>

#include "bench.h"

void row_write_fault(unsigned int rounds)
{
	unsigned long pages = 2048, i;
	unsigned int round;

	samples_begin();
	for (round = 0; round < rounds; round++) {
		char *at = pages_map(pages);

		for (i = 0; i < pages; i++) {
			volatile char *page = at + i * PAGE;
			__u64 start = stamp_start();

			*page = 1;
			samples_add(start, stamp_end());
		}
		pages_unmap(at, pages);
		rest();
	}
	samples_end("write-fault");
}

static void row_read_fault(void)
{
	unsigned long pages = 2048, i;
	unsigned int round;

	samples_begin();
	for (round = 0; round < 5; round++) {
		char *at = pages_map(pages);

		for (i = 0; i < pages; i++) {
			volatile char *page = at + i * PAGE;
			__u64 start = stamp_start();

			(void)*page;
			samples_add(start, stamp_end());
		}
		pages_unmap(at, pages);
		rest();
	}
	samples_end("read-fault");
}

static void row_munmap(void)
{
	unsigned long pages = 1024;
	unsigned int round;

	samples_begin();
	for (round = 0; round < 30; round++) {
		char *at = pages_map(pages);
		__u64 start;

		pages_touch(at, pages, 1);
		rest();
		start = stamp_start();
		pages_unmap(at, pages);
		samples_add_per(start, stamp_end(), pages);
	}
	samples_end("munmap-page");
}

static void row_touch(const char *row)
{
	unsigned long pages = 64 * MIB / PAGE;
	unsigned int round;

	samples_begin();
	for (round = 0; round < 5; round++) {
		__u64 start = stamp_start();
		char *at = pages_map(pages);

		pages_touch(at, pages, 1);
		samples_add(start, stamp_end());
		pages_unmap(at, pages);
		rest();
	}
	samples_end(row);
}

void rows_memory(void)
{
	row_write_fault(10);
	row_read_fault();
	row_munmap();
	row_touch("touch-64M");
	/* What the host does when it is let: it is the one row where huge pages are allowed. */
	prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);
	row_touch("touch-64M-huge");
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
}
