// SPDX-License-Identifier: GPL-2.0
/* fork: copy-on-write both ways, under pressure, in trees, among many siblings, from threads. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/sched.h>

#include "test.h"

#define SIZE	(4 * UNIT)

static char *memory;

/* ---- copy-on-write both ways ---- */

static void see_old_and_write(void *arg)
{
	struct barrier *barrier = arg;

	meet(barrier, 2, 1);	/* the parent has written */
	check(filled(memory, SIZE, 1));
	fill(memory, SIZE / 2, 3);
	meet(barrier, 2, 2);
	meet(barrier, 2, 3);
	check(filled(memory, SIZE / 2, 3));
}

static void both_ways(void)
{
	struct barrier *barrier = shared_memory(PAGE);
	pid_t pid;

	memory = private_memory(SIZE);
	fill(memory, SIZE, 1);
	pid = child(see_old_and_write, barrier);
	fill(memory, SIZE, 2);
	meet(barrier, 2, 1);
	meet(barrier, 2, 2);	/* the child has written */
	check(filled(memory, SIZE, 2));
	meet(barrier, 2, 3);
	join(pid);
	check(filled(memory, SIZE, 2));
}

/* ---- the parent writes while children come and go ---- */

static void verify(void *arg)
{
	check(filled(memory, SIZE, (uint64_t)arg));
}

static void generations(void)
{
	unsigned int i, n = rounds(4);

	memory = private_memory(SIZE);
	for (i = 0; i < n; i++) {
		pid_t pid;

		fill(memory, SIZE, i);
		pid = child(verify, (void *)(uintptr_t)i);
		fill(memory, SIZE / 2, i + 100);
		join(pid);
	}
}

/* ---- a tree ---- */

#define DEPTH	8

static void descend(void *arg)
{
	unsigned long depth = (unsigned long)arg;
	size_t part = SIZE / DEPTH / PAGE * PAGE;
	unsigned long i;

	for (i = 0; i < depth; i++)
		check(filled(memory + i * part, part, i));
	check(zeroed(memory + depth * part, part));
	fill(memory + depth * part, part, depth);
	if (depth + 1 < DEPTH)
		run_child(descend, (void *)(depth + 1));
	for (i = 0; i <= depth; i++)
		check(filled(memory + i * part, part, i));
	if (depth + 1 < DEPTH)
		check(zeroed(memory + (depth + 1) * part, part));
}

static void tree(void)
{
	memory = private_memory(SIZE);
	descend(NULL);
}

/* ---- many siblings ---- */

#define SIBLINGS	scaled(100)

static struct barrier *gate;

static void be_sibling(void *arg)
{
	unsigned long number = (unsigned long)arg;
	char *mine = memory + number % 16 * (SIZE / 16);

	meet(gate, SIBLINGS + 1, 1);
	check(filled(memory + SIZE / 2, SIZE / 2, 5));
	fill(mine, 4 * PAGE, number + 1000);
	check(filled(mine, 4 * PAGE, number + 1000));
}

static void siblings(void)
{
	unsigned long i, n = SIBLINGS;
	pid_t pid[n];

	gate = shared_memory(PAGE);
	memory = private_memory(SIZE);
	fill(memory, SIZE / 2, 4);
	fill(memory + SIZE / 2, SIZE / 2, 5);
	for (i = 0; i < n; i++)
		pid[i] = child(be_sibling, (void *)i);
	meet(gate, SIBLINGS + 1, 1);
	for (i = 0; i < n; i++)
		join(pid[i]);
	press(16 * UNIT);
	check(filled(memory, SIZE / 2, 4));
	check(filled(memory + SIZE / 2, SIZE / 2, 5));
}

/* ---- from threads that write meanwhile ---- */

#define WRITERS	3

static volatile bool stop;

/* A counter that only grows: a page may lag by one, and in a child all stand still. */
static void *count_up(void *arg)
{
	volatile uint64_t *mine = arg;
	uint64_t n;
	size_t i;

	for (n = 1; !stop; n++)
		for (i = 0; i < SIZE / WRITERS / PAGE; i++)
			mine[i * PAGE / 8] = n;
	return NULL;
}

