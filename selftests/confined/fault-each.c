// SPDX-License-Identifier: GPL-2.0
/*
 * Each allocation of the kernel within a call fails once, the first, the second, and so on
 * until none is left (of very many, some are left out): each time the call works, or fails
 * and has changed nothing that can be seen, or its process is killed; and nothing is leaked.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"
#include "test.h"

#define POOL	(4 * MIB)
#define DEBUGFS	"/sys/kernel/debug"
#define SIZE	(32 * PAGE)
#define NEVER	100000	/* more allocations than any call here makes */
#ifndef MANY
#define MANY	20	/* beyond so many, not each one is tried: long-fault-each does */
#endif

/* What a child says of its attempt. */
#define STATUS_FIRED	10	/* the failure happened */
#define STATUS_WHOLE	11	/* the call made fewer allocations */

static int nth_fd;

static void put(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value, strlen(value)) != (ssize_t)strlen(value))
		skip("%s: %s", path, strerror(errno));
	close(fd);
}

static void set_up(void)
{
	if (access(DEBUGFS "/failslab", F_OK))
		mount("debugfs", DEBUGFS, "debugfs", 0, NULL);
	if (access(DEBUGFS "/failslab", F_OK))
		skip("the kernel has no fault injection");
	put(DEBUGFS "/failslab/verbose", "0");
	put(DEBUGFS "/fail_page_alloc/verbose", "0");
	put(DEBUGFS "/failslab/ignore-gfp-wait", "N");
	put(DEBUGFS "/fail_page_alloc/ignore-gfp-wait", "N");
	put(DEBUGFS "/fail_page_alloc/ignore-gfp-highmem", "N");
	put(DEBUGFS "/fail_page_alloc/min-order", "0");
}

/* The running thread's allocation number @n from now on fails. */
static void arm(unsigned int n)
{
	char number[16];
	int len = snprintf(number, sizeof(number), "%u", n);

	nth_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	check(nth_fd >= 0);
	check_equal(write(nth_fd, number, len), len);
}

/* Return: how many allocations are missing until it does; 0: it has failed. */
static unsigned int left(void)
{
	char number[16] = "";

	check(pread(nth_fd, number, sizeof(number) - 1, 0) > 0);
	check_equal(write(nth_fd, "0", 1), 1);
	close(nth_fd);
	return strtoul(number, NULL, 10);
}

/* Return: did it? */
static bool disarm(void)
{
	return !left();
}

/* ---- calls of the guest's processes ---- */

static char *memory;

static void *anywhere(size_t size)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static bool attempt_map(unsigned int n)
{
	char *p;
	bool fired;

	arm(n);
	/* Executable, so that it is not merged with what stands beside it. */
	p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		 0);
	fired = disarm();
	if (p == MAP_FAILED) {
		check_equal(errno, ENOMEM);
		return fired;
	}
	check(zeroed(p, SIZE));
	fill(p, SIZE, 2);
	check(filled(p, SIZE, 2));
	return fired;
}

