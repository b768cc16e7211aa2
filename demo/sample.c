// SPDX-License-Identifier: GPL-2.0
/* The figures, as they stand in the control tree and in /proc. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "watch.h"

#define TREE "/sys/fs/lodge"

/* A file that is not there is an empty one: guests come and go. */
static char *slurp(const char *path)
{
	static char text[8192];
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	text[n < 0 ? 0 : n] = '\0';
	return text;
}

/* The number behind a key at the beginning of a line or behind a space. */
static unsigned long long figure(const char *text, const char *key)
{
	const char *at = text;
	size_t len = strlen(key);

	while ((at = strstr(at, key))) {
		if ((at == text || at[-1] == '\n' || at[-1] == ' ') &&
		    strchr(" =:", at[len]))
			return strtoull(at + len + 1, NULL, 10);
		at += len;
	}
	return 0;
}

static unsigned long long file_of(const struct guest *guest, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), TREE "/%s/%s", guest->name, name);
	return strtoull(slurp(path), NULL, 10);
}

void sample_guest(struct guest *guest, const char *notes)
{
	char path[256];
	const char *text;

	guest->limit = file_of(guest, "memory.max");
	guest->current = file_of(guest, "memory.current");
	guest->peak = file_of(guest, "memory.peak");
	snprintf(path, sizeof(path), TREE "/%s/memory.stat", guest->name);
	text = slurp(path);
	guest->resident = figure(text, "anon");
	guest->store = figure(text, "zswap");
	guest->stored = figure(text, "zswapped");
	guest->tables = figure(text, "metadata");
	guest->swap = figure(text, "swapped");
	guest->majors = figure(text, "pgmajfault");

	snprintf(path, sizeof(path), "%s/%s", notes, guest->name);
	text = slurp(path);
	/* Someone may just be writing it. */
	if (strchr(text, '\n'))
		snprintf(guest->note, sizeof(guest->note), "%.*s",
			 (int)strcspn(text, "\n"), text);
}

void sample_outside(struct bystander *outside, const char *state)
{
	const char *text = slurp(state);

	outside->anon = figure(text, "anon") << 10;
	outside->rounds = figure(text, "rounds");
	outside->wrong = figure(text, "wrong");
	outside->faults = figure(text, "faults");
	outside->pool = figure(text, "pool");
}

/** sample_available - the machine's MemAvailable in bytes */
unsigned long long sample_available(void)
{
	return figure(slurp("/proc/meminfo"), "MemAvailable") << 10;
}
