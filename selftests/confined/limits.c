// SPDX-License-Identifier: GPL-2.0
/* Limits that change while the guest runs, and what cannot be met. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"
#include "test.h"

#define SIZE	(8 * UNIT)

static struct guest guest;
static struct barrier *barrier;
static bool hard;	/* content that does not compress */

/* Holds SIZE bytes, tells so, and verifies them again and again until it is told to stop. */
static void hold(void *arg)
{
	char *p = private_memory(SIZE);

	(hard ? fill_hard : fill)(p, SIZE, 1);
	meet(barrier, 2, 1);
	while (!barrier[1].count)
		check((hard ? filled_hard : filled)(p, SIZE, 1));
	check((hard ? filled_hard : filled)(p, SIZE, 1));
}

static pid_t start(unsigned long max)
{
	pid_t pid;

	barrier = shared_memory(PAGE);
	guest_make(&guest, "limits", max);
	pid = guest_child(&guest, hold, NULL);
	meet(barrier, 2, 1);
	return pid;
}

static void finish(pid_t pid)
{
	barrier[1].count = 1;
	join(pid);
	check_equal(guest_event(&guest, "oom_kill"), 0);
	check(guest_figure(&guest, "memory.current") <= guest_figure(&guest, "memory.max"));
	check_equal(guest_remove(&guest), 0);
}

static void lower(void)
{
	pid_t pid = start(16 * UNIT);
	unsigned long max;

	/* It needs 2 MiB for what does not compress, and some to work on. */
	for (max = 14 * UNIT; max >= 4 * UNIT; max -= 2 * UNIT) {
		if (guest_write(&guest, "memory.max", "%lu", max)) {
			note("%lu: %s", max, guest_read(&guest, "memory.stat"));
			check(!"it can be lowered");
		}
		check(guest_figure(&guest, "memory.current") <= max);
		check_equal(guest_figure(&guest, "memory.max"), max);
		sleep_ms(100);
		check(guest_figure(&guest, "memory.current") <= max);
	}
	check_equal(guest_write(&guest, "memory.max", "max"), 0);
	check_equal(guest_write(&guest, "memory.max", "%lu", 6 * UNIT), 0);
	check_equal(guest_figure(&guest, "memory.max"), 6 * UNIT);
	finish(pid);
}

static void roll_back(void)
{
	unsigned long max;
	pid_t pid;

	hard = true;
	pid = start(16 * UNIT);
	max = guest_figure(&guest, "memory.max");
	check_equal(guest_write(&guest, "memory.max", "%lu", 4 * UNIT), EBUSY);
	check_equal(guest_figure(&guest, "memory.max"), max);
	check(strstr(guest_read(&guest, "last_error"), "memory.max"));
	check(guest_figure(&guest, "memory.current") > 4 * UNIT);
	finish(pid);
}

static void refusals(void)
{
	static const char *const bad[] = {
		"12Q", "", "-1", "1.5M", "4K extra", "max1", "99999999999999999999",
	};
	unsigned int i;

	guest_make(&guest, "limits", 16 * MIB);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check(guest_write(&guest, "memory.max", "%s\n", bad[i]) > 0);
	check_equal(guest_write(&guest, "memory.max", "9999T"), ERANGE);
	check_equal(guest_write(&guest, "memory.min", "17M"), EINVAL);
	check_equal(guest_figure(&guest, "memory.max"), 16 * MIB);
	check_equal(guest_figure(&guest, "memory.min"), 0);
	check_equal(guest_remove(&guest), 0);
}

static unsigned long machine_kib(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	unsigned long kib = 0;

	check(file && fscanf(file, "MemTotal: %lu kB", &kib) == 1);
	fclose(file);
	return kib;
}

static void set_aside(void)
{
	unsigned long before, after;

	guest_make(&guest, "limits", 64 * MIB);
	check_equal(guest_write(&guest, "memory.min", "32M"), 0);
	check_equal(guest_figure(&guest, "memory.current"), 32 * MIB);
	check_equal(guest_write(&guest, "memory.max", "31M"), EINVAL);
	before = guest_stat(&guest, "frames_reserved");
	check_equal(before, 32 * MIB);
	check_equal(guest_write(&guest, "memory.min", "8M"), 0);
	check_equal(guest_figure(&guest, "memory.current"), 8 * MIB);
	after = guest_stat(&guest, "frames_reserved");
	check_equal(after, 8 * MIB);
	check_equal(guest_write(&guest, "memory.max", "max"), 0);
	/* More than there is free. */
	check_equal(guest_write(&guest, "memory.min", "%luK", machine_kib() - 1024), ENOMEM);
	check_equal(guest_figure(&guest, "memory.min"), 8 * MIB);
	check_equal(guest_figure(&guest, "memory.current"), 8 * MIB);
	check_equal(guest_write(&guest, "memory.min", "0"), 0);
	check_equal(guest_figure(&guest, "memory.current"), 0);
	check_equal(guest_remove(&guest), 0);
}

