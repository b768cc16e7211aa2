// SPDX-License-Identifier: GPL-2.0
/* Who is not in a guest notices nothing; guests do not notice each other. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest.h"
#include "test.h"

#define SIZE	(8 * MIB)

/* Exactly: the counters of /proc/self/status may be 64 pages behind in each thread. */
static unsigned long anonymous_kib(void)
{
	static const char name[] = "Anonymous:";
	FILE *file = fopen("/proc/self/smaps_rollup", "r");
	unsigned long value = 0;
	char line[256];

	check(file);
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, name, sizeof(name) - 1))
			value = strtoul(line + sizeof(name), NULL, 10);
	fclose(file);
	return value;
}

static bool maps_mention_lodge(void)
{
	FILE *file = fopen("/proc/self/maps", "r");
	bool found = false;
	char line[512];

	check(file);
	while (fgets(line, sizeof(line), file))
		found |= strstr(line, "[lodge:") || strstr(line, " rw-s ");
	fclose(file);
	return found;
}

/* ---- outside ---- */

static void outside(void)
{
	struct guest guest;
	unsigned long anon;
	char *p;

	guest_make(&guest, "isolation", 4 * MIB);
	anon = anonymous_kib();
	p = private_memory(SIZE);
	fill(p, SIZE, 1);
	check(anonymous_kib() >= anon + SIZE / KIB);
	check(!maps_mention_lodge());
	check_equal(guest_figure(&guest, "memory.current"), 0);
	check_equal(guest_stat(&guest, "pgfault"), 0);
	guest_end(&guest);
}

static void inside(void *arg)
{
	struct guest *guest = arg;
	unsigned long anon = anonymous_kib();
	char *p = private_memory(2 * MIB);

	fill(p, 2 * MIB, 2);
	check(anonymous_kib() < anon + 256);
	check(guest_stat(guest, "anon") >= MIB);
	check(filled(p, 2 * MIB, 2));
}

static void accounted(void)
{
	struct guest guest;

	guest_make(&guest, "isolation", 4 * MIB);
	join(guest_child(&guest, inside, &guest));
	guest_end(&guest);
}

/* ---- hooks ---- */

static FILE *open_functions(void)
{
	static const char path[] = "/sys/kernel/tracing/enabled_functions";

	if (access(path, F_OK) && mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL))
		return NULL;
	return fopen(path, "r");
}

static unsigned int hooked(void)
{
	static const char *const calls[] = {
		"sys_mmap", "sys_munmap", "sys_brk", "sys_madvise", "sys_clone",
	};
	FILE *file = open_functions();
	unsigned int i, n = 0;
	char line[512];

	if (!file)
		skip("no list of hooked functions");
	while (fgets(line, sizeof(line), file))
		for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
			n += !!strstr(line, calls[i]);
	fclose(file);
	return n;
}

/* They stay for two seconds, for who makes the next guest. */
static bool let_go(void)
{
	unsigned int i;

	for (i = 0; hooked() && i < 1000; i++)
		sleep_ms(20);
	return !hooked();
}

static void hooks(void)
{
	struct guest one, two;

	check(let_go());
	guest_make(&one, "isolation", 4 * MIB);
	check(hooked() >= 5);
	guest_make(&two, "isolation2", 4 * MIB);
	check_equal(guest_remove(&one), 0);
	check(hooked() >= 5);
	check_equal(guest_remove(&two), 0);
	/* Whether they have stayed is a question of time; not that they do from now on. */
	guest_make(&one, "isolation", 4 * MIB);
	sleep_ms(3000);
	check(hooked() >= 5);
	check_equal(guest_remove(&one), 0);
	check(let_go());
}

static void ftrace_switch(void)
{
	static const char path[] = "/proc/sys/kernel/ftrace_enabled";
	struct guest guest;
	int fd = open(path, O_WRONLY), refused;
	unsigned int i;

	if (fd < 0)
		skip("%s: %s", path, strerror(errno));
	guest_make(&guest, "isolation", 4 * MIB);
	check(pwrite(fd, "0", 1, 0) < 0 && errno == EBUSY);
	check_equal(guest_remove(&guest), 0);
	/* Nothing is hooked a grace period before it can be switched off. */
	for (i = 0; pwrite(fd, "0", 1, 0) != 1; i++) {
		check(i < 1000);
		sleep_ms(20);
	}
	refused = mkdir(GUEST_TREE "/" GUEST_PREFIX "isolation", 0755) ? errno : 0;
	check_equal(pwrite(fd, "1", 1, 0), 1);
	check_equal(refused, EBUSY);
}

