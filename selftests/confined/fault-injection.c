// SPDX-License-Identifier: GPL-2.0
/*
 * Allocations of the kernel fail at random: each call then works, or fails with an
 * errno, or its process is killed; nothing is leaked and nothing warns.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"
#include "test.h"

#define POOL	(2 * MIB)
#define MAKES		15
#define PROCESSES	5
#define ENTERS		25
#define DEBUGFS	"/sys/kernel/debug"

static void put(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value, strlen(value)) != (ssize_t)strlen(value))
		skip("%s: %s", path, strerror(errno));
	close(fd);
}

static void put_all(const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), DEBUGFS "/failslab/%s", name);
	put(path, value);
	snprintf(path, sizeof(path), DEBUGFS "/fail_page_alloc/%s", name);
	put(path, value);
}

static void set_up(const char *probability)
{
	if (access(DEBUGFS "/failslab", F_OK))
		mount("debugfs", DEBUGFS, "debugfs", 0, NULL);
	if (access(DEBUGFS "/failslab", F_OK))
		skip("the kernel has no fault injection");
	put_all("task-filter", "Y");
	put_all("probability", probability);
	put_all("times", "-1");
	put_all("interval", "1");
	put_all("space", "0");
	put_all("verbose", "0");
	put(DEBUGFS "/failslab/ignore-gfp-wait", "N");
	put(DEBUGFS "/fail_page_alloc/ignore-gfp-wait", "N");
	put(DEBUGFS "/fail_page_alloc/ignore-gfp-highmem", "N");
	put(DEBUGFS "/fail_page_alloc/min-order", "0");
}

/* Opened before it takes effect, for who cannot open anything then. */
static int switch_fd;

/* From now on, this process's allocations may fail, and those of its future children. */
static void fail_me(void)
{
	switch_fd = open("/proc/self/make-it-fail", O_WRONLY | O_CLOEXEC);
	if (switch_fd < 0)
		skip("/proc/self/make-it-fail: %s", strerror(errno));
	check_equal(write(switch_fd, "1", 1), 1);
}

static void spare_me(void)
{
	check_equal(write(switch_fd, "0", 1), 1);
	close(switch_fd);
}

/* Either it ends well or it is killed. */
static void ends(pid_t pid)
{
	int status;

	check_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		check(WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGBUS ||
		      WTERMSIG(status) == SIGSEGV);
	else
		check_equal(status, 0);
}

/* ---- guests ---- */

static void create(void)
{
	unsigned int i, made = 0;

	/* One in 1400, of some 1600 allocations. */
	set_up("1");
	put_all("interval", "14");
	for (i = 0; i < MAKES; i++) {
		struct guest guest = { .name = GUEST_PREFIX "injection" };
		int err;

		fail_me();
		err = mkdir(GUEST_TREE "/test-injection", 0755) ? errno : 0;
		if (!err) {
			guest_write(&guest, "memory.max", "2M");
			guest_write(&guest, "memory.min", "1M");
		}
		spare_me();
		if (err) {
			check_equal(err, ENOMEM);
			continue;
		}
		made++;
		check_equal(guest_write(&guest, "memory.min", "0"), 0);
		guest_end(&guest);
	}
	note("%u of %u were made", made, MAKES);
	check(made);
}

/* ---- processes ---- */

static void use_memory(void *arg)
{
	char *p, *q;

	fail_me();
	p = mmap(NULL, 4 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return;
	fill(p, 4 * MIB, 1);
	q = mremap(p, 4 * MIB, 5 * MIB, MREMAP_MAYMOVE);
	if (q == MAP_FAILED)
		q = p;
	madvise(q, MIB, MADV_DONTNEED);
	munmap(q + MIB, PAGE);
	mmap(q + MIB, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	/* What was written is there, or the process is gone. */
	check(filled(q + 2 * MIB, 0, 1));
	check(!memcmp(q + 3 * MIB, q + 3 * MIB, MIB));
}

static void many(void (*run)(void *arg), const char *probability)
{
	struct guest guest;
	unsigned int i;

	set_up(probability);
	guest_make(&guest, "injection", POOL);
	for (i = 0; i < PROCESSES; i++) {
		ends(guest_child(&guest, run, NULL));
		guest_kill(&guest);
		check(guest_clean(&guest));
	}
	guest_end(&guest);
}

static void memory(void)
{
	many(use_memory, "2");
}

static void fork_and_look(void *arg)
{
	char *p = private_memory(2 * MIB);
	unsigned int i;
	int status;

	fill(p, 2 * MIB, 2);
	fail_me();
	for (i = 0; i < 10; i++) {
		pid_t pid = fork();

		if (!pid) {
			memset(p, 3, MIB);
			_exit(0);
		}
		if (pid < 0) {
			if (errno != ENOMEM && errno != EAGAIN)
				_exit(7);
			continue;
		}
		if (waitpid(pid, &status, 0) != pid)
			_exit(8);
	}
	spare_me();
	check(filled(p, 2 * MIB, 2));
}

static void forks(void)
{
	many(fork_and_look, "2");
}

static void exec_something(void *arg)
{
	static char *argv[] = { "/bin/true", NULL };
	unsigned int i;
	int status;

	for (i = 0; i < 8; i++) {
		pid_t pid = fork();

		if (!pid) {
			dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
			fail_me();
			execv(argv[0], argv);
			_exit(0);
		}
		/* The dynamic linker may fail in its own way. */
		if (pid > 0)
			waitpid(pid, &status, 0);
	}
}

static void execs(void)
{
	many(exec_something, "1");
}

static void enter(void)
{
	struct guest guest;
	unsigned int i;
	pid_t pid;

	set_up("10");
	guest_make(&guest, "injection", POOL);
	for (i = 0; i < ENTERS; i++) {
		fflush(stdout);
		pid = fork();
		if (!pid) {
			int err;

			fail_me();
			err = guest_enter(&guest);
			spare_me();
			if (err && err != ENOMEM)
				note("enter: %s", strerror(err));
			_exit(err && err != ENOMEM);
		}
		ends(pid);
		check(guest_clean(&guest));
	}
	guest_end(&guest);
}

static const struct test tests[] = {
	{ "guests are made and set", create, .host = true, .alone = true, .seconds = 60 },
	{ "processes enter", enter, .host = true, .seconds = 30 },
	{ "memory is used", memory, .host = true, .seconds = 60 },
	{ "processes fork", forks, .host = true, .seconds = 60 },
	{ "processes exec", execs, .host = true, .seconds = 60 },
};

TEST_MAIN(tests)
