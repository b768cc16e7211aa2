// SPDX-License-Identifier: GPL-2.0
/* Eviction on demand, and faults of evicted pages. Works on a guest's files as on a cgroup's. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define PAGES		4096UL
#define SHARED_PAGES	1024UL
#define SIBLINGS	100
#define CHUNK_PAGES	256UL

/* An access that took longer than this was a fault. */
#define FAULT_AT_LEAST	300

static const char *control;

static int open_control(const char *name, int flags)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", control, name);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		die("%s", path);
	return fd;
}

static unsigned long stat_of(const char *key)
{
	static char text[16384];
	int fd = open_control("memory.stat", O_RDONLY);
	ssize_t len = read(fd, text, sizeof(text) - 1);
	size_t n = strlen(key);
	char *line;

	close(fd);
	if (len < 0)
		die("memory.stat");
	text[len] = '\0';
	for (line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, key, n) && line[n] == ' ')
			return strtoul(line + n, NULL, 10);
	}
	return 0;
}

/* Evict until nearly @pages are gone; the average of each call is a sample. */
static void evict(unsigned long pages, bool sample)
{
	int fd = open_control("memory.reclaim", O_WRONLY);
	unsigned long done = 0, before, now;
	unsigned int tries;
	__u64 start, end;

	before = stat_of("pgsteal");
	for (tries = 0; tries < 400 && done + CHUNK_PAGES / 8 < pages; tries++) {
		char text[32];
		int len = snprintf(text, sizeof(text), "%lu", CHUNK_PAGES * PAGE);
		bool less;

		start = stamp_start();
		less = write(fd, text, len) < 0;
		end = stamp_end();
		if (less)
			rest();
		now = stat_of("pgsteal");
		if (sample && now - before > CHUNK_PAGES / 2)
			samples_add_per(start, end, now - before);
		done += now - before;
		before = now;
	}
	close(fd);
}

/* Access each page; the samples are those that faulted. */
static void access_each(char *at, unsigned long pages, bool write)
{
	unsigned long i;

	for (i = 0; i < pages; i++) {
		volatile char *page = at + i * PAGE + 8;
		__u64 start, end;

		start = stamp_start();
		if (write)
			*page = 'w';
		else
			(void)*page;
		end = stamp_end();
		if (end - start > FAULT_AT_LEAST)
			samples_add(start, end);
	}
}

static void fill(char *at, unsigned long pages, bool same)
{
	unsigned long i;

	for (i = 0; i < pages; i++)
		if (same)
			memset(at + i * PAGE, 'a' + i % 26, PAGE);
		else
			page_fill(at + i * PAGE, i);
}

static void rows_one_process(bool same)
{
	char *at = pages_map(PAGES);
	unsigned int round;

	fill(at, PAGES, same);
	samples_begin();
	for (round = 0; round < 3; round++) {
		evict(PAGES, true);
		fill(at, PAGES, same);
	}
	samples_end(same ? "evict-same" : "evict");

	samples_begin();
	evict(PAGES, false);
	access_each(at, PAGES, false);
	samples_end(same ? "refault-same" : "refault");

	/* Not written since it was read back. */
	samples_begin();
	evict(PAGES, true);
	samples_end(same ? "evict-clean-same" : "evict-clean");

	samples_begin();
	access_each(at, PAGES, true);
	samples_end(same ? "refault-write-same" : "refault-write");
	pages_unmap(at, PAGES);
	rest();
}

static volatile char sink;

/* @read_all: each sibling has all the pages in its page tables. */
static void row_siblings(const char *row, bool read_all)
{
	char *at = pages_map(SHARED_PAGES);
	pid_t pids[SIBLINGS];
	unsigned long page;
	int hold[2], ready[2];
	unsigned int i;
	char byte = 0;

	fill(at, SHARED_PAGES, false);
	if (pipe(hold) || pipe(ready))
		die("pipe");
	for (i = 0; i < SIBLINGS; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			die("fork");
		if (pids[i])
			continue;
		close(hold[1]);
		for (page = 0; read_all && page < SHARED_PAGES; page++)
			sink = at[page * PAGE];
		if (write(ready[1], &byte, 1) != 1 || read(hold[0], &byte, 1))
			_exit(1);
		_exit(0);
	}
	for (i = 0; i < SIBLINGS; i++)
		if (read(ready[0], &byte, 1) != 1)
			die("siblings");
	/* This process uses them last. */
	for (page = 0; page < SHARED_PAGES; page++)
		sink = at[page * PAGE];

	samples_begin();
	evict(SHARED_PAGES + SHARED_PAGES / 2, true);
	samples_end(row);
	close(hold[0]);
	close(hold[1]);
	for (i = 0; i < SIBLINGS; i++)
		waitpid(pids[i], NULL, 0);
	close(ready[0]);
	close(ready[1]);
	pages_unmap(at, SHARED_PAGES);
	rest();
}

void rows_evict(const char *directory)
{
	control = directory;
	rows_one_process(false);
	rows_one_process(true);
	row_siblings("evict-siblings", false);
	row_siblings("evict-siblings-mapped", true);
}
