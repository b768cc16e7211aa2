// SPDX-License-Identifier: GPL-2.0
/* The tier for pages that repeat one word. */
#include "selftests/unit/unit.h"

#include "guest-mm/tier.h"

#define WORDS	(PAGE_SIZE / sizeof(unsigned long))

static const struct tier_ops *ops;
static struct tier *tier;
static unsigned long page[WORDS], copy[WORDS];

static void fill(unsigned long word)
{
	unsigned int i;

	for (i = 0; i < WORDS; i++)
		page[i] = word;
}

static void test_round_trip(void **state)
{
	static const unsigned long words[] = {
		0, 1, ~0UL, 0x8000000000000000UL, 0xdeadbeefcafef00dUL, (unsigned long)-ENOMEM,
	};
	unsigned long handle;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		fill(words[i]);
		assert_int_equal(ops->store(tier, page, &handle), 0);
		memset(copy, 0x5a, sizeof(copy));
		assert_int_equal(ops->load(tier, handle, copy), 0);
		assert_memory_equal(copy, page, PAGE_SIZE);
		ops->drop(tier, handle);
		assert_int_equal(ops->used_pages(tier), 0);
	}
}

static void test_any_difference(void **state)
{
	unsigned long handle;
	unsigned int i;

	for (i = 0; i < PAGE_SIZE; i++) {
		fill(0x4242424242424242UL);
		((u8 *)page)[i] ^= 0x10;
		assert_int_equal(ops->store(tier, page, &handle), -EINVAL);
	}
	/* Halves that are each the same. */
	fill(7);
	memset(page, 0, PAGE_SIZE / 2);
	assert_int_equal(ops->store(tier, page, &handle), -EINVAL);
	/* A repeated byte pattern with a period other than a word's. */
	for (i = 0; i < PAGE_SIZE; i++)
		((u8 *)page)[i] = i % 3;
	assert_int_equal(ops->store(tier, page, &handle), -EINVAL);
}

static int setup(void **state)
{
	ops = tier_ops_of(TIER_SAME_FILLED);
	return ops->create(NULL, &tier);
}

static int teardown(void **state)
{
	ops->destroy(tier);
	return host_allocated() ? -1 : 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_any_difference),
	};

	return cmocka_run_group_tests_name("same-filled", tests, setup, teardown);
}
