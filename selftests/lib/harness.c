// SPDX-License-Identifier: GPL-2.0
/* Runs the cases of a program: on the host, in a guest with a store, in one with a swap file. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"
#include "test.h"

#define DEFAULT_POOL	(2 * MIB)
#define DEFAULT_SECONDS	30
#define SLOW_MS		1000	/* from which a case's time is shown */
#define SHRINK		4	/* on a debug kernel, of memory */
#define PROGRAM		(384 * KIB)	/* what a few processes need besides */
#define SLOWNESS	6	/* of a debug kernel */
#define KEPT		GUEST_TREE "/hooks"

enum place { HOST, STORE, SWAP, PLACES };

static const char *const place_name[PLACES] = { "host", "store", "swap" };
static const char *program;

/* ---- what cases use ---- */

void note(const char *format, ...)
{
	char line[512];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line, sizeof(line) - 1, format, args);
	va_end(args);
	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n] = 0;
	/* One write, so that processes do not mix within a line. */
	fflush(stdout);
	dprintf(STDOUT_FILENO, "# %s\n", line);
}

void skip(const char *format, ...)
{
	char line[256];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	note("skipped: %s", line);
	_exit(STATUS_SKIP);
}

void test_check(bool good, const char *what, const char *file, int line)
{
	int err = errno;

	if (good)
		return;
	note("%s:%d: pid %d: not true: %s (errno %d: %s)", file, line, getpid(), what, err,
	     strerror(err));
	_exit(STATUS_FAIL);
}

void test_check_equal(long a, long b, const char *what_a, const char *what_b, const char *file,
		      int line)
{
	int err = errno;

	if (a == b)
		return;
	note("%s:%d: pid %d: %s is %ld (%#lx), %s is %ld (errno %d: %s)", file, line, getpid(),
	     what_a, a, a, what_b, b, err, strerror(err));
	_exit(STATUS_FAIL);
}

bool in_guest(void)
{
	return getenv("TEST_GUEST");
}

bool debug_kernel(void)
{
	static int is = -1;

	if (is < 0)
		is = !access("/proc/lockdep_stats", F_OK);
	return is;
}

size_t scaled(size_t bytes)
{
	return debug_kernel() ? bytes / SHRINK : bytes;
}

/* Whether what is evicted goes to a disk, which takes several times as long as the store. */
static bool swaps(void)
{
	const char *guest = getenv("TEST_GUEST");
	const char *place = guest ? strrchr(guest, '-') : NULL;

	return place && !strcmp(place + 1, place_name[SWAP]);
}

unsigned int rounds(unsigned int n)
{
	if (debug_kernel() && n > 4)
		n /= 4;
	if (swaps() && n > 4)
		n /= 2;
	return n;
}

/* ---- one case in one place ---- */

static unsigned int seconds_of(const struct test *test)
{
	unsigned int seconds = test->seconds ? test->seconds : DEFAULT_SECONDS;

	return debug_kernel() ? seconds * SLOWNESS : seconds;
}

static void be_case(unsigned int index, struct guest *guest)
{
	char number[16];

	setpgid(0, 0);
	if (guest) {
		int err = guest_enter(guest);

		if (err) {
			note("cannot enter the guest: %s", strerror(err));
			_exit(STATUS_FAIL);
		}
		setenv("TEST_GUEST", guest->name, 1);
	}
	snprintf(number, sizeof(number), "%u", index);
	execl("/proc/self/exe", program, "--case", number, NULL);
	note("exec: %s", strerror(errno));
	_exit(STATUS_FAIL);
}

/* Return: the wait status, or -1 when the time is over. */
static int wait_until(pid_t pid, uint64_t end)
{
	struct pollfd ended = { .fd = pidfd_open(pid, 0), .events = POLLIN };
	int status, n;
	uint64_t now;

	check(ended.fd >= 0);
	do {
		now = now_ms();
		n = poll(&ended, 1, now < end ? end - now : 0);
	} while (n < 0 && errno == EINTR);
	close(ended.fd);
	if (n != 1)
		return -1;
	check_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void show_wait(pid_t pid)
{
	static const char *const files[] = { "wchan", "stack", "status" };
	char path[64], line[256];
	unsigned int i;
	FILE *file;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", pid, files[i]);
		file = fopen(path, "r");
		while (file && fgets(line, sizeof(line), file) && i < 2)
			note("%s: %.*s", files[i], (int)strcspn(line, "\n"), line);
		if (file)
			fclose(file);
	}
}

static int run_process(const struct test *test, unsigned int index, struct guest *guest)
{
	uint64_t end = now_ms() + 1000ULL * seconds_of(test);
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		be_case(index, guest);
	status = wait_until(pid, end);
	if (status == -1) {
		note("still running after %u s", seconds_of(test));
		show_wait(pid);
		if (guest) {
			note("memory.current %lu", guest_figure(guest, "memory.current"));
			note("oom_kill %lu, oom %lu", guest_event(guest, "oom_kill"),
			     guest_event(guest, "oom"));
		}
		kill(-pid, SIGKILL);
		if (wait_until(pid, now_ms() + 10000) == -1)
			note("process %d does not die", pid);
		return STATUS_FAIL;
	}
	kill(-pid, SIGKILL);
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	note("killed by signal %d", WTERMSIG(status));
	return STATUS_FAIL;
}

