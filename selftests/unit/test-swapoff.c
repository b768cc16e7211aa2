// SPDX-License-Identifier: GPL-2.0
/* Taking the swap file away while pages are in it. */
#include "selftests/unit/unit.h"

#include "selftests/unit/sim.h"

#define PAGES	256

static struct sim *sim;
static struct tier *tier;
static struct host_file_faults *faults;

/* A machine in whose swap file a part of what its processes have is. */
static struct sim_space *crowded(unsigned long limit)
{
	struct sim_space *ss;

	sim = sim_create(limit);
	tier = sim->pool->tiers[TIER_SWAP_FILE];
	faults = host_file_faults(sim_swap(sim, 4 * PAGES));
	ss = sim_space_create(sim, PAGES);
	assert_non_null(ss);
	return ss;
}

static void end(void)
{
	assert_int_equal(atomic_long_read(&sim->oom_kills), 0);
	sim_destroy(sim);
	assert_int_equal(host_allocated(), 0);
}

static void test_comes_back(void **state)
{
	struct sim_space *ss = crowded(120), *child;

	sim_write_pages(ss, 0, PAGES, 1000);
	child = sim_fork(ss);
	assert_non_null(child);
	sim_write_pages(child, 0, PAGES / 2, 5000);
	/* Some are resident beside their copy. */
	sim_check_pages(ss, 0, 20, 1000);
	assert_in_range(tier_swap_file_used(tier), PAGES, 4 * PAGES);
	assert_int_equal(pool_set_limit(sim->pool, 1000), 0);
	assert_int_equal(pool_swapoff(sim->pool), 0);
	assert_int_equal(tier_swap_file_used(tier), 0);
	assert_int_equal(tier_swap_file_detach(tier), 0);
	sim_check(sim);
	sim_check_pages(ss, 0, PAGES, 1000);
	sim_check_pages(child, 0, PAGES / 2, 5000);
	sim_check_pages(child, PAGES / 2, PAGES, 1000);
	/* And the next one can be used. */
	sim_swap(sim, PAGES);
	assert_int_equal(tier_swap_file_size(tier), PAGES);
	sim_space_exit(child);
	sim_space_exit(ss);
	end();
}

static void test_no_room(void **state)
{
	struct sim_space *ss = crowded(120);
	unsigned long used;

	sim_write_pages(ss, 0, PAGES, 1000);
	used = tier_swap_file_used(tier);
	assert_in_range(used, 100, PAGES);
	assert_int_equal(pool_swapoff(sim->pool), -EBUSY);
	assert_int_equal(tier_swap_file_detach(tier), -EBUSY);
	/* It goes on as before. */
	assert_int_equal(tier_swap_file_size(tier), 4 * PAGES);
	sim_check_pages(ss, 0, PAGES, 1000);
	sim_write_pages(ss, 0, PAGES, 2000);
	sim_check_pages(ss, 0, PAGES, 2000);
	assert_in_range(tier_swap_file_used(tier), 100, PAGES);
	sim_space_exit(ss);
	end();
}

static void test_refusals(void **state)
{
	struct sim_space *ss = crowded(120);

	sim_write_pages(ss, 0, PAGES, 1000);
	assert_int_equal(pool_set_limit(sim->pool, 1000), 0);
	faults->to = 4 * PAGES * PAGE_SIZE;
	faults->read_err = -EIO;
	assert_int_equal(pool_swapoff(sim->pool), -EIO);
	faults->read_err = 0;
	host_killed = true;
	assert_int_equal(pool_swapoff(sim->pool), -EINTR);
	host_killed = false;
	assert_int_equal(tier_swap_file_close(tier), 0);
	assert_int_equal(pool_swapoff(sim->pool), -EALREADY);
	assert_true(tier_swap_file_closed(tier));
	assert_true(tier_swap_file_reopen(tier));
	sim_check_pages(ss, 0, PAGES, 1000);
	assert_int_equal(pool_swapoff(sim->pool), 0);
	assert_int_equal(tier_swap_file_detach(tier), 0);
	assert_int_equal(pool_swapoff(sim->pool), 0);
	assert_false(tier_swap_file_closed(tier));
	sim_check_pages(ss, 0, PAGES, 1000);
	sim_space_exit(ss);
	end();
}

/* ---- beside everything else ---- */

static bool stop;

static void *live(void *arg)
{
	struct sim_space *ss = arg, *child;
	u64 random = ss->space.id, seed = 10000 * ss->space.id;

	sim_write_pages(ss, 0, PAGES, seed);
	while (!READ_ONCE(stop)) {
		u64 from = sim_random(&random, PAGES - 8);

		sim_check_pages(ss, 0, PAGES, seed);
		must(!sim_unmap(ss, from, 8));
		sim_write_pages(ss, from, from + 8, seed);
		child = sim_fork(ss);
		if (!child)
			continue;
		sim_write_pages(ss, 0, 8, seed);
		must(!sim_unmap(child, 0, PAGES));
		sim_space_exit(child);
	}
	return NULL;
}

/* Pages are in use, forked and dropped while the file is taken away, with and without room. */
static void test_beside_others(void **state)
{
	struct sim_space *ss[2] = { crowded(150) };
	pthread_t thread[2];
	unsigned int i, done = 0;

	ss[1] = sim_space_create(sim, PAGES);
	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, live, ss[i]), 0);
	for (i = 0; i < 6; i++) {
		int err;

		must(!pool_set_limit(sim->pool, i & 1 ? 1500 : 150));
		err = pool_swapoff(sim->pool);
		must(!err || err == -EBUSY);
		if (err)
			continue;
		must(!tier_swap_file_detach(tier));
		sim_swap(sim, 4 * PAGES);
		done++;
	}
	WRITE_ONCE(stop, true);
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	assert_true(done >= 3);
	for (i = 0; i < 2; i++) {
		sim_check_pages(ss[i], 0, PAGES, 10000 * ss[i]->space.id);
		sim_space_exit(ss[i]);
	}
	end();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comes_back),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_beside_others),
	};

	return cmocka_run_group_tests_name("swapoff", tests, NULL, NULL);
}