static bool attempt_replace(unsigned int n)
{
	char *p;
	bool fired;

	arm(n);
	p = mmap(memory + SIZE / 2, SIZE / 4, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	fired = disarm();
	check(filled(memory, SIZE / 2, 1));
	/* The host, too, may have unmapped what a failed call was to replace. */
	if (p != MAP_FAILED)
		check(zeroed(p, SIZE / 4));
	return fired;
}

static bool attempt_unmap(unsigned int n)
{
	bool fired;
	int ret;

	arm(n);
	ret = munmap(memory + PAGE, PAGE);
	fired = disarm();
	if (ret) {
		check_equal(errno, ENOMEM);
		check(filled(memory, SIZE, 1));
		return fired;
	}
	check(mmap(memory + PAGE, PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == memory + PAGE);
	check(zeroed(memory + PAGE, PAGE));
	return fired;
}

static bool attempt_move(unsigned int n)
{
	char *to = anywhere(SIZE), *p;
	bool fired;

	arm(n);
	p = mremap(memory, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	fired = disarm();
	if (p == MAP_FAILED)
		check(filled(memory, SIZE, 1));
	else
		check(filled(to, SIZE, 1));
	return fired;
}

static bool attempt_grow(unsigned int n)
{
	char *p;
	bool fired;

	arm(n);
	p = mremap(memory, SIZE, 64 * SIZE, MREMAP_MAYMOVE);
	fired = disarm();
	if (p == MAP_FAILED) {
		check_equal(errno, ENOMEM);
		check(filled(memory, SIZE, 1));
	} else {
		check(filled(p, SIZE, 1));
		check(zeroed(p + SIZE, SIZE));
	}
	return fired;
}

static bool attempt_discard(unsigned int n)
{
	bool fired;
	int ret;

	arm(n);
	ret = madvise(memory, SIZE / 2, MADV_DONTNEED);
	fired = disarm();
	check(filled(memory + SIZE / 2, 0, 1));
	if (!ret)
		check(zeroed(memory, SIZE / 2));
	return fired;
}

static bool attempt_break(unsigned int n)
{
	char *p = sbrk(0);
	bool fired;
	void *ret;

	arm(n);
	ret = sbrk(SIZE);
	fired = disarm();
	if (ret == (void *)-1)
		check(sbrk(0) == p);
	else
		check(zeroed(p, SIZE));
	return fired;
}

static bool attempt_touch(unsigned int n)
{
	char *p = anywhere(SIZE);
	unsigned int i;
	bool fired;

	arm(n);
	for (i = 0; i < SIZE / PAGE; i++)
		p[i * PAGE] = i + 1;
	fired = disarm();
	for (i = 0; i < SIZE / PAGE; i++)
		check_equal(p[i * PAGE], i + 1);
	return fired;
}

/* A private file mapping becomes writable. */
static bool attempt_protect(unsigned int n)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), ret;
	char *p = mmap(NULL, 8 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0), *q;
	bool fired;

	q = mmap(NULL, 8 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	check(p != MAP_FAILED && q != MAP_FAILED && !memcmp(p, q, 8 * PAGE));
	arm(n);
	ret = mprotect(p, 8 * PAGE, PROT_READ | PROT_WRITE);
	fired = disarm();
	check(!memcmp(p, q, 8 * PAGE));
	if (!ret) {
		memset(p + PAGE, 7, PAGE);
		check(memcmp(p + PAGE, q + PAGE, PAGE) && !memcmp(p, q, PAGE));
	}
	return fired;
}

static bool attempt_split(unsigned int n)
{
	bool fired;

	arm(n);
	mprotect(memory + PAGE, PAGE, PROT_READ);
	fired = disarm();
	check(filled(memory, SIZE, 1));
	check(!mprotect(memory, SIZE, PROT_READ | PROT_WRITE));
	fill(memory, SIZE, 2);
	check(filled(memory, SIZE, 2));
	return fired;
}

static bool attempt_attach(unsigned int n)
{
	int id = shmget(IPC_PRIVATE, PAGE, IPC_CREAT | 0600);
	bool fired;

	check(id >= 0);
	arm(n);
	shmat(id, memory, SHM_REMAP);
	fired = disarm();
	shmctl(id, IPC_RMID, NULL);
	check(filled(memory + SIZE / 2, 0, 1));
	return fired;
}

static bool attempt_fork(unsigned int n)
{
	int status;
	bool fired;
	pid_t pid;

	arm(n);
	pid = fork();
	if (!pid) {
		check(filled(memory, SIZE, 1));
		fill(memory, SIZE, 2);
		check(filled(memory, SIZE, 2));
		_exit(0);
	}
	fired = disarm();
	if (pid < 0)
		check(errno == ENOMEM || errno == EAGAIN);
	else
		check(waitpid(pid, &status, 0) == pid && (!status || status == SIGKILL));
	check(filled(memory, SIZE, 1));
	fill(memory, SIZE, 3);
	check(filled(memory, SIZE, 3));
	return fired;
}

static bool attempt_exec(unsigned int n)
{
	static char *argv[] = { "fault-each", "--execed", NULL };

	/* The dynamic linker has much to say. */
	dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
	arm(n);
	execv("/proc/self/exe", argv);
	return disarm();
}

/* What attempt_exec() starts. */
static int execed(void)
{
	nth_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	return nth_fd < 0 || disarm() ? STATUS_FIRED : STATUS_WHOLE;
}

static void attempt(bool (*run)(unsigned int n), unsigned int n)
{
	memory = anywhere(SIZE);
	check(memory != MAP_FAILED);
	fill(memory, SIZE, 1);
	_exit(run(n) ? STATUS_FIRED : STATUS_WHOLE);
}

/* Has the call, in a process of its own, been whole? */
static bool whole(pid_t pid, unsigned int n)
{
	int status;

	check_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status)) {
		/* The dynamic linker's own. */
		if (WEXITSTATUS(status) == 127)
			return false;
		if (WEXITSTATUS(status) == STATUS_WHOLE)
			return true;
		if (WEXITSTATUS(status) == STATUS_FIRED)
			return false;
	} else if (WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGSEGV) {
		return false;
	}
	note("allocation %u: status %#x", n, status);
	check(!"the call worked, failed, or its process was killed");
	return false;
}

static void sweep(bool (*run)(unsigned int n), bool bound_already)
{
	struct guest guest;
	unsigned int n;
	pid_t pid;
	bool done = false;

	set_up();
	guest_make(&guest, "each", POOL);
	for (n = 1; !done && n < NEVER; n += 1 + n / MANY) {
		fflush(stdout);
		pid = fork();
		check(pid >= 0);
		if (!pid) {
			if (bound_already)
				check_equal(guest_enter(&guest), 0);
			attempt(run, n);
		}
		done = whole(pid, n);
		guest_kill(&guest);
		if (!guest_clean(&guest)) {
			note("after allocation %u", n);
			check(!"figures are zero");
		}
	}
	note("%u allocations", n);
	check(done);
	guest_end(&guest);
}

