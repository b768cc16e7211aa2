// SPDX-License-Identifier: GPL-2.0
/* The compressed store, and that it is charged for what it takes at every moment. */
#include "selftests/unit/unit.h"

#include "guest-core/host-store.h"
#include "guest-mm/pool.h"
#include "selftests/unit/sim.h"

#define PAGES	400

static const struct tier_ops *ops;
static struct pool pool;
static struct tier *tier;

static unsigned long charged(void)
{
	return atomic_long_read(&pool.charged);
}

static int setup(void **state)
{
	ops = tier_ops_of(TIER_STORE);
	memset(&pool, 0, sizeof(pool));
	strscpy(pool.name, "test", sizeof(pool.name));
	pool.limit = 1000;
	if (ops->create(&pool, &tier))
		return -1;
	pool.tiers[TIER_STORE] = tier;
	return 0;
}

static int teardown(void **state)
{
	ops->destroy(tier);
	if (charged() || host_allocated()) {
		fprintf(stderr, "left: %lu charged, %ld allocated\n", charged(), host_allocated());
		return -1;
	}
	return 0;
}

/* Nothing is used uncharged, and little is charged unused. */
static void check_charges(void)
{
	unsigned long held = tier_store_pages(tier);

	assert_true(charged() >= held);
	assert_true(charged() <= held + 12);
	assert_int_equal(ops->used_pages(tier), charged());
}

static void *new_page(void)
{
	void *page = kmalloc(PAGE_SIZE, GFP_KERNEL);

	assert_non_null(page);
	return page;
}

/* A page of which the first @random bytes are random. */
static void half_random(void *page, unsigned int random)
{
	u64 state = 4711;
	unsigned int i;

	memset(page, 'x', PAGE_SIZE);
	for (i = 0; i < random; i++)
		((u8 *)page)[i] = sim_random(&state, 256);
}

static void test_round_trip(void **state)
{
	unsigned long handle[PAGES];
	void *page = new_page(), *copy = new_page();
	unsigned int i, stored = 0;

	for (i = 0; i < PAGES; i++) {
		int err;

		sim_pattern(page, i);
		err = ops->store(tier, page, &handle[i]);
		assert_true(!err || err == -EINVAL);
		if (err)
			handle[i] = 0;
		else
			stored++;
		assert_true(err || handle[i]);
		check_charges();
	}
	/* Three of four kinds of pages compress. */
	assert_in_range(stored, PAGES / 2, PAGES - 1);
	assert_true(tier_store_pages(tier) < stored);
	for (i = 0; i < PAGES; i++) {
		if (!handle[i])
			continue;
		sim_pattern(page, i);
		memset(copy, 0x77, PAGE_SIZE);
		assert_int_equal(ops->load(tier, handle[i], copy), 0);
		assert_memory_equal(copy, page, PAGE_SIZE);
	}
	for (i = 0; i < PAGES; i++) {
		if (!handle[(i * 7) % PAGES])
			continue;
		ops->drop(tier, handle[(i * 7) % PAGES]);
		check_charges();
	}
	/* The last drop gives everything back, with no call of anything else. */
	assert_int_equal(charged(), 0);
	assert_int_equal(tier_store_pages(tier), 0);
	kfree(page);
	kfree(copy);
}

static void test_full_pool(void **state)
{
	unsigned long handle[PAGES];
	void *page = new_page();
	unsigned int i, n = 0, attempt;
	int err = 0;

	pool.limit = 40;
	for (i = 0; i < PAGES; i++) {
		sim_pattern(page, i);
		err = ops->store(tier, page, &handle[n]);
		assert_true(charged() <= pool.limit);
		if (err == -ENOSPC)
			break;
		if (!err)
			n++;
	}
	assert_int_equal(err, -ENOSPC);
	assert_true(n > 20);
	/* Room that is given back can be used again. */
	for (attempt = 0; attempt < 3; attempt++) {
		while (n > 5)
			ops->drop(tier, handle[--n]);
		check_charges();
		half_random(page, 1000);
		while (n < 15)
			assert_int_equal(ops->store(tier, page, &handle[n++]), 0);
	}
	while (n)
		ops->drop(tier, handle[--n]);
	assert_int_equal(charged(), 0);
	kfree(page);
}

static void test_max(void **state)
{
	unsigned long handle[PAGES];
	void *page = new_page();
	unsigned int i, n = 0;

	tier_store_set_max(tier, 0);
	half_random(page, 1000);
	assert_int_equal(ops->store(tier, page, &handle[0]), -ENOSPC);
	assert_int_equal(charged(), 0);
	tier_store_set_max(tier, 30);
	for (i = 0; i < PAGES; i++) {
		int err;

		sim_pattern(page, i);
		err = ops->store(tier, page, &handle[n]);
		assert_true(tier_store_pages(tier) <= 30);
		if (err == -ENOSPC)
			break;
		if (!err)
			n++;
	}
	assert_true(i < PAGES && n > 10);
	/* A lower limit only refuses new pages. */
	tier_store_set_max(tier, 1);
	assert_int_equal(ops->store(tier, page, &handle[n]), -ENOSPC);
	assert_int_equal(ops->load(tier, handle[0], page), 0);
	while (n)
		ops->drop(tier, handle[--n]);
	assert_int_equal(charged(), 0);
	kfree(page);
}