/* What eviction took of the reserve is set aside again before long, if it takes no more. */
static bool back_at(unsigned long bytes)
{
	uint64_t end = now_ms() + 100000;

	while (guest_figure(&guest, "memory.current") != bytes && now_ms() < end)
		sleep_ms(10);
	return guest_figure(&guest, "memory.current") == bytes;
}

static void use_reserve(void)
{
	pid_t pid;

	barrier = shared_memory(PAGE);
	guest_make(&guest, "limits", 4 * UNIT);
	check_equal(guest_write(&guest, "memory.min", "%lu", 4 * UNIT), 0);
	pid = guest_child(&guest, hold, NULL);
	meet(barrier, 2, 1);
	kill(pid, SIGSTOP);
	check(back_at(4 * UNIT));
	kill(pid, SIGCONT);
	barrier[1].count = 1;
	join(pid);
	check(guest_clean(&guest));
	check(back_at(4 * UNIT));
	check_equal(guest_write(&guest, "memory.min", "0"), 0);
	check(guest_clean(&guest));
	check_equal(guest_remove(&guest), 0);
}

static void reclaim(void)
{
	pid_t pid = start(32 * UNIT);
	unsigned long before = guest_figure(&guest, "memory.current");

	kill(pid, SIGSTOP);
	check(before >= SIZE);
	check_equal(guest_write(&guest, "memory.reclaim", "%lu", 4 * UNIT), 0);
	check(guest_figure(&guest, "memory.current") <= before - 4 * UNIT + 64 * PAGE);
	check_equal(guest_write(&guest, "memory.reclaim", "1G"), EAGAIN);
	check(guest_figure(&guest, "memory.current") < before / 2);
	kill(pid, SIGCONT);
	finish(pid);
}

static void store_limit(void)
{
	pid_t pid = start(16 * UNIT);
	uint64_t end = now_ms() + 10000;

	check_equal(guest_swap(&guest, 64 * UNIT), 0);
	check_equal(guest_write(&guest, "memory.max", "%lu", 4 * UNIT), 0);
	check_equal(guest_write(&guest, "memory.zswap.max", "%lu", UNIT / 2), 0);
	while (guest_figure(&guest, "memory.zswap.current") > UNIT / 2 + 128 * KIB &&
	       now_ms() < end)
		sleep_ms(50);
	check(guest_figure(&guest, "memory.zswap.current") <= UNIT / 2 + 128 * KIB);
	check(guest_figure(&guest, "memory.swap.current") > 0);
	check(guest_stat(&guest, "pswpout") > 0);
	check_equal(guest_write(&guest, "memory.zswap.max", "0"), 0);
	sleep_ms(300);
	finish(pid);
}

static void swap_limit(void)
{
	pid_t pid;

	hard = true;
	barrier = shared_memory(PAGE);
	guest_make(&guest, "limits", 4 * UNIT);
	check_equal(guest_swap(&guest, 64 * UNIT), 0);
	check_equal(guest_write(&guest, "memory.swap.max", "%lu", 16 * UNIT), 0);
	pid = guest_child(&guest, hold, NULL);
	meet(barrier, 2, 1);
	check(guest_figure(&guest, "memory.swap.current") > 0);
	check(guest_figure(&guest, "memory.swap.current") <= 16 * UNIT);
	/* It cannot be taken away while its pages have no other place. */
	check_equal(guest_write(&guest, "memory.swap.file", "none"), EBUSY);
	barrier[1].count = 1;
	join(pid);
	check(guest_clean(&guest));
	check_equal(guest_write(&guest, "memory.swap.file", "none"), 0);
	check_equal(guest_remove(&guest), 0);
}

