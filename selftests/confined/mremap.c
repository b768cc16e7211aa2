// SPDX-License-Identifier: GPL-2.0
/* mremap of private memory. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test.h"

#define SIZE	(4 * UNIT)
#define RW	(PROT_READ | PROT_WRITE)
#define PRIVATE	(MAP_PRIVATE | MAP_ANONYMOUS)

static void look(void *arg)
{
	(void)*(volatile char *)arg;
}

/* Memory with nothing behind it, so that it can grow. */
static char *with_room(size_t size)
{
	char *p = private_memory(4 * SIZE);

	check(!munmap(p + size, 4 * SIZE - size));
	return p;
}

static void grow_in_place(void)
{
	char *p = with_room(SIZE / 2);

	fill(p, SIZE / 2, 1);
	check(mremap(p, SIZE / 2, SIZE, 0) == p);
	check(filled(p, SIZE / 2, 1));
	check(zeroed(p + SIZE / 2, SIZE / 2));
	fill(p, SIZE, 2);
	check(mremap(p, SIZE, SIZE / 4, 0) == p);
	check_equal(faults(look, p + SIZE / 4), SIGSEGV);
	check(mremap(p, SIZE / 4, SIZE, 0) == p);
	check(filled(p, SIZE / 4, 2));
	check(zeroed(p + SIZE / 4, 3 * SIZE / 4));
}

static void move_to_grow(void)
{
	char *p = with_room(SIZE / 2), *q;

	fill(p, SIZE / 2, 1);
	check(mmap(p + SIZE / 2, PAGE, RW, PRIVATE | MAP_FIXED_NOREPLACE, -1, 0) == p + SIZE / 2);
	p[SIZE / 2] = 9;
	check(mremap(p, SIZE / 2, SIZE, 0) == MAP_FAILED && errno == ENOMEM);
	q = mremap(p, SIZE / 2, SIZE, MREMAP_MAYMOVE);
	check(q != MAP_FAILED && q != p);
	check(filled(q, SIZE / 2, 1));
	check(zeroed(q + SIZE / 2, SIZE / 2));
	check_equal(p[SIZE / 2], 9);
	check_equal(faults(look, p), SIGSEGV);
	fill(q, SIZE, 2);
	check(filled(q, SIZE, 2));
}

static void fixed(void)
{
	char *p = private_memory(SIZE), *q = private_memory(SIZE);

	fill(p, SIZE, 1);
	fill(q, SIZE, 2);
	check(mremap(p, SIZE / 2, SIZE / 2, MREMAP_MAYMOVE | MREMAP_FIXED, q + PAGE) == q + PAGE);
	check(filled(q + PAGE, SIZE / 2, 1));
	check_equal(faults(look, p), SIGSEGV);
	/* Smaller and larger on the way. */
	check(mremap(q + PAGE, SIZE / 2, SIZE / 4, MREMAP_MAYMOVE | MREMAP_FIXED, p) == p);
	check(filled(p, SIZE / 4, 1));
	check_equal(faults(look, p + SIZE / 4), SIGSEGV);
	check_equal(faults(look, q + PAGE), SIGSEGV);
	check(mremap(p, SIZE / 4, SIZE / 2, MREMAP_MAYMOVE | MREMAP_FIXED, q) == q);
	check(filled(q, SIZE / 4, 1));
	check(zeroed(q + SIZE / 4, SIZE / 4));
}

