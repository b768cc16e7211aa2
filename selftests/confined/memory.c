// SPDX-License-Identifier: GPL-2.0
/* The memory that programs use without asking for it: heap, break, stack, data. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test.h"

#define SIZE	(4 * UNIT)

static char bss[2 * MIB];
static char data[64 * 1024] = { 1, 2, 3 };

static void heap(void)
{
	char *block[256], *p;
	unsigned int i, n = SIZE / (64 * KIB);

	for (i = 0; i < n; i++) {
		block[i] = malloc(64 * KIB);
		check(block[i]);
		memset(block[i], i + 1, 64 * KIB);
	}
	for (i = 0; i < n; i++) {
		for (p = block[i]; p < block[i] + 64 * KIB; p += 101)
			check_equal(*p, (char)(i + 1));
		free(block[i]);
	}
	p = calloc(SIZE, 1);
	check(p && zeroed(p, SIZE));
	p = realloc(p, 2 * SIZE);
	check(p && zeroed(p, SIZE));
	free(p);
}

static void *set_break(void *to)
{
	return (void *)syscall(SYS_brk, to);
}

static void break_moves(void)
{
	char *start = set_break(NULL), *page;
	size_t i;

	check_equal((long)set_break(start + SIZE), (long)(start + SIZE));
	page = (char *)(((uintptr_t)start + PAGE - 1) & ~(PAGE - 1));
	fill(page, SIZE - PAGE, 1);
	check(filled(page, SIZE - PAGE, 1));

	/* What was given back comes again as zeroes. */
	check_equal((long)set_break(start + SIZE / 2), (long)(start + SIZE / 2));
	check_equal((long)set_break(start + SIZE), (long)(start + SIZE));
	check(zeroed(page + SIZE / 2, SIZE / 2 - PAGE));
	check(filled(page, SIZE / 2 - PAGE, 1));

	/* Within a page nothing is lost. */
	page[SIZE / 2 + 5] = 42;
	check_equal((long)set_break(page + SIZE / 2 + 100), (long)(page + SIZE / 2 + 100));
	check_equal((long)set_break(page + SIZE / 2 + 1), (long)(page + SIZE / 2 + 1));
	check_equal((long)set_break(page + SIZE / 2 + 100), (long)(page + SIZE / 2 + 100));
	check_equal(page[SIZE / 2 + 5], 42);

	/* Refusals answer the old break. */
	check_equal((long)set_break((void *)1), (long)(page + SIZE / 2 + 100));
	check_equal((long)set_break((void *)~0xfffUL), (long)(page + SIZE / 2 + 100));
	for (i = 0; i < 64; i++) {
		set_break(start + i * 10000);
		check_equal((long)set_break(NULL), (long)(start + i * 10000));
	}
	check_equal((long)set_break(start), (long)start);
}

static void beyond_break(void *arg)
{
	*(volatile char *)arg = 1;
}

static void break_ends(void)
{
	char *start = set_break(NULL);
	struct rlimit limit = { 8 * UNIT, 8 * UNIT };

	start = set_break((void *)(((uintptr_t)start + PAGE - 1) & ~(PAGE - 1)));
	check_equal((long)set_break(start + PAGE), (long)(start + PAGE));
	check_equal(faults(beyond_break, start + PAGE - 1), 0);
	check(faults(beyond_break, start + PAGE));
	check_equal((long)set_break(start), (long)start);
	check(faults(beyond_break, start));
	check(!setrlimit(RLIMIT_DATA, &limit));
	check_equal((long)set_break(start + 16 * UNIT), (long)start);
}

static void break_meets_mapping(void)
{
	char *start = set_break(NULL);
	char *page = (char *)(((uintptr_t)start + PAGE - 1) & ~(PAGE - 1));

	check(mmap(page + UNIT, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
		   -1, 0) == page + UNIT);
	check_equal((long)set_break(page + 2 * UNIT), (long)start);
	check_equal((long)set_break(page + UNIT / 2), (long)(page + UNIT / 2));
	fill(page, UNIT / 2, 2);
	check(filled(page, UNIT / 2, 2));
}

