// SPDX-License-Identifier: GPL-2.0
/* The swap-file tier: slots, batches, and what a broken file does. */
#include <unistd.h>

#include "selftests/unit/unit.h"

#include "guest-mm/pool.h"
#include "selftests/unit/sim.h"

#define BATCH	32

static const struct tier_ops *ops;
static struct pool pool;
static struct sim sim = { .pool = &pool };
static struct tier *tier;
static u8 *data[BATCH], *copy;

static int setup(void **state)
{
	unsigned int i;

	ops = tier_ops_of(TIER_SWAP_FILE);
	memset(&pool, 0, sizeof(pool));
	strscpy(pool.name, "test", sizeof(pool.name));
	if (ops->create(&pool, &tier))
		return -1;
	pool.tiers[TIER_SWAP_FILE] = tier;
	for (i = 0; i < BATCH; i++)
		data[i] = kmalloc(PAGE_SIZE, GFP_KERNEL);
	copy = kmalloc(PAGE_SIZE, GFP_KERNEL);
	return 0;
}

static int teardown(void **state)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++)
		kfree(data[i]);
	kfree(copy);
	ops->destroy(tier);
	return host_allocated() ? -1 : 0;
}

static void fill(u64 seed, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		sim_pattern(data[i], seed + i);
}

static int store(unsigned int n, unsigned long *handles)
{
	return ops->store_batch(tier, (const void *const *)data, n, handles);
}

static void check(u64 seed, unsigned long handle)
{
	u8 page[PAGE_SIZE];

	sim_pattern(page, seed);
	assert_int_equal(ops->load(tier, handle, copy), 0);
	assert_memory_equal(page, copy, PAGE_SIZE);
}

static void drop_all(unsigned long *handles, unsigned int n)
{
	while (n)
		ops->drop(tier, handles[--n]);
}

static void test_without_file(void **state)
{
	unsigned long handle;

	assert_int_equal(store(1, &handle), -ENOSPC);
	assert_int_equal(ops->room(tier), 0);
	assert_int_equal(tier_swap_file_size(tier), 0);
	assert_int_equal(tier_swap_file_used(tier), 0);
	assert_int_equal(tier_swap_file_detach(tier), 0);
}

static void test_batch(void **state)
{
	struct host_file *file = sim_swap(&sim, 1000);
	struct host_file_faults *faults = host_file_faults(file);
	unsigned long handle[4 * BATCH];
	unsigned int i, batch;

	assert_int_equal(tier_swap_file_attach(tier, file, 10), -EBUSY);
	assert_int_equal(tier_swap_file_size(tier), 1000);
	for (batch = 0; batch < 4; batch++) {
		fill(batch * 100, BATCH);
		assert_int_equal(store(BATCH, handle + batch * BATCH), BATCH);
	}
	/* Each batch was one write, and they follow each other. */
	assert_int_equal(atomic_long_read(&faults->writes), 4);
	for (i = 0; i < 4 * BATCH; i++) {
		assert_int_not_equal(handle[i], 0);
		if (i)
			assert_int_equal(handle[i], handle[i - 1] + 1);
		check(i / BATCH * 100 + i % BATCH, handle[i]);
	}
	assert_int_equal(tier_swap_file_used(tier), 4 * BATCH);
	assert_int_equal(ops->room(tier), 1000 - 4 * BATCH);
	assert_int_equal(ops->used_pages(tier), 0);
	assert_int_equal(tier_swap_file_detach(tier), -EBUSY);
	drop_all(handle, 4 * BATCH);
	assert_int_equal(tier_swap_file_used(tier), 0);
	assert_int_equal(tier_swap_file_detach(tier), 0);
	assert_int_equal(tier_swap_file_size(tier), 0);
}

