// SPDX-License-Identifier: GPL-2.0
/* madvise on private memory. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest.h"
#include "test.h"

#define SIZE	(4 * UNIT)
#define RW	(PROT_READ | PROT_WRITE)

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ	22
#define MADV_POPULATE_WRITE	23
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED	24
#endif

static char *memory;

static void look(void *arg)
{
	(void)*(volatile char *)arg;
}

static void dontneed(void)
{
	memory = private_memory(SIZE);
	fill(memory, SIZE, 1);
	check(!madvise(memory + UNIT, UNIT, MADV_DONTNEED));
	check(zeroed(memory + UNIT, UNIT));
	check(filled(memory, UNIT, 1));
	fill(memory + UNIT, UNIT, 2);
	check(!madvise(memory + PAGE, PAGE, MADV_DONTNEED));
	check(zeroed(memory + PAGE, PAGE));
	check(filled(memory, PAGE, 1));
	check(filled(memory + UNIT, UNIT, 2));
	check(!madvise(memory, SIZE, MADV_DONTNEED));
	check(zeroed(memory, SIZE));
}

static void discard_in_child(void *arg)
{
	check(!madvise(memory, SIZE, MADV_DONTNEED));
	check(zeroed(memory, SIZE));
	fill(memory, SIZE / 2, 3);
}

static void dontneed_after_fork(void)
{
	memory = private_memory(SIZE);
	fill(memory, SIZE, 1);
	run_child(discard_in_child, NULL);
	check(filled(memory, SIZE, 1));
}

static void discard_and_look(void *arg)
{
	meet(arg, 2, 1);
	check(filled(memory, SIZE, 1));
}

static void dontneed_in_parent(void)
{
	struct barrier *barrier = shared_memory(PAGE);
	pid_t pid;

	memory = private_memory(SIZE);
	fill(memory, SIZE, 1);
	pid = child(discard_and_look, barrier);
	check(!madvise(memory, SIZE, MADV_DONTNEED));
	fill(memory, SIZE / 2, 2);
	meet(barrier, 2, 1);
	join(pid);
	check(filled(memory, SIZE / 2, 2));
	check(zeroed(memory + SIZE / 2, SIZE / 2));
}

static void discard_file_in_child(void *arg)
{
	check(filled(arg, UNIT, 5));
	check(!madvise(arg, UNIT, MADV_DONTNEED));
	check(filled(arg, UNIT, 4));
	fill(arg, UNIT, 7);
}

static void dontneed_file(void)
{
	char path[] = "/tmp/madviseXXXXXX", *buffer = malloc(UNIT), *p;
	int fd = mkstemp(path);

	check(fd >= 0 && !unlink(path));
	fill(buffer, UNIT, 4);
	check_equal(write(fd, buffer, UNIT), UNIT);
	p = mmap(NULL, UNIT, RW, MAP_PRIVATE, fd, 0);
	check(p != MAP_FAILED && filled(p, UNIT, 4));
	fill(p, UNIT, 5);
	press(UNIT);
	run_child(discard_file_in_child, p);
	check(filled(p, UNIT, 5));
	check(!madvise(p, UNIT, MADV_DONTNEED));
	check(filled(p, UNIT, 4));
	fill(p, UNIT, 6);
	/* Also where it was moved to since it was written. */
	p = mremap(p, UNIT, UNIT, MREMAP_MAYMOVE | MREMAP_FIXED, private_memory(UNIT));
	check(p != MAP_FAILED && filled(p, UNIT, 6));
	check(!madvise(p + PAGE, UNIT - PAGE, MADV_DONTNEED));
	check(filled(p, PAGE, 6));
	check(!madvise(p, UNIT, MADV_DONTNEED));
	check(filled(p, UNIT, 4));
}

/* Either the old content or zeroes, page by page, and what is written then stays. */
static void freed(void)
{
	size_t i;

	memory = private_memory(SIZE);
	memset(memory, 6, SIZE);
	check(!madvise(memory, SIZE, MADV_FREE));
	for (i = 0; i < SIZE; i += PAGE)
		check(memory[i] == 6 || memory[i] == 0);
	fill(memory, SIZE, 7);
	press(SIZE / 2);
	check(filled(memory, SIZE, 7));
}