/* What must hold of the guest once the case is over; false if it does not. */
static bool look_after(const struct test *test, struct guest *guest, int status)
{
	uint64_t end = now_ms() + 2000;
	bool good = true;

	while (guest_has_processes(guest) && now_ms() < end)
		sleep_ms(10);
	if (guest_has_processes(guest)) {
		note("processes are left: %s", guest_read(guest, "procs"));
		good = false;
	}
	if (!guest_kill(guest)) {
		note("processes do not die: %s", guest_read(guest, "procs"));
		return false;
	}
	if (!status && !test->calm && !guest_stat(guest, "pgsteal")) {
		note("nothing was evicted");
		good = false;
	}
	if (!test->dies && guest_event(guest, "oom_kill")) {
		note("oom_kill %lu", guest_event(guest, "oom_kill"));
		good = false;
	}
	return guest_clean(guest) && good;
}

static int run_in_guest(const struct test *test, unsigned int index, enum place place)
{
	unsigned long pool = test->pool ? test->pool : DEFAULT_POOL;
	struct guest guest;
	char name[64];
	int status, err;

	if (debug_kernel())
		pool = scaled(pool) + PROGRAM;
	snprintf(name, sizeof(name), "%.40s-%u-%s", program, index, place_name[place]);
	guest_make(&guest, name, pool);
	if (place == SWAP) {
		err = guest_swap(&guest, 16 * pool > 64 * MIB ? 16 * pool : 64 * MIB);
		if (!err)
			err = guest_write(&guest, "memory.zswap.max", "%lu", pool / 8);
		if (err) {
			note("swap file: %s; %s", strerror(err), guest_read(&guest, "last_error"));
			guest_remove(&guest);
			return STATUS_FAIL;
		}
	}
	status = run_process(test, index, &guest);
	if (!look_after(test, &guest, status))
		status = STATUS_FAIL;
	err = guest_remove(&guest);
	if (err) {
		note("rmdir: %s", strerror(err));
		status = STATUS_FAIL;
	}
	return status;
}

/* ---- all of them ---- */

static int result(unsigned int number, int status, enum place place, const char *name,
		  uint64_t since)
{
	unsigned long ms = now_ms() - since;

	static const char *const verdict[] = { "ok", "not ok" };
	bool good = !status || status == STATUS_SKIP;

	if (ms >= SLOW_MS)
		note("%lu.%lu s", ms / 1000, ms / 100 % 10);
	printf("%s %u - %s: %s%s\n", verdict[!good], number, place_name[place], name,
	       status == STATUS_SKIP ? " # SKIP" : "");
	fflush(stdout);
	return !good;
}

static bool is_scratch(void)
{
	return !access(SCRATCH, W_OK);
}

static bool chosen(const struct test *test, const char *only)
{
	return !only || strstr(test->name, only);
}

/*
 * A guest that stays holds the hooks: to arm and disarm them around each case would take longer
 * than most cases do.
 */
static bool hold_hooks(bool hold)
{
	if (hold)
		return !mkdir(KEPT, 0755) || errno == EEXIST;
	return !rmdir(KEPT) || errno == ENOENT;
}

/* @only: cases whose name contains it, NULL for all */
static int run_all(const struct test *tests, unsigned int n, const char *only)
{
	unsigned int i, number = 0, plan = 0, failed = 0;
	bool tree = guest_tree_mount();
	int status, place;
	uint64_t since;

	for (i = 0; i < n; i++)
		if (chosen(&tests[i], only))
			plan += tests[i].host ? 1 : PLACES;
	printf("TAP version 13\n1..%u\n", plan);
	for (i = 0; i < n; i++) {
		if (!chosen(&tests[i], only))
			continue;
		if (tree && !hold_hooks(!tests[i].alone))
			note("guest of the hooks: %s", strerror(errno));
		since = now_ms();
		status = tests[i].host && !tree ? STATUS_SKIP : run_process(&tests[i], i, NULL);
		if (tree && guest_remove_all() && !status)
			status = STATUS_FAIL;
		failed += result(++number, status, HOST, tests[i].name, since);
		for (place = STORE; place < PLACES && !tests[i].host; place++) {
			int verdict = STATUS_SKIP;

			/* What the host does not do either says nothing about a guest. */
			since = now_ms();
			if (!status && tree && (place != SWAP || is_scratch()))
				verdict = run_in_guest(&tests[i], i, place);
			failed += result(++number, verdict, place, tests[i].name, since);
		}
	}
	if (tree)
		hold_hooks(false);
	return failed ? STATUS_FAIL : 0;
}

int test_main(int argc, char **argv, const struct test *tests, unsigned int n)
{
	unsigned long index;

	program = basename(strdup(argv[0]));
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 3 && !strcmp(argv[1], "--case")) {
		index = strtoul(argv[2], NULL, 10);
		if (index >= n)
			return STATUS_FAIL;
		tests[index].run();
		return 0;
	}
	return run_all(tests, n, argc == 2 ? argv[1] : NULL);
}