static void map(void)		{ sweep(attempt_map, true); }
static void replace(void)	{ sweep(attempt_replace, true); }
static void unmap(void)		{ sweep(attempt_unmap, true); }
static void move(void)		{ sweep(attempt_move, true); }
static void grow(void)		{ sweep(attempt_grow, true); }
static void discard(void)	{ sweep(attempt_discard, true); }
static void set_break(void)	{ sweep(attempt_break, true); }
static void touch(void)		{ sweep(attempt_touch, true); }
static void protect(void)	{ sweep(attempt_protect, true); }
static void split(void)		{ sweep(attempt_split, true); }
static void attach(void)	{ sweep(attempt_attach, true); }
static void forks(void)		{ sweep(attempt_fork, true); }
static void execs(void)		{ sweep(attempt_exec, true); }

/* ---- the control tree ---- */

static bool attempt_enter(unsigned int n)
{
	struct guest guest = { .name = GUEST_PREFIX "each" };
	bool fired;
	int err;

	arm(n);
	err = guest_enter(&guest);
	fired = disarm();
	check(!err || err == ENOMEM);
	check(filled(memory, SIZE, 1));
	return fired;
}

static void enter(void)
{
	sweep(attempt_enter, false);
}

/* The kernel shows a stack for each slab cache that it could not make; a console takes its time. */
static void hush(bool quiet)
{
	static char level[64];
	FILE *file = fopen("/proc/sys/kernel/printk", "r+");

	check(file && (!quiet || fgets(level, sizeof(level), file)));
	rewind(file);
	fputs(quiet ? "1" : level, file);
	check(!fclose(file));
}

static void create_each(void *arg)
{
	struct guest guest = { .name = GUEST_PREFIX "each" };
	unsigned int n, total;
	bool fired = true;
	int err;

	arm(NEVER);
	check(!mkdir(GUEST_TREE "/" GUEST_PREFIX "each", 0755));
	total = NEVER - left();
	guest_end(&guest);
	note("about %u allocations", total);
	for (n = 1; fired && n < NEVER; n += 1 + total / MANY) {
		arm(n);
		err = mkdir(GUEST_TREE "/" GUEST_PREFIX "each", 0755) ? errno : 0;
		fired = disarm();
		if (err)
			check_equal(err, ENOMEM);
		else
			guest_end(&guest);
	}
	check(!fired);
}

static void create(void)
{
	int status;
	pid_t pid;

	set_up();
	hush(true);
	pid = child(create_each, NULL);
	check_equal(waitpid(pid, &status, 0), pid);
	hush(false);
	check_equal(status, 0);
}

static void destroy(void)
{
	struct guest guest;
	bool fired = true;
	unsigned int n;

	set_up();
	for (n = 1; fired && n < NEVER; n++) {
		int ret;

		guest_make(&guest, "each", POOL);
		arm(n);
		ret = rmdir(GUEST_TREE "/" GUEST_PREFIX "each");
		fired = disarm();
		check(fired || !ret);
		if (ret)
			guest_end(&guest);
	}
	note("%u allocations", n);
	check(!fired);
}

static void set(const char *file, const char *value, const char *back)
{
	struct guest guest;
	bool fired = true;
	unsigned int n;

	set_up();
	guest_make(&guest, "each", POOL);
	for (n = 1; fired && n < NEVER; n++) {
		int err;

		arm(n);
		err = guest_write(&guest, file, "%s", value);
		fired = disarm();
		check(!err || err == ENOMEM || err == EBUSY || err == EIO);
		check_equal(guest_write(&guest, file, "%s", back), 0);
		check(guest_clean(&guest));
	}
	note("%u allocations", n);
	check(!fired);
	guest_end(&guest);
}

static void set_max(void)
{
	set("memory.max", "1M", "4M");
}

static void set_min(void)
{
	set("memory.min", "1M", "0");
}

static void set_swap(void)
{
	static const char path[] = SCRATCH "/fault-each.swap";
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		skip("%s: %s", path, strerror(errno));
	check(!ftruncate(fd, 8 * MIB));
	close(fd);
	set("memory.swap.file", path, "none");
	unlink(path);
}

static const struct test tests[] = {
	{ "a guest is made", create, .host = true, .alone = true, .seconds = 120 },
	{ "a guest is removed", destroy, .host = true, .seconds = 120 },
	{ "memory.max", set_max, .host = true },
	{ "memory.min", set_min, .host = true },
	{ "memory.swap.file", set_swap, .host = true },
	{ "a process enters", enter, .host = true },
	{ "mmap", map, .host = true },
	{ "mmap over other memory", replace, .host = true },
	{ "munmap", unmap, .host = true },
	{ "mremap to a place", move, .host = true },
	{ "mremap grows", grow, .host = true },
	{ "madvise", discard, .host = true },
	{ "brk", set_break, .host = true },
	{ "a first touch", touch, .host = true, .seconds = 60 },
	{ "mprotect of a file's pages", protect, .host = true },
	{ "mprotect of memory", split, .host = true },
	{ "shmat", attach, .host = true },
	{ "fork", forks, .host = true, .seconds = 60 },
	{ "exec", execs, .host = true, .seconds = 90 },
};

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--execed"))
		return execed();
	return test_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