/* What is in the file comes back when there is room, while its owner uses it. */
static void swap_off(void)
{
	pid_t pid;

	hard = true;
	barrier = shared_memory(PAGE);
	guest_make(&guest, "limits", 4 * UNIT);
	check_equal(guest_swap(&guest, 64 * UNIT), 0);
	pid = guest_child(&guest, hold, NULL);
	meet(barrier, 2, 1);
	check_equal(guest_write(&guest, "memory.swap.file", "none"), EBUSY);
	check(strstr(guest_read(&guest, "last_error"), "no room in the guest's memory"));
	check(strcmp(guest_read(&guest, "memory.swap.file"), "none"));
	check(guest_figure(&guest, "memory.swap.current") > 0);
	check_equal(guest_event(&guest, "oom_kill"), 0);
	check_equal(guest_write(&guest, "memory.max", "%lu", 64 * UNIT), 0);
	check_equal(guest_write(&guest, "memory.swap.file", "none"), 0);
	check_equal(guest_figure(&guest, "memory.swap.current"), 0);
	check(!strcmp(guest_read(&guest, "memory.swap.file"), "none"));
	check_equal(guest_swap(&guest, 64 * UNIT), 0);
	finish(pid);
}

static void swap_files(void)
{
	struct guest other;
	char path[128], small[] = SCRATCH "/smallXXXXXX";
	int fd;

	if (access(SCRATCH, W_OK))
		skip("no %s", SCRATCH);
	guest_make(&guest, "limits", 4 * UNIT);
	guest_make(&other, "limits2", 4 * UNIT);
	check_equal(guest_write(&guest, "memory.swap.file", "relative"), EINVAL);
	check_equal(guest_write(&guest, "memory.swap.file", "/nonexistent"), ENOENT);
	check(guest_write(&guest, "memory.swap.file", "/tmp") > 0);
	check(guest_write(&guest, "memory.swap.file", "/dev/null") > 0);
	check(guest_write(&guest, "memory.swap.file", "/proc/version") > 0);
	fd = mkstemp(small);
	check(fd >= 0);
	/* Not while somebody else may write to it. */
	check_equal(guest_write(&guest, "memory.swap.file", "%s", small), EBUSY);
	close(fd);
	check_equal(guest_write(&guest, "memory.swap.file", "%s", small), EINVAL);
	check(!truncate(small, 1L << 40));
	check_equal(guest_write(&guest, "memory.swap.file", "%s", small), ENOSPC);
	check(guest_read(&guest, "last_error")[0]);
	unlink(small);
	check_equal(guest_swap(&guest, 16 * UNIT), 0);
	snprintf(path, sizeof(path), SCRATCH "/%s.swap", guest.name);
	/* Nobody else writes to it from now on, and there is no second one. */
	check(open(path, O_WRONLY) < 0 && errno == ETXTBSY);
	check_equal(guest_write(&guest, "memory.swap.file", "%s", path), EBUSY);
	check_equal(guest_write(&other, "memory.swap.file", "%s", path), EEXIST);
	check_equal(guest_write(&guest, "memory.swap.file", "none"), 0);
	check_equal(guest_write(&other, "memory.swap.file", "%s", path), 0);
	check_equal(guest_remove(&guest), 0);
	check_equal(guest_remove(&other), 0);
}

/* The file is cut short while pages are in it: who needs them gets SIGBUS, nobody else notices. */
static void truncated(void)
{
	char path[128];
	pid_t pid;
	int status;

	if (access(SCRATCH, W_OK))
		skip("no %s", SCRATCH);
	hard = true;
	barrier = shared_memory(PAGE);
	guest_make(&guest, "limits", 4 * UNIT);
	check_equal(guest_swap(&guest, 64 * UNIT), 0);
	pid = guest_child(&guest, hold, NULL);
	meet(barrier, 2, 1);
	kill(pid, SIGSTOP);
	snprintf(path, sizeof(path), SCRATCH "/%s.swap", guest.name);
	/* The kernel may forbid it, as it does for its own swap files. */
	status = truncate(path, 0) ? errno : 0;
	if (status)
		check(status == ETXTBSY || status == EPERM);
	kill(pid, SIGCONT);
	if (status) {
		barrier[1].count = 1;
		join(pid);
	} else {
		join_killed(pid, SIGBUS);
	}
	guest_end(&guest);
}

static const struct test tests[] = {
	{ "memory.max goes down while it runs", lower, .host = true },
	{ "memory.max that cannot be met is rolled back", roll_back, .host = true },
	{ "what is refused", refusals, .host = true },
	{ "memory.min sets frames aside", set_aside, .host = true },
	{ "memory.min's frames are used", use_reserve, .host = true },
	{ "memory.reclaim", reclaim, .host = true },
	{ "memory.zswap.max", store_limit, .host = true },
	{ "memory.swap.max and the way back", swap_limit, .host = true },
	{ "memory.swap.file none while pages are in it", swap_off, .host = true,
	  .seconds = 120 },
	{ "which swap files are taken", swap_files, .host = true },
	{ "a swap file is truncated", truncated, .host = true },
};

TEST_MAIN(tests)