/* Every slot can be used, also when the free ones are far apart, and again after that. */
static void test_full(void **state)
{
	enum { SIZE = 777 };
	unsigned long handle[SIZE], extra;
	bool seen[SIZE + 1] = { };
	unsigned int i, n = 0, round;

	assert_non_null(sim_swap(&sim, SIZE));
	while (n < SIZE) {
		int done;

		fill(n, BATCH);
		done = store(BATCH, handle + n);
		assert_in_range(done, 1, BATCH);
		n += done;
		if (n > SIZE - BATCH)
			break;
	}
	while (n < SIZE) {
		fill(n, 1);
		assert_int_equal(ops->store(tier, data[0], &handle[n++]), 0);
	}
	for (i = 0; i < SIZE; i++) {
		assert_in_range(handle[i], 1, SIZE);
		assert_false(seen[handle[i]]);
		seen[handle[i]] = true;
		check(i, handle[i]);
	}
	assert_int_equal(ops->store(tier, data[0], &extra), -ENOSPC);
	assert_int_equal(store(BATCH, &extra), -ENOSPC);
	for (round = 0; round < 3; round++) {
		unsigned long got[SIZE];
		unsigned int freed = 0, again = 0;

		for (i = round; i < SIZE; i += 3, freed++)
			ops->drop(tier, handle[i]);
		assert_int_equal(ops->room(tier), freed);
		fill(5000, BATCH);
		while (again < freed) {
			int done = store(min(BATCH, (int)(freed - again)), got + again);

			assert_true(done > 0);
			again += done;
		}
		assert_int_equal(store(1, &extra), -ENOSPC);
		for (i = round, again = 0; i < SIZE; i += 3)
			handle[i] = got[again++];
	}
	drop_all(handle, SIZE);
	assert_int_equal(ops->room(tier), SIZE);
}

static void test_max(void **state)
{
	unsigned long handle[BATCH];

	sim_swap(&sim, 100);
	tier_swap_file_set_max(tier, 10);
	assert_int_equal(tier_swap_file_size(tier), 10);
	fill(1, BATCH);
	assert_int_equal(store(BATCH, handle), 10);
	assert_int_equal(store(1, handle + 10), -ENOSPC);
	tier_swap_file_set_max(tier, 5);
	assert_int_equal(store(1, handle + 10), -ENOSPC);
	assert_int_equal(ops->room(tier), 0);
	tier_swap_file_set_max(tier, 1000000);
	assert_int_equal(tier_swap_file_size(tier), 100);
	assert_int_equal(store(1, handle + 10), 1);
	drop_all(handle, 11);
}

static void test_write_errors(void **state)
{
	struct host_file *file = sim_swap(&sim, 64);
	struct host_file_faults *faults = host_file_faults(file);
	unsigned long handle[64], errors = host_log_count(HOST_LOG_ERR);
	unsigned int n = 0, i;

	/* The fifth page of the first batch. */
	faults->from = 4 * PAGE_SIZE;
	faults->to = 5 * PAGE_SIZE;
	faults->write_err = -EIO;
	fill(0, BATCH);
	assert_int_equal(store(BATCH, handle), 4);
	n = 4;
	assert_int_equal(host_log_count(HOST_LOG_ERR), errors + 1);
	assert_int_equal(tier_swap_file_used(tier), 4);
	assert_int_equal(ops->room(tier), 59);
	/* The bad slot is not used again, though all others are. */
	for (; n < 63; n++) {
		fill(n, 1);
		assert_int_equal(ops->store(tier, data[0], &handle[n]), 0);
		assert_int_not_equal(handle[n], 5);
	}
	assert_int_equal(ops->store(tier, data[0], &handle[n]), -ENOSPC);
	for (i = 4; i < n; i++)
		check(i, handle[i]);
	drop_all(handle, n);
	assert_int_equal(tier_swap_file_detach(tier), 0);

	/* A device that is gone: each call spoils a slot, and the log says so only now and then. */
	file = sim_swap(&sim, 64);
	faults = host_file_faults(file);
	faults->to = 1000 * PAGE_SIZE;
	faults->write_err = -EIO;
	errors = host_log_count(HOST_LOG_ERR);
	for (i = 0; i < 64; i++) {
		assert_int_equal(store(BATCH, handle), -EIO);
		assert_int_equal(tier_swap_file_used(tier), 0);
		assert_int_equal(ops->room(tier), 63 - i);
	}
	assert_int_equal(store(BATCH, handle), -ENOSPC);
	assert_int_equal(host_log_count(HOST_LOG_ERR), errors + 7);
	assert_int_equal(tier_swap_file_detach(tier), 0);

	/* A file system that is full: the slots are good once there is room. */
	file = sim_swap(&sim, 64);
	faults = host_file_faults(file);
	faults->from = 20 * PAGE_SIZE;
	faults->to = 1000 * PAGE_SIZE;
	faults->write_err = -ENOSPC;
	fill(0, BATCH);
	assert_int_equal(store(BATCH, handle), 20);
	assert_int_equal(store(BATCH, handle + 20), -ENOSPC);
	faults->write_err = 0;
	assert_int_equal(ops->room(tier), 44);
	assert_int_equal(store(BATCH, handle + 20), BATCH);
	drop_all(handle, 20 + BATCH);
}