static void dontfork_child(void *arg)
{
	check_equal(faults(look, memory), SIGSEGV);
	check_equal(faults(look, memory + UNIT - 1), SIGSEGV);
	check(filled(memory + UNIT, UNIT, 2));
}

static void dontfork(void)
{
	memory = private_memory(SIZE);
	fill(memory, UNIT, 1);
	fill(memory + UNIT, UNIT, 2);
	fill(memory + 2 * UNIT, 2 * UNIT, 3);
	check(!madvise(memory, UNIT, MADV_DONTFORK));
	run_child(dontfork_child, NULL);
	check(filled(memory, UNIT, 1));
	check(!madvise(memory, UNIT, MADV_DOFORK));
	run_child(look, memory);
	check(filled(memory, UNIT, 1));
	check(filled(memory + 2 * UNIT, 2 * UNIT, 3));
}

static void wiped(void *arg)
{
	check(zeroed(memory, UNIT));
	check(filled(memory + UNIT, UNIT, 2));
	fill(memory, UNIT, 3);
}

static void wipeonfork(void)
{
	memory = private_memory(SIZE);
	fill(memory, UNIT, 1);
	fill(memory + UNIT, UNIT, 2);
	if (madvise(memory, UNIT, MADV_WIPEONFORK)) {
		/* As by kernels that do not know it: programs have another way then. */
		check(guest_is_here() && errno == EINVAL);
		run_child(look, memory);
		return;
	}
	run_child(wiped, NULL);
	check(filled(memory, UNIT, 1));
	check(!madvise(memory, UNIT, MADV_KEEPONFORK));
	run_child(look, memory);
}

/* Advice that changes nothing that a program could see. */
static void harmless(void)
{
	static const int advice[] = {
		MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_COLD, MADV_PAGEOUT,
		MADV_DONTDUMP, MADV_DODUMP, MADV_POPULATE_READ, MADV_POPULATE_WRITE,
	};
	unsigned int i;

	memory = private_memory(SIZE);
	fill(memory, SIZE, 8);
	for (i = 0; i < sizeof(advice) / sizeof(advice[0]); i++) {
		check_equal(madvise(memory, SIZE, advice[i]) ? advice[i] : 0, 0);
		check(filled(memory, SIZE, 8));
	}
	/* These may be missing from a kernel. */
	madvise(memory, SIZE, MADV_HUGEPAGE);
	madvise(memory, SIZE, MADV_NOHUGEPAGE);
	madvise(memory, SIZE, MADV_MERGEABLE);
	madvise(memory, SIZE, MADV_UNMERGEABLE);
	madvise(memory, SIZE, 25 /* MADV_COLLAPSE */);
	check(filled(memory, SIZE, 8));
}

static void refusals(void)
{
	memory = private_memory(SIZE);
	fill(memory, SIZE, 9);
	check(madvise(memory + 1, PAGE, MADV_DONTNEED) && errno == EINVAL);
	check(madvise(memory, ~0UL, MADV_DONTNEED) && errno == EINVAL);
	check(!madvise(memory, 0, MADV_DONTNEED));
	check(madvise(memory, PAGE, 12345) && errno == EINVAL);
	check(madvise(memory, PAGE, MADV_REMOVE) && errno == EINVAL);
	check(filled(memory, SIZE, 9));
	check(!munmap(memory + UNIT, PAGE));
	check(madvise(memory, 2 * UNIT, MADV_DONTNEED) && errno == ENOMEM);
	check(zeroed(memory, UNIT));
}

/* ---- discarding beside faults ---- */

static volatile bool stop;

static void *write_and_check(void *arg)
{
	unsigned long number = (unsigned long)arg;
	char *mine = memory + number * UNIT;
	unsigned int i;

	for (i = 0; i < rounds(12); i++) {
		fill(mine, UNIT, i);
		check(filled(mine, UNIT, i));
		check(!madvise(mine, UNIT, MADV_DONTNEED));
		check(zeroed(mine, UNIT));
	}
	return NULL;
}