static void stands_still(void *arg)
{
	size_t part = SIZE / WRITERS / PAGE;
	uint64_t first[WRITERS], value;
	unsigned int t, round;
	size_t i;

	for (t = 0; t < WRITERS; t++) {
		uint64_t *mine = (uint64_t *)(memory + t * part * PAGE);
		uint64_t sum[3] = { 0 };

		first[t] = mine[0];
		for (round = 0; round < 3; round++) {
			for (i = 0; i < part; i++) {
				value = mine[i * PAGE / 8];
				sum[round] += value * (i + 1);
				check(value == first[t] || value + 1 == first[t]);
			}
			sched_yield();
		}
		check_equal(sum[0], sum[1]);
		check_equal(sum[0], sum[2]);
	}
}

static void with_writers(void)
{
	pthread_t thread[WRITERS];
	unsigned int i;

	memory = private_memory(SIZE);
	for (i = 0; i < WRITERS; i++)
		check(!pthread_create(&thread[i], NULL, count_up,
				      memory + i * (SIZE / WRITERS / PAGE * PAGE)));
	sleep_ms(50);
	for (i = 0; i < rounds(3); i++)
		run_child(stands_still, NULL);
	stop = true;
	for (i = 0; i < WRITERS; i++)
		pthread_join(thread[i], NULL);
}

static void nothing(void *arg)
{
}

static void *fork_often(void *arg)
{
	unsigned int i;

	for (i = 0; i < rounds(12); i++)
		run_child(nothing, NULL);
	return NULL;
}

static void from_threads(void)
{
	pthread_t thread[4];
	unsigned int i;

	memory = private_memory(SIZE);
	fill(memory, SIZE, 6);
	for (i = 0; i < 4; i++)
		check(!pthread_create(&thread[i], NULL, fork_often, NULL));
	check(filled(memory, SIZE, 6));
	for (i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	check(filled(memory, SIZE, 6));
}

/* ---- other ways to fork ---- */

static void with_clone3(void)
{
	struct clone_args args = { .exit_signal = SIGCHLD };
	int status;
	long pid;

	memory = private_memory(SIZE);
	fill(memory, SIZE, 7);
	pid = syscall(SYS_clone3, &args, sizeof(args));
	check(pid >= 0);
	if (!pid) {
		check(filled(memory, SIZE, 7));
		fill(memory, SIZE, 8);
		check(filled(memory, SIZE, 8));
		_exit(0);
	}
	check_equal(waitpid(pid, &status, 0), pid);
	check_equal(status, 0);
	check(filled(memory, SIZE, 7));
}

static void with_vfork(void)
{
	volatile int *word;
	int status, i;
	pid_t pid;

	memory = private_memory(SIZE);
	fill(memory, SIZE, 9);
	word = private_memory(PAGE);
	for (i = 0; i < 20; i++) {
		pid = vfork();
		if (!pid) {
			*word = i + 1;
			_exit(i);
		}
		check(pid > 0);
		check_equal(waitpid(pid, &status, 0), pid);
		check_equal(status, i << 8);
		check_equal(*word, i + 1);
	}
	check(filled(memory, SIZE, 9));
}

/* Children outlive the parent, which was their only relative with the pages resident. */
static void outlive(void *arg)
{
	struct barrier *barrier = arg;

	while (getppid() != 1 && barrier->count == 0)
		sleep_ms(5);
	check(filled(memory, SIZE, 10));
	meet(barrier, 2, 1);
}

static void leave(void *arg)
{
	fill(memory, SIZE, 10);
	child(outlive, arg);
	fill(memory, SIZE / 4, 11);
}

static void orphans(void)
{
	struct barrier *barrier = shared_memory(PAGE);

	memory = private_memory(SIZE);
	fill(memory, SIZE, 12);
	run_child(leave, barrier);
	press(SIZE);
	meet(barrier, 2, 1);
	check(filled(memory, SIZE, 12));
}

static const struct test tests[] = {
	{ "parent and child do not see each other's writes", both_ways, .pool = 4 * MIB },
	{ "children see the moment of their fork", generations, .pool = 3 * MIB },
	{ "a tree of processes", tree, .pool = 3 * MIB },
	{ "100 siblings share and write", siblings, .pool = 12 * MIB, .seconds = 60 },
	{ "a child stands still while its parent's threads write", with_writers, .pool = 3 * MIB,
	  .seconds = 60 },
	{ "threads fork at the same time", from_threads, .pool = 3 * MIB, .seconds = 60 },
	{ "clone3 without CLONE_VM", with_clone3, .pool = 4 * MIB },
	{ "vfork shares memory", with_vfork, .pool = 2 * MIB },
	{ "a child outlives its parent", orphans, .pool = 6 * MIB },
};

TEST_MAIN(tests)