static void test_read_errors(void **state)
{
	struct host_file *file = sim_swap(&sim, 64);
	struct host_file_faults *faults = host_file_faults(file);
	unsigned long handle[2];

	fill(3, 2);
	assert_int_equal(store(2, handle), 2);
	faults->from = PAGE_SIZE;
	faults->to = 2 * PAGE_SIZE;
	faults->read_err = -EIO;
	check(3, handle[0]);
	assert_int_equal(ops->load(tier, handle[1], copy), -EIO);
	faults->read_err = 0;
	check(4, handle[1]);
	drop_all(handle, 2);
}

/* A file shorter than was promised: reading past its end is an error, not old memory. */
static void test_short_file(void **state)
{
	char path[] = "/tmp/lodge-unit-XXXXXX";
	int fd = mkstemp(path);
	unsigned long handle[8];
	struct host_file *file;

	assert_true(fd >= 0);
	file = host_file_open(path);
	assert_false(IS_ERR(file));
	assert_int_equal(tier_swap_file_attach(tier, file, 0), -EINVAL);
	assert_int_equal(tier_swap_file_attach(tier, file, 8), 0);
	fill(0, 8);
	assert_int_equal(store(8, handle), 8);
	assert_int_equal(ftruncate(fd, 4 * PAGE_SIZE + 100), 0);
	check(3, handle[3]);
	assert_int_equal(ops->load(tier, handle[4], copy), -EIO);
	assert_int_equal(ops->load(tier, handle[5], copy), -EIO);
	drop_all(handle, 8);
	close(fd);
	unlink(path);
}

static void test_no_memory(void **state)
{
	char path[] = "/tmp/lodge-unit-XXXXXX";
	int fd = mkstemp(path), err = -ENOMEM;
	struct host_file *file = host_file_open(path);
	unsigned long nth;

	assert_false(IS_ERR(file));
	for (nth = 1; err; nth++) {
		host_fail_nth(nth);
		err = tier_swap_file_attach(tier, file, 100000);
		host_fail_nth(0);
		assert_true(!err || err == -ENOMEM);
		assert_int_equal(tier_swap_file_size(tier), err ? 0 : 100000);
	}
	assert_int_equal(nth, 6);
	close(fd);
	unlink(path);
}

#define THREADS	4

static void *churn(void *arg)
{
	u64 state = (unsigned long)arg * 77 + 1, seed[64];
	u8 *pages[8], *page = kmalloc(PAGE_SIZE, GFP_KERNEL);
	unsigned long handle[64] = { };
	unsigned int i, j;

	for (i = 0; i < 8; i++)
		pages[i] = kmalloc(PAGE_SIZE, GFP_KERNEL);
	for (i = 0; i < 3000; i++) {
		unsigned int at = sim_random(&state, 57), n = 1 + sim_random(&state, 8);
		unsigned long got[8];
		int done;

		for (j = at; j < at + n; j++) {
			if (!handle[j])
				continue;
			must(!ops->load(tier, handle[j], page));
			sim_pattern(pages[0], seed[j]);
			must(!memcmp(page, pages[0], PAGE_SIZE));
			ops->drop(tier, handle[j]);
			handle[j] = 0;
		}
		for (j = 0; j < n; j++) {
			seed[at + j] = sim_random(&state, 100000);
			sim_pattern(pages[j], seed[at + j]);
		}
		done = ops->store_batch(tier, (const void *const *)pages, n, got);
		for (j = 0; done > 0 && j < (unsigned int)done; j++)
			handle[at + j] = got[j];
	}
	for (i = 0; i < 64; i++)
		if (handle[i])
			ops->drop(tier, handle[i]);
	for (i = 0; i < 8; i++)
		kfree(pages[i]);
	kfree(page);
	return NULL;
}

static void test_threads(void **state)
{
	pthread_t thread[THREADS];
	unsigned long i;

	sim_swap(&sim, 180);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, churn, (void *)i), 0);
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(tier_swap_file_used(tier), 0);
	assert_int_equal(ops->room(tier), 180);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_without_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_batch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_max, setup, teardown),
		cmocka_unit_test_setup_teardown(test_write_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_short_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_threads, setup, teardown),
	};

	return cmocka_run_group_tests_name("swap-file", tests, NULL, NULL);
}