/* Poorly compressing pages go to the swap file while there is one with room. */
static void test_worth(void **state)
{
	unsigned long handle;
	struct sim sim = { .pool = &pool };
	struct host_file *file;
	void *page = new_page(), *copy = new_page();

	half_random(page, 3150);
	assert_int_equal(ops->store(tier, page, &handle), 0);
	assert_int_equal(ops->load(tier, handle, copy), 0);
	assert_memory_equal(page, copy, PAGE_SIZE);
	ops->drop(tier, handle);

	assert_int_equal(tier_swap_file_ops.create(&pool, &pool.tiers[TIER_SWAP_FILE]), 0);
	assert_int_equal(ops->store(tier, page, &handle), 0);
	ops->drop(tier, handle);
	file = sim_swap(&sim, 1);
	assert_non_null(file);
	assert_int_equal(ops->store(tier, page, &handle), -EINVAL);
	half_random(page, 2900);
	assert_int_equal(ops->store(tier, page, &handle), 0);
	ops->drop(tier, handle);

	half_random(page, 3150);
	assert_int_equal(tier_swap_file_ops.store(pool.tiers[TIER_SWAP_FILE], page, &handle), 0);
	assert_int_equal(ops->store(tier, page, &handle), 0);
	ops->drop(tier, handle);
	tier_swap_file_ops.drop(pool.tiers[TIER_SWAP_FILE], 1);
	tier_swap_file_ops.destroy(pool.tiers[TIER_SWAP_FILE]);

	/* Nothing is gained by keeping random data in whole pages. */
	half_random(page, PAGE_SIZE);
	pool.tiers[TIER_SWAP_FILE] = NULL;
	assert_int_equal(ops->store(tier, page, &handle), -EINVAL);
	assert_int_equal(charged(), 0);
	kfree(page);
	kfree(copy);
}

/* Each allocation that can fail does, in creation and in use. */
static void test_no_memory(void **state)
{
	struct pool other = { .limit = 1000, .name = "other" };
	unsigned long handle, nth;
	struct tier *t;
	void *page = new_page();
	int err = -ENOMEM;

	/* Other pools share the memory to compress in: it must be made anew to fail. */
	ops->destroy(tier);
	for (nth = 1; err; nth++) {
		host_fail_nth(nth);
		err = ops->create(&other, &t);
		host_fail_nth(0);
		assert_true(!err || err == -ENOMEM);
		if (!err)
			ops->destroy(t);
	}
	assert_true(nth > 4);
	assert_int_equal(ops->create(&pool, &tier), 0);

	half_random(page, 1000);
	for (nth = 1; ; nth++) {
		bool failed;

		host_fail_nth(nth);
		err = ops->store(tier, page, &handle);
		failed = host_fail_happened();
		host_fail_nth(0);
		/* One failure is made good by waiting for memory. */
		assert_int_equal(err, 0);
		ops->drop(tier, handle);
		assert_int_equal(charged(), 0);
		if (!failed)
			break;
	}
	assert_true(nth > 2);
	host_fail_every(1);
	assert_int_equal(ops->store(tier, page, &handle), -ENOMEM);
	host_fail_nth(0);
	assert_int_equal(charged(), 0);
	kfree(page);
}

#define THREADS	4

static void *churn(void *arg)
{
	u64 state = (unsigned long)arg + 1;
	unsigned long handle[64] = { };
	u64 seed[64];
	void *page = new_page(), *copy = new_page();
	unsigned int i;

	for (i = 0; i < 6000; i++) {
		unsigned int at = sim_random(&state, 64);

		must(charged() <= READ_ONCE(pool.limit));
		if (!handle[at]) {
			seed[at] = sim_random(&state, 1000);
			sim_pattern(page, seed[at]);
			if (ops->store(tier, page, &handle[at]))
				handle[at] = 0;
			continue;
		}
		must(!ops->load(tier, handle[at], copy));
		sim_pattern(page, seed[at]);
		must(!memcmp(page, copy, PAGE_SIZE));
		ops->drop(tier, handle[at]);
		handle[at] = 0;
	}
	for (i = 0; i < 64; i++)
		if (handle[i])
			ops->drop(tier, handle[i]);
	kfree(page);
	kfree(copy);
	return NULL;
}

static void test_threads(void **state)
{
	pthread_t thread[THREADS];
	unsigned long i;

	/* Too little for all: some stores fail. */
	pool.limit = 90;
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, churn, (void *)i), 0);
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(charged(), 0);
	assert_int_equal(tier_store_pages(tier), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_pool, setup, teardown),
		cmocka_unit_test_setup_teardown(test_max, setup, teardown),
		cmocka_unit_test_setup_teardown(test_worth, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_threads, setup, teardown),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
