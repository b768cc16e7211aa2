// SPDX-License-Identifier: GPL-2.0
/* mprotect makes pages writable without asking the guest: not those that a child shares. */
#include <signal.h>
#include <sys/mman.h>

#include "test.h"

#define SIZE	(2 * UNIT)
#define RW	(PROT_READ | PROT_WRITE)

static char *memory;
static struct barrier *barrier;

static void see_old(void *arg)
{
	meet(barrier, 2, 1);
	check(filled(memory, SIZE, (uint64_t)arg));
	meet(barrier, 2, 2);
	check(filled(memory, SIZE, (uint64_t)arg));
	meet(barrier, 2, 3);
}

/* @between: what the parent does to the protection after it forked. */
static void parent_writes(void (*between)(void))
{
	unsigned long i;

	memory = private_memory(SIZE);
	barrier = shared_memory(PAGE);
	for (i = 0; i < rounds(6); i++) {
		pid_t pid;

		barrier->count = 0;
		fill(memory, SIZE, i);
		pid = child(see_old, (void *)i);
		between();
		fill(memory, SIZE, i + 1);
		meet(barrier, 2, 1);
		meet(barrier, 2, 2);
		check(filled(memory, SIZE, i + 1));
		meet(barrier, 2, 3);
		join(pid);
	}
}

static void read_and_back(void)
{
	check(!mprotect(memory, SIZE, PROT_READ));
	check(!mprotect(memory, SIZE, RW));
}

static void none_and_back(void)
{
	check(!mprotect(memory, SIZE, PROT_NONE));
	check(!mprotect(memory, SIZE, RW));
}

static void read_between(void)
{
	check(!mprotect(memory, SIZE, PROT_READ));
	check(zeroed(memory, 0) && *(volatile char *)memory == *(volatile char *)memory);
	check(!mprotect(memory, SIZE, RW));
}

static void toggle(void)
{
	parent_writes(read_and_back);
}

static void toggle_none(void)
{
	parent_writes(none_and_back);
}

static void toggle_and_read(void)
{
	parent_writes(read_between);
}

/* Read-only at the fork, writable afterwards. */
static void read_only_fork(void)
{
	unsigned long i;

	memory = private_memory(SIZE);
	barrier = shared_memory(PAGE);
	for (i = 0; i < rounds(6); i++) {
		pid_t pid;

		barrier->count = 0;
		fill(memory, SIZE, i);
		check(!mprotect(memory, SIZE, PROT_READ));
		pid = child(see_old, (void *)i);
		check(!mprotect(memory, SIZE, RW));
		fill(memory, SIZE, i + 1);
		meet(barrier, 2, 1);
		meet(barrier, 2, 2);
		check(filled(memory, SIZE, i + 1));
		meet(barrier, 2, 3);
		join(pid);
	}
}

/* The child toggles and writes; the parent must not see it. */
static void write_after_toggle(void *arg)
{
	read_and_back();
	fill(memory, SIZE, 99);
	check(filled(memory, SIZE, 99));
}

static void child_toggles(void)
{
	unsigned long i;

	memory = private_memory(SIZE);
	for (i = 0; i < rounds(6); i++) {
		fill(memory, SIZE, i);
		run_child(write_after_toggle, NULL);
		check(filled(memory, SIZE, i));
		read_and_back();
		check(filled(memory, SIZE, i));
	}
}

/* Three generations with a toggle between any two. */
static void grandchild(void *arg)
{
	read_and_back();
	fill(memory, SIZE, 3);
	check(filled(memory, SIZE, 3));
}

static void middle(void *arg)
{
	read_and_back();
	check(filled(memory, SIZE, 1));
	fill(memory, SIZE / 2, 2);
	run_child(grandchild, NULL);
	read_and_back();
	check(filled(memory, SIZE / 2, 2));
}

static void generations(void)
{
	memory = private_memory(SIZE);
	fill(memory, SIZE, 1);
	read_and_back();
	run_child(middle, NULL);
	read_and_back();
	check(filled(memory, SIZE, 1));
	run_child(middle, NULL);
	check(filled(memory, SIZE, 1));
}

/* Part of a page table's pages in one mapping, part in another. */
static void split(void *arg)
{
	size_t i;

	for (i = 0; i < SIZE / PAGE; i += 3)
		check(!mprotect(memory + i * PAGE, PAGE, PROT_READ));
	check(filled(memory, SIZE, 1));
	for (i = 0; i < SIZE / PAGE; i += 3)
		check(!mprotect(memory + i * PAGE, PAGE, RW));
	check(!mprotect(memory, SIZE, RW));
	fill(memory, SIZE, 2);
}

static void splits(void)
{
	unsigned int i;

	memory = private_memory(SIZE);
	fill(memory, SIZE, 1);
	for (i = 0; i < 3; i++) {
		check(!mprotect(memory + SIZE / 4, SIZE / 2, PROT_READ));
		run_child(split, NULL);
		check(!mprotect(memory + SIZE / 4, SIZE / 2, RW));
		check(filled(memory, SIZE, 1));
		run_child(split, NULL);
		check(filled(memory, SIZE, 1));
		fill(memory, SIZE, 1);
	}
}

static const struct test tests[] = {
	{ "the parent writes after PROT_READ and back", toggle, .pool = 2560 * KIB },
	{ "the parent writes after PROT_NONE and back", toggle_none, .pool = 2560 * KIB },
	{ "the parent reads while it is PROT_READ", toggle_and_read, .pool = 2560 * KIB },
	{ "read-only while it forks", read_only_fork, .pool = 2560 * KIB },
	{ "the child toggles and writes", child_toggles, .pool = 2560 * KIB },
	{ "three generations", generations, .pool = 2560 * KIB },
	{ "mappings that are split", splits, .pool = 2560 * KIB },
};

TEST_MAIN(tests)