static void *wander(void *arg)
{
	while (!stop)
		(void)*(volatile char *)(memory + random_number() % SIZE);
	return NULL;
}

static void beside_faults(void)
{
	pthread_t thread[4], reader;
	unsigned long i;

	memory = private_memory(SIZE);
	check(!pthread_create(&reader, NULL, wander, NULL));
	for (i = 0; i < 4; i++)
		check(!pthread_create(&thread[i], NULL, write_and_check, (void *)i));
	for (i = 0; i < 4; i++)
		check(!pthread_join(thread[i], NULL));
	stop = true;
	check(!pthread_join(reader, NULL));
}

/* ---- discarding what a child keeps, beside faults ---- */

static void *look_at_end(void *arg)
{
	while (!stop)
		(void)*(volatile char *)(memory + UNIT - 1);
	return NULL;
}

struct keeping {
	struct barrier *barrier;
	unsigned int round;
};

/* The child writes where only the parent has given the pages up. */
static void keep_and_write(void *arg)
{
	struct keeping *k = arg;

	meet(k->barrier, 2, 2 * k->round + 1);
	check(filled(memory, UNIT, k->round));
	fill(memory, UNIT, 1000);
	meet(k->barrier, 2, 2 * k->round + 2);
}

static void kept_by_child(void)
{
	struct keeping k = { .barrier = shared_memory(PAGE) };
	pthread_t reader;
	pid_t pid;

	memory = private_memory(UNIT);
	for (k.round = 0; k.round < rounds(20); k.round++) {
		fill(memory, UNIT, k.round);
		pid = child(keep_and_write, &k);
		stop = false;
		check(!pthread_create(&reader, NULL, look_at_end, NULL));
		check(!madvise(memory, UNIT, MADV_DONTNEED));
		meet(k.barrier, 2, 2 * k.round + 1);
		meet(k.barrier, 2, 2 * k.round + 2);
		check(zeroed(memory, UNIT));
		stop = true;
		check(!pthread_join(reader, NULL));
		join(pid);
	}
}

/* ---- sealed memory ---- */

#define SYS_MSEAL	462

/* What may not be changed is not emptied either. */
static void sealed(void)
{
	char *p = private_memory(SIZE), *q = private_memory(SIZE);

	fill(p, SIZE, 11);
	check(!mprotect(p, UNIT, PROT_READ));
	if (syscall(SYS_MSEAL, p, UNIT, 0)) {
		/* Linux 6.10 has it. */
		check(errno != EPERM && errno != EINVAL);
		return;
	}
	check(madvise(p, UNIT, MADV_DONTNEED) && errno == EPERM);
	check(madvise(p, SIZE, MADV_FREE) && errno == EPERM);
	check(mremap(p, UNIT, UNIT, MREMAP_MAYMOVE | MREMAP_FIXED, q) == MAP_FAILED &&
	      errno == EPERM);
	check(mremap(p, UNIT, 2 * UNIT, MREMAP_MAYMOVE) == MAP_FAILED && errno == EPERM);
	check(munmap(p, UNIT) && errno == EPERM);
	check(filled(p, UNIT, 11));
	check_equal(faults(look, p), 0);
}

static const struct test tests[] = {
	{ "MADV_DONTNEED", dontneed },
	{ "MADV_DONTNEED in a child", dontneed_after_fork, .pool = 3 * MIB },
	{ "MADV_DONTNEED in the parent", dontneed_in_parent, .pool = 3 * MIB },
	{ "MADV_DONTNEED of a private file mapping", dontneed_file, .calm = true },
	{ "MADV_FREE", freed, .pool = 3 * MIB },
	{ "MADV_DONTFORK", dontfork },
	{ "MADV_WIPEONFORK", wipeonfork, .calm = true },
	{ "advice without effect", harmless },
	{ "what is refused", refusals },
	{ "MADV_DONTNEED beside faults", beside_faults },
	{ "MADV_DONTNEED of what a child keeps", kept_by_child, .pool = 8 * MIB, .calm = true },
	{ "sealed memory", sealed, .pool = 8 * MIB, .calm = true },
};

TEST_MAIN(tests)