static unsigned int deep(unsigned int depth)
{
	volatile char frame[3000];

	memset((char *)frame, depth, sizeof(frame));
	if (depth && deep(depth - 1) != depth - 1)
		return ~0U;
	return frame[0] == (char)depth && frame[sizeof(frame) - 1] == (char)depth ? depth : ~0U;
}

static void stack_grows(void)
{
	check_equal(deep(1600), 1600);	/* 5 MiB */
	check_equal(deep(1600), 1600);
}

static void overflow(void *arg)
{
	deep(~0U);
}

static void stack_ends(void)
{
	check(faults(overflow, NULL));
}

static void static_data(void)
{
	check(zeroed(bss, sizeof(bss)));
	memset(bss, 7, sizeof(bss));
	check_equal(data[0] + data[1] + data[2], 6);
	check(zeroed(data + 3, sizeof(data) - 3));
	memset(data, 8, sizeof(data));
	press(SIZE);
	check(!memchr(bss, 0, sizeof(bss)));
	check(bss[0] == 7 && !memcmp(bss, bss + 1, sizeof(bss) - 1));
	check(data[0] == 8 && !memcmp(data, data + 1, sizeof(data) - 1));
}

/* Pages of one byte's value, and pages that cannot be compressed. */
static void contents(void)
{
	char *p = private_memory(2 * UNIT), *q = private_memory(UNIT);
	size_t i;

	for (i = 0; i < 2 * UNIT / PAGE; i++)
		memset(p + i * PAGE, i % 5, PAGE);
	fill_hard(q, UNIT, 3);
	press(2 * UNIT);
	for (i = 0; i < 2 * UNIT / PAGE; i++)
		check(p[i * PAGE] == (char)(i % 5) &&
		      !memcmp(p + i * PAGE, p + i * PAGE + 1, PAGE - 1));
	check(filled_hard(q, UNIT, 3));
}

/* A page that was read only is zero, also after it was evicted, and can then be written. */
static void read_first(void)
{
	char *p = private_memory(SIZE);

	check(zeroed(p, SIZE));
	check(zeroed(p, SIZE));
	fill(p, SIZE, 4);
	check(filled(p, SIZE, 4));
}

/*
 * Single words of pages that are hot, warm or cold are written and read; what they should be
 * is kept outside the guest.
 */
static void random_words(void)
{
	size_t words = SIZE / sizeof(uint32_t), hot = words / 16, warm = words / 3;
	uint32_t *here = private_memory(SIZE), *there = shared_memory(SIZE);
	unsigned int i, n = rounds(40000);

	fill(here, SIZE, 5);
	fill(there, SIZE, 5);
	for (i = 0; i < n; i++) {
		uint32_t kind = random_number() % 16;
		size_t range = kind < 9 ? hot : kind < 14 ? warm : words;
		size_t at = (random_number() ^ random_number() << 10) % range;

		if (here[at] != there[at])
			note("round %u: word %zu is %#x, not %#x", i, at, here[at], there[at]);
		check(here[at] == there[at]);
		if (kind % 3 == 0)
			here[at] = there[at] ^ random_number();
		there[at] = here[at];
	}
	for (i = 0; i < SIZE; i += PAGE)
		check(!memcmp((char *)here + i, (char *)there + i, PAGE));
}

static const struct test tests[] = {
	{ "malloc, calloc, realloc, free", heap },
	{ "the break moves", break_moves },
	{ "memory ends at the break", break_ends, .calm = true },
	{ "the break stops at a mapping", break_meets_mapping, .calm = true },
	{ "the stack grows", stack_grows },
	{ "the stack ends", stack_ends, .pool = 6 * MIB, .calm = true },
	{ "static data", static_data, .pool = 3 * MIB },
	{ "pages of one value, pages of noise", contents, .pool = 3 * MIB },
	{ "single words here and there", random_words, .seconds = 60 },
	{ "pages that are read before they are written", read_first },
};

TEST_MAIN(tests)