/* ---- each other ---- */

static void hold_and_check(void *arg)
{
	uint64_t seed = (uint64_t)arg;
	char *p = private_memory(3 * UNIT);
	unsigned int i;

	for (i = 0; i < rounds(4); i++) {
		fill(p, 3 * UNIT, seed + i);
		check(filled(p, 3 * UNIT, seed + i));
	}
}

#define GUESTS	6

static void many_guests(void)
{
	struct guest guest[GUESTS];
	pid_t pid[GUESTS];
	char name[16];
	long i;

	for (i = 0; i < GUESTS; i++) {
		snprintf(name, sizeof(name), "many%ld", i);
		guest_make(&guest[i], name, 2 * UNIT);
		pid[i] = guest_child(&guest[i], hold_and_check, (void *)(i * 1000));
	}
	for (i = 0; i < GUESTS; i++)
		join(pid[i]);
	for (i = 0; i < GUESTS; i++)
		guest_end(&guest[i]);
}

/* A guest that runs out of memory all the time slows its neighbour down, and that is all. */
static void want_more(void *arg)
{
	for (;;) {
		char *p = private_memory(64 * UNIT);

		fill_hard(p, 64 * UNIT, 1);
	}
}

static void bad_neighbour(void)
{
	struct guest good, bad;
	pid_t pid, other;

	guest_make(&good, "good", 2 * UNIT);
	guest_make(&bad, "bad", 2 * UNIT);
	pid = guest_child(&good, hold_and_check, NULL);
	other = guest_child(&bad, want_more, NULL);
	join(pid);
	join_killed(other, SIGKILL);
	check_equal(guest_event(&good, "oom_kill"), 0);
	guest_end(&good);
	guest_end(&bad);
}

/* The host is short of memory: the pool gives frames back. */
static void fill_slowly(void *arg)
{
	struct barrier *barrier = arg;
	char *p = private_memory(160 * UNIT);

	fill(p, 160 * UNIT, 5);
	meet(barrier, 2, 1);
	meet(barrier, 2, 2);
	check(filled(p, 160 * UNIT, 5));
}

static unsigned long available(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	unsigned long kib = 0;
	char line[256];

	check(file);
	while (fgets(line, sizeof(line), file))
		sscanf(line, "MemAvailable: %lu kB", &kib);
	fclose(file);
	return kib * KIB;
}

static void host_pressure(void)
{
	struct barrier *barrier = shared_memory(PAGE);
	unsigned long before, size, at = 0, i;
	struct guest guest;
	pid_t pid;
	char *p;

	guest_make(&guest, "isolation", 512 * MIB);
	pid = guest_child(&guest, fill_slowly, barrier);
	meet(barrier, 2, 1);
	before = guest_figure(&guest, "memory.current");
	check(before >= 160 * UNIT);
	/* More than there is without what the guest can give. */
	size = (available() / MIB + 64) * MIB;
	p = private_memory(size);
	/* In large steps where it can: a debug kernel takes a minute to fill it page by page. */
	madvise(p, size, MADV_HUGEPAGE);
	while (at < size && guest_figure(&guest, "memory.current") >= before - 8 * UNIT) {
		for (i = 0; i < MIB; i += PAGE)
			p[at + i] = 1;
		at += MIB;
	}
	check(guest_figure(&guest, "memory.current") < before - 8 * UNIT);
	check(!munmap(p, size));
	meet(barrier, 2, 2);
	join(pid);
	guest_end(&guest);
}

static const struct test tests[] = {
	{ "a process outside has the host's memory", outside, .host = true },
	{ "a process inside has the pool's", accounted, .host = true },
	{ "hooks exist only while a guest does", hooks, .host = true, .alone = true },
	{ "ftrace cannot be switched off below a guest", ftrace_switch, .host = true,
	  .alone = true },
	{ "guests side by side", many_guests, .host = true, .seconds = 60 },
	{ "a neighbour out of memory", bad_neighbour, .host = true, .seconds = 60 },
	{ "the pool gives way when the host is short", host_pressure, .host = true,
	  .seconds = 300 },
};

TEST_MAIN(tests)