static void dontunmap(void)
{
	char *p = private_memory(SIZE), *q;

	fill(p, SIZE, 1);
	q = mremap(p, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	check(q != MAP_FAILED && q != p);
	check(filled(q, SIZE, 1));
	check(zeroed(p, SIZE));
	fill(p, SIZE / 2, 2);
	check(filled(q, SIZE, 1));
	check(filled(p, SIZE / 2, 2));
	check(mremap(p, SIZE / 2, SIZE / 2, MREMAP_MAYMOVE | MREMAP_DONTUNMAP | MREMAP_FIXED, q) ==
	      q);
	check(filled(q, SIZE / 2, 2));
	check(zeroed(p, SIZE));
}

static void pieces(void)
{
	char *p = private_memory(SIZE), *q = private_memory(SIZE);
	size_t i, n = 64, part = SIZE / n;

	for (i = 0; i < n; i++)
		fill(p + i * part, part, i);
	/* Turn the order round. */
	for (i = 0; i < n; i++)
		check(mremap(p + i * part, part, part, MREMAP_MAYMOVE | MREMAP_FIXED,
			     q + (n - 1 - i) * part) == q + (n - 1 - i) * part);
	for (i = 0; i < n; i++)
		check(filled(q + i * part, part, n - 1 - i));
	check_equal(faults(look, p), SIGSEGV);
	check_equal(faults(look, p + SIZE - 1), SIGSEGV);
}

static void refusals(void)
{
	char *p = private_memory(SIZE), *q = private_memory(PAGE);

	fill(p, SIZE, 1);
	check(mremap(p + 1, PAGE, PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EINVAL);
	check(mremap(p, PAGE, 0, MREMAP_MAYMOVE) == MAP_FAILED && errno == EINVAL);
	check(mremap(p, 0, PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EINVAL);
	check(mremap(p, PAGE, PAGE, MREMAP_FIXED, q) == MAP_FAILED && errno == EINVAL);
	check(mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, q + 1) == MAP_FAILED &&
	      errno == EINVAL);
	check(mremap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + PAGE) ==
	      MAP_FAILED && errno == EINVAL);
	check(mremap(p, PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL) == MAP_FAILED &&
	      errno == EINVAL);
	check(mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | 64) == MAP_FAILED && errno == EINVAL);
	check(!munmap(p + PAGE, PAGE));
	check(mremap(p, 3 * PAGE, 4 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT);
	check(mremap(p + PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT);
	check(mremap(p, PAGE, 1UL << 47, MREMAP_MAYMOVE) == MAP_FAILED);
	check(filled(p, PAGE, 1));
}

static void protection(void)
{
	char *p = private_memory(SIZE), *q;

	fill(p, SIZE, 1);
	check(!mprotect(p, SIZE, PROT_READ));
	q = mremap(p, SIZE, SIZE + UNIT, MREMAP_MAYMOVE);
	check(q != MAP_FAILED && filled(q, SIZE, 1) && zeroed(q + SIZE, UNIT));
	check(!mprotect(q, SIZE, RW));
	fill(q, SIZE, 2);
	check(filled(q, SIZE, 2));
}

static const char *flags_of(char *p)
{
	static char line[512];
	FILE *maps = fopen("/proc/self/smaps", "re");
	unsigned long start, end;
	bool here = false;

	check(maps);
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			here = (uintptr_t)p >= start && (uintptr_t)p < end;
		if (here && !strncmp(line, "VmFlags:", 8))
			break;
	}
	fclose(maps);
	return line;
}

static void advice(void)
{
	char *p = private_memory(SIZE), *q;

	fill(p, SIZE, 1);
	check(!madvise(p, SIZE, MADV_DONTFORK));
	check(!madvise(p, SIZE, MADV_DONTDUMP));
	q = mremap(p, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	check(q != MAP_FAILED && filled(q, SIZE, 1));
	check(strstr(flags_of(q), " dc ") && strstr(flags_of(q), " dd "));
	check(strstr(flags_of(p), " dc ") && strstr(flags_of(p), " dd "));
	check(!madvise(q, SIZE, MADV_DOFORK));
	check(mremap(q, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, p) == p);
	check(!strstr(flags_of(p), " dc ") && strstr(flags_of(p), " dd "));
	check(filled(p, SIZE, 1));
}

/* The key moves too, where the CPU knows keys. */
static void key(void)
{
	int key = pkey_alloc(0, PKEY_DISABLE_ACCESS);
	char *p = private_memory(SIZE), *q;

	if (key < 0)
		return;
	fill(p, SIZE, 1);
	check(!pkey_mprotect(p, SIZE, RW, key));
	check_equal(faults(look, p), SIGSEGV);
	q = mremap(p, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	check(q != MAP_FAILED);
	check_equal(faults(look, q), SIGSEGV);
	check_equal(faults(look, p), SIGSEGV);
	check(!pkey_set(key, 0));
	check(filled(q, SIZE, 1) && zeroed(p, SIZE));
}

/* Growing shows more of the file, whatever of the old part was touched. */
static void grow_file(void)
{
	int fd = make_file(SIZE, 3);
	char *all = mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE, fd, 0), *p, *q;
	size_t from = SIZE / 4;

	check(all != MAP_FAILED);
	p = with_room(from);
	check(mmap(p, from, RW, MAP_PRIVATE | MAP_FIXED, fd, 0) == p);
	check(mremap(p, from, SIZE / 2, 0) == p);	/* untouched */
	check(!memcmp(p + from, all + from, from));
	fill(p, SIZE / 2, 8);
	check(mremap(p, SIZE / 2, SIZE, 0) == p);	/* written to */
	check(filled(p, SIZE / 2, 8));
	check(!memcmp(p + SIZE / 2, all + SIZE / 2, SIZE / 2));
	check(!munmap(p, SIZE));

	/* From the middle of the file, moved twice, and at once. */
	p = mmap(NULL, from, RW, MAP_PRIVATE, fd, from);
	q = private_memory(SIZE);
	check(p != MAP_FAILED && !memcmp(p, all + from, from));
	check(mremap(p, from, from, MREMAP_MAYMOVE | MREMAP_FIXED, q + PAGE) == q + PAGE);
	p = private_memory(SIZE);
	check(mremap(q + PAGE, from, 3 * from, MREMAP_MAYMOVE | MREMAP_FIXED, p) == p);
	check(!memcmp(p, all + from, 3 * from));
	check_equal(faults(look, q + PAGE), SIGSEGV);
}

/* The place that a file's pages have left shows the file. */
static void dontunmap_file(void)
{
	int fd = make_file(SIZE, 3);
	char *all = mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE, fd, 0);
	char *p = mmap(NULL, SIZE, RW, MAP_PRIVATE, fd, 0), *q;

	check(all != MAP_FAILED && p != MAP_FAILED);
	fill(p, SIZE / 2, 1);
	q = mremap(p, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	check(q != MAP_FAILED);
	check(!memcmp(p, all, SIZE));
	check(filled(q, SIZE / 2, 1));
	check(!memcmp(q + SIZE / 2, all + SIZE / 2, SIZE / 2));
	/* And what has moved knows its place in the file. */
	check(!madvise(q, SIZE, MADV_DONTNEED));
	check(!memcmp(q, all, SIZE));
}

static char *shared_block;

static void move_in_child(void *arg)
{
	char *q = mremap(shared_block, SIZE, 2 * SIZE, MREMAP_MAYMOVE);

	check(q != MAP_FAILED && filled(q, SIZE, 1));
	fill(q, SIZE, 2);
	check(filled(q, SIZE, 2));
}

static void after_fork(void)
{
	char *q;

	shared_block = private_memory(SIZE);
	fill(shared_block, SIZE, 1);
	run_child(move_in_child, NULL);
	check(filled(shared_block, SIZE, 1));
	q = mremap(shared_block, SIZE, SIZE / 2, 0);
	check(q == shared_block);
	run_child(look, shared_block);
	check(filled(shared_block, SIZE / 2, 1));
}

/* realloc of large blocks is mremap; meanwhile others fault and fork. */
static void *reallocate(void *arg)
{
	unsigned long number = (unsigned long)arg, i;
	size_t pages = 64;
	char *p = private_memory(pages * PAGE);

	fill(p, pages * PAGE, number);
	for (i = 0; i < rounds(24); i++) {
		size_t more = 64 + random_number() % 128;

		p = mremap(p, pages * PAGE, more * PAGE, MREMAP_MAYMOVE);
		check(p != MAP_FAILED);
		check(filled(p, (more < pages ? more : pages) * PAGE, number));
		if (more > pages)
			check(zeroed(p + pages * PAGE, (more - pages) * PAGE));
		pages = more;
		fill(p, pages * PAGE, number);
	}
	check(!munmap(p, pages * PAGE));
	return NULL;
}

static void with_threads(void)
{
	pthread_t thread[4];
	unsigned long i;

	shared_block = private_memory(SIZE / 2);
	fill(shared_block, SIZE / 2, 11);
	for (i = 0; i < 4; i++)
		check(!pthread_create(&thread[i], NULL, reallocate, (void *)i));
	for (i = 0; i < rounds(10); i++)
		run_child(look, shared_block);
	for (i = 0; i < 4; i++)
		check(!pthread_join(thread[i], NULL));
	check(filled(shared_block, SIZE / 2, 11));
}

/* While the place that MREMAP_DONTUNMAP leaves empty is read, nothing of what moved may stay. */
static volatile bool stop;

static void *read_always(void *arg)
{
	volatile char *p = arg;
	size_t i;

	while (!stop)
		for (i = 0; i < UNIT; i += PAGE)
			(void)p[i];
	return NULL;
}

static void dontunmap_race(void)
{
	char *p = private_memory(UNIT), *q;
	pthread_t thread;
	unsigned int i;

	check(!pthread_create(&thread, NULL, read_always, p));
	for (i = 0; i < rounds(40); i++) {
		fill(p, UNIT, i);
		q = mremap(p, UNIT, UNIT, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
		check(q != MAP_FAILED);
		check(filled(q, UNIT, i));
		check(zeroed(p, UNIT));
		fill(q, UNIT, i + 1000);
		check(zeroed(p, UNIT));
		check(!munmap(q, UNIT));
	}
	stop = true;
	check(!pthread_join(thread, NULL));
}

static const struct test tests[] = {
	{ "in place: grow, shrink, grow again", grow_in_place },
	{ "move to grow", move_to_grow },
	{ "MREMAP_FIXED", fixed, .pool = 3 * MIB },
	{ "MREMAP_DONTUNMAP", dontunmap, .pool = 3 * MIB },
	{ "move in pieces", pieces },
	{ "what is refused", refusals },
	{ "protection moves too", protection },
	{ "what madvise has said moves too", advice, .pool = 3 * MIB },
	{ "the protection key moves too", key, .calm = true },
	{ "a private mapping of a file grows", grow_file, .pool = 4 * MIB, .calm = true },
	{ "MREMAP_DONTUNMAP of a file", dontunmap_file, .pool = 4 * MIB, .calm = true },
	{ "after fork", after_fork, .pool = 4 * MIB },
	{ "threads move, fault and fork", with_threads, .pool = 3 * MIB, .seconds = 60 },
	{ "MREMAP_DONTUNMAP while the old place is read", dontunmap_race, .calm = true },
};

TEST_MAIN(tests)
