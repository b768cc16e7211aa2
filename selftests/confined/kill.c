// SPDX-License-Identifier: GPL-2.0
/* kill -9 of everything in a guest at any moment leaves exactly nothing. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"
#include "test.h"

#ifndef ROUNDS
#define ROUNDS	16
#endif

#define POOL	(debug_kernel() ? MIB : 3 * MIB)
#define SIZE	(2 * UNIT)

/* ---- what is killed ---- */

static char *memory;

static void *touch_always(void *arg)
{
	for (;;)
		memory[random_number() % SIZE] = 1;
	return NULL;
}

static void touchers(void)
{
	pthread_t thread;
	int i;

	for (i = 0; i < 3; i++)
		pthread_create(&thread, NULL, touch_always, NULL);
	touch_always(NULL);
}

static void forkers(void)
{
	for (;;) {
		pid_t pid = fork();

		if (!pid) {
			memset(memory + random_number() % (SIZE / 2), 3, SIZE / 4);
			_exit(0);
		}
		if (pid > 0 && random_number() % 4)
			waitpid(pid, NULL, 0);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		memset(memory + random_number() % (SIZE / 2), 2, SIZE / 4);
	}
}

static void mappers(void)
{
	for (;;) {
		size_t size = (1 + random_number() % 200) * PAGE;
		char *p = private_memory(size);

		fill(p, size, 1);
		p = mremap(p, size, 2 * size, MREMAP_MAYMOVE);
		check(p != MAP_FAILED);
		madvise(p, size, MADV_DONTNEED);
		munmap(p + size / 2, size);
		munmap(p, 2 * size);
	}
}

static void execers(void)
{
	static char *argv[] = { "/bin/true", NULL };

	for (;;) {
		pid_t pid = random_number() % 2 ? fork() : vfork();

		if (!pid) {
			execv(argv[0], argv);
			_exit(1);
		}
		if (pid > 0)
			waitpid(pid, NULL, 0);
	}
}

/* exec by a thread, with other threads at work. */
static void *exec_self(void *arg)
{
	static char *argv[] = { "kill", "--case", "3", NULL };

	sleep_ms(random_number() % 10);
	execv("/proc/self/exe", argv);
	return NULL;
}

static void thread_execers(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, exec_self, NULL);
	touchers();
}

/* ---- who kills ---- */

/* Cases 0 to 4 are the workers; --case N of this program runs one. */
static void storm(unsigned int worker)
{
	struct guest guest;
	char number[8];
	char *argv[] = { "/proc/self/exe", "--case", number, NULL };
	unsigned int i, n, total = rounds(ROUNDS);

	snprintf(number, sizeof(number), "%u", worker);
	guest_make(&guest, "storm", POOL);
	for (i = 0; i < total; i++) {
		pid_t pid[3];

		/* Every other time with a swap file, so that I/O is under way too. */
		if (i == total / 2) {
			check_equal(guest_swap(&guest, 64 * MIB), 0);
			check_equal(guest_write(&guest, "memory.zswap.max", "%lu", POOL / 8), 0);
		}
		setenv("TEST_WORKER", "1", 1);
		for (n = 0; n < 3; n++)
			pid[n] = guest_exec(&guest, argv);
		unsetenv("TEST_WORKER");
		sleep_ms(random_number() % (debug_kernel() ? 600 : 200));
		for (n = 0; n < 3; n++)
			kill(pid[n], SIGKILL);
		if (!guest_kill(&guest)) {
			note("round %u: processes do not die: %s", i, guest_read(&guest, "procs"));
			check(!"all died");
		}
		for (n = 0; n < 3; n++)
			join_killed(pid[n], SIGKILL);
		if (!guest_clean(&guest)) {
			note("round %u", i);
			check(!"figures are zero");
		}
	}
	guest_end(&guest);
}

static void (*const workers[])(void) = { touchers, forkers, mappers, thread_execers, execers };

static void run_case(unsigned int worker)
{
	if (!getenv("TEST_WORKER")) {
		storm(worker);
		return;
	}
	memory = private_memory(SIZE);
	fill(memory, SIZE, 1);
	workers[worker]();
}

static void storm_touchers(void)	{ run_case(0); }
static void storm_forkers(void)		{ run_case(1); }
static void storm_mappers(void)		{ run_case(2); }
static void storm_thread_execers(void)	{ run_case(3); }
static void storm_execers(void)		{ run_case(4); }

static const struct test tests[] = {
	{ "threads that touch memory", storm_touchers, .host = true, .seconds = ROUNDS * 2 },
	{ "processes that fork", storm_forkers, .host = true, .seconds = ROUNDS * 2 },
	{ "processes that map and discard", storm_mappers, .host = true, .seconds = ROUNDS * 2 },
	{ "threads that exec", storm_thread_execers, .host = true, .seconds = ROUNDS * 2 },
	{ "processes that fork and exec", storm_execers, .host = true, .seconds = ROUNDS * 2 },
};

TEST_MAIN(tests)
