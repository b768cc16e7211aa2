// SPDX-License-Identifier: GPL-2.0
/* The VM of a guest when things go wrong: no memory, broken files, nothing left to evict. */
#include "selftests/unit/unit.h"

#include "selftests/unit/sim.h"

#define PAGES	64

static void write_seed(struct sim_space *ss, u64 vpn, u64 seed)
{
	u8 page[PAGE_SIZE];

	sim_pattern(page, seed);
	must(!sim_write(ss, vpn, 0, page, PAGE_SIZE));
}

static void check_seed(struct sim_space *ss, u64 vpn, u64 seed)
{
	u8 page[PAGE_SIZE], want[PAGE_SIZE];

	sim_pattern(want, seed);
	must(!sim_read(ss, vpn, 0, page, PAGE_SIZE));
	must(!memcmp(page, want, PAGE_SIZE));
}

/* A page of which nothing can be compressed. */
static void write_random(struct sim_space *ss, u64 vpn, u64 seed)
{
	u64 page[PAGE_SIZE / sizeof(u64)], random = seed + 1;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(page); i++)
		page[i] = sim_random(&random, ~0ULL);
	must(!sim_write(ss, vpn, 0, page, PAGE_SIZE));
}

/* ---- every allocation fails once ---- */

static void use_child(struct sim_space *parent, struct sim_space *child)
{
	u64 i;

	for (i = 0; i < PAGES; i += 3)
		write_seed(child, i, 2000 + i);
	for (i = 1; i < PAGES; i += 3)
		write_seed(parent, i, 3000 + i);
	for (i = 0; i < PAGES; i++) {
		check_seed(child, i, i % 3 ? 1000 + i : 2000 + i);
		check_seed(parent, i, i % 3 == 1 ? 3000 + i : 1000 + i);
	}
	if (sim_unmap(child, 0, PAGES / 2) || sim_move(child, PAGES / 2, 0, PAGES / 2))
		return;
	for (i = 0; i < PAGES / 2; i++)
		check_seed(child, i,
			   (i + PAGES / 2) % 3 ? 1000 + i + PAGES / 2 : 2000 + i + PAGES / 2);
}

static void scenario(struct sim *sim)
{
	struct sim_space *parent, *child;
	u64 i;

	parent = sim_space_create(sim, 2 * PAGES);
	if (!parent)
		return;
	for (i = 0; i < PAGES; i++)
		write_seed(parent, i, 1000 + i);
	if (!sim_map_file(parent, PAGES, PAGES, 5000))
		for (i = 0; i < PAGES; i++)
			check_seed(parent, PAGES + i, 5000 + i);
	child = sim_fork(parent);
	if (child) {
		use_child(parent, child);
		sim_space_exit(child);
	}
	sim_discard(parent, PAGES, PAGES);
	sim_space_exit(parent);
}

static void test_no_memory(void **state)
{
	unsigned long nth, errors = host_log_count(HOST_LOG_ERR);
	bool failed = true;

	for (nth = 1; failed && nth < 20000; nth += 1 + nth / 200) {
		struct sim *sim;

		host_fail_nth(nth);
		sim = sim_create(100);
		if (sim) {
			failed = host_fail_happened();
			host_fail_nth(0);
			/* What is built by then is built; the swap file has a test of its own. */
			assert_non_null(sim_swap(sim, 500));
			host_fail_nth(failed ? 0 : nth);
			scenario(sim);
			failed |= host_fail_happened();
			host_fail_nth(0);
			sim_destroy(sim);
		}
		assert_int_equal(host_allocated(), 0);
	}
	print_message("# %lu allocations\n", nth);
	assert_true(nth > 500);
	assert_int_equal(host_log_count(HOST_LOG_ERR), errors);
}

/* Every so many allocations one fails, all the time. */
static void test_little_memory(void **state)
{
	struct sim *sim = sim_create(100);
	unsigned int round;

	assert_non_null(sim);
	assert_non_null(sim_swap(sim, 500));
	for (round = 7; round < 30; round++) {
		host_fail_every(round);
		scenario(sim);
		host_fail_nth(0);
	}
	sim_destroy(sim);
	assert_int_equal(host_allocated(), 0);
}

/* ---- files ---- */

static void test_broken_swap(void **state)
{
	struct sim *sim = sim_create(60);
	struct host_file_faults *faults;
	struct sim_space *ss;
	unsigned int i, lost = 0;
	u8 page[PAGE_SIZE];

	faults = host_file_faults(sim_swap(sim, 500));
	ss = sim_space_create(sim, 4 * PAGES);
	for (i = 0; i < 4 * PAGES; i++)
		write_random(ss, i, i);
	/* A part of the device cannot be read any more: its pages are lost, and only they. */
	faults->to = 50 * PAGE_SIZE;
	faults->read_err = -EIO;
	for (i = 0; i < 4 * PAGES; i++) {
		int err = sim_read(ss, i, 0, page, PAGE_SIZE);

		assert_true(!err || err == -EIO);
		lost += !!err;
	}
	assert_in_range(lost, 1, 50);
	faults->read_err = 0;
	for (i = 0; i < 4 * PAGES; i++) {
		u64 random = i + 1, word;

		assert_int_equal(sim_read(ss, i, 0, &word, sizeof(word)), 0);
		assert_true(word == sim_random(&random, ~0ULL));
	}
	/* Nor written: evictions go elsewhere in the file. */
	faults->from = 20 * PAGE_SIZE;
	faults->to = 80 * PAGE_SIZE;
	faults->write_err = -EIO;
	for (i = 0; i < 4 * PAGES; i++)
		write_random(ss, i, i + 7);
	for (i = 0; i < 4 * PAGES; i++) {
		u64 random = i + 8, word;

		assert_int_equal(sim_read(ss, i, 0, &word, sizeof(word)), 0);
		assert_true(word == sim_random(&random, ~0ULL));
	}
	assert_int_equal(atomic_long_read(&sim->oom_kills), 0);
	sim_space_exit(ss);
	sim_destroy(sim);
	assert_int_equal(host_allocated(), 0);
}

/* ---- out of memory ---- */

static void test_oom(void **state)
{
	struct sim *sim = sim_create(120);
	struct sim_space *small, *big;
	unsigned int i;
	int err = 0;

	small = sim_space_create(sim, PAGES);
	big = sim_space_create(sim, 4 * PAGES);
	for (i = 0; i < 20; i++)
		write_random(small, i, i);
	for (i = 0; i < 4 * PAGES && !err; i++) {
		u64 page[PAGE_SIZE / sizeof(u64)], random = i + 1;
		unsigned int j;

		for (j = 0; j < ARRAY_SIZE(page); j++)
			page[j] = sim_random(&random, ~0ULL);
		err = sim_write(big, i, 0, page, PAGE_SIZE);
	}
	/* The one that is killed is the one that took most, and it took nearly all there is. */
	assert_int_equal(err, -EINTR);
	assert_true(big->dying && !small->dying);
	assert_int_equal(atomic_long_read(&sim->oom_kills), 1);
	assert_in_range(i, 70, 100);
	assert_true(atomic_long_read(&sim->pool->events[PE_OOM]) > 0);
	sim_space_exit(big);
	for (i = 0; i < PAGES; i++)
		write_random(small, i, i);
	assert_int_equal(atomic_long_read(&sim->oom_kills), 1);
	sim_space_exit(small);
	sim_destroy(sim);
	assert_int_equal(host_allocated(), 0);
}

/* ---- limits ---- */

static void test_limits(void **state)
{
	struct sim *sim = sim_create(0);
	struct pool *pool = sim->pool;
	struct sim_space *ss;
	unsigned int i;

	ss = sim_space_create(sim, 4 * PAGES);
	for (i = 0; i < 4 * PAGES; i++)
		write_random(ss, i, i);
	sim_check(sim);
	/* Nothing can go anywhere: the old limit holds again. */
	assert_int_equal(pool_set_limit(pool, 100), -EBUSY);
	assert_true(pool->limit > 4 * PAGES);
	write_random(ss, 0, 0);
	assert_non_null(sim_swap(sim, 1000));
	assert_int_equal(pool_set_limit(pool, 100), 0);
	assert_true(pool_current(pool) <= 100);
	for (i = 0; i < 4 * PAGES; i++) {
		u64 random = i + 1, word;

		assert_int_equal(sim_read(ss, i, 0, &word, sizeof(word)), 0);
		assert_true(word == sim_random(&random, ~0ULL));
		assert_true(pool_current(pool) <= 100);
	}
	assert_int_equal(pool_set_min(pool, 101), -EINVAL);
	assert_int_equal(pool_set_min(pool, 80), 0);
	assert_int_equal(pool_set_limit(pool, 79), -EINVAL);
	assert_true(pool_reclaim(pool, 30) <= 100);
	assert_true(pool_current(pool) >= 80);
	sim_space_exit(ss);
	pool_drain(pool);
	/* Set aside, used or not; what tables took of it went back to the host. */
	assert_in_range(pool_current(pool), 64, 80);
	assert_int_equal(pool_set_min(pool, 0), 0);
	assert_true(sim_empties(sim));
	assert_int_equal(pool_current(pool), 0);
	host_fail_nth(50);
	assert_int_equal(pool_set_min(pool, 90), -ENOMEM);
	host_fail_nth(0);
	assert_true(sim_empties(sim));
	assert_int_equal(pool_current(pool), 0);
	sim_destroy(sim);
	assert_int_equal(host_allocated(), 0);
}

/* ---- MADV_DONTNEED beside accesses of other threads ---- */

struct race {
	struct sim_space *ss;
	bool stop;
};

static void *read_and_write(void *arg)
{
	struct race *race = arg;
	u64 word = 1;

	while (!READ_ONCE(race->stop)) {
		must(!sim_write(race->ss, 5, 8, &word, sizeof(word)));
		must(!sim_read(race->ss, 6, 8, &word, sizeof(word)));
	}
	return NULL;
}

static void *discard_too(void *arg)
{
	struct race *race = arg;

	while (!READ_ONCE(race->stop))
		must(!sim_discard(race->ss, 0, 10));
	return NULL;
}

static void test_discard_race(void **state)
{
	struct sim *sim = sim_create(200);
	struct race race = { .ss = sim_space_create(sim, PAGES) };
	struct sim_space *child;
	pthread_t thread[3];
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		write_seed(race.ss, i, i);
	/* Shared pages: forgetting them here does not free them. */
	child = sim_fork(race.ss);
	for (i = 0; i < 3; i++)
		pthread_create(&thread[i], NULL, i ? read_and_write : discard_too, &race);
	for (i = 0; i < 2000; i++) {
		assert_int_equal(sim_discard(race.ss, 0, 10), 0);
		if (i % 100 == 0) {
			sim_space_exit(child);
			child = sim_fork(race.ss);
			assert_non_null(child);
		}
	}
	WRITE_ONCE(race.stop, true);
	for (i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	sim_discard(race.ss, 0, PAGES);
	for (i = 0; i < PAGES; i++) {
		u64 word;

		assert_int_equal(sim_read(race.ss, i, 8, &word, sizeof(word)), 0);
		assert_true(word == 0);
	}
	sim_space_exit(child);
	sim_space_exit(race.ss);
	sim_destroy(sim);
	assert_int_equal(host_allocated(), 0);
}

/* The same race in slow motion: a page comes back between unmapping and forgetting. */
static void test_discard_late_fault(void **state)
{
	struct sim *sim = sim_create(200);
	struct sim_space *ss = sim_space_create(sim, PAGES), *child;
	u64 word = 7;

	write_seed(ss, 3, 100);
	child = sim_fork(ss);
	check_seed(ss, 3, 100);
	assert_int_equal(space_discard(&ss->space, 3, 1), 0);
	assert_int_equal(sim_write(ss, 3, 16, &word, sizeof(word)), 0);
	assert_int_equal(sim_read(ss, 3, 24, &word, sizeof(word)), 0);
	assert_true(word == 0);
	check_seed(child, 3, 100);
	sim_space_exit(child);
	sim_space_exit(ss);
	sim_destroy(sim);
	assert_int_equal(host_allocated(), 0);
}

/*
 * The page that comes back is only read, and the child keeps it: what the child writes then is not
 * the parent's to see.
 */
static void test_discard_late_read(void **state)
{
	struct sim *sim = sim_create(200);
	struct sim_space *ss = sim_space_create(sim, PAGES), *child;
	unsigned int i;
	u64 word;

	write_seed(ss, 3, 100);
	write_seed(ss, 4, 101);
	child = sim_fork(ss);
	check_seed(ss, 3, 100);
	check_seed(ss, 4, 101);
	assert_int_equal(space_discard(&ss->space, 3, 1), 0);
	assert_int_equal(space_replace(&ss->space, 4, 1), 0);
	write_seed(child, 3, 200);
	write_seed(child, 4, 201);
	for (i = 3; i <= 4; i++) {
		assert_int_equal(sim_read(ss, i, 24, &word, sizeof(word)), 0);
		assert_true(word == 0);
	}
	sim_space_exit(child);
	sim_space_exit(ss);
	sim_destroy(sim);
	assert_int_equal(host_allocated(), 0);
}

static void protect_nothing(void *arg, u64 vpn, u64 n)
{
}

/*
 * Two mappings within one leaf are forked one after the other, and in the second one faults go on
 * until it is its turn: the child gets it as it is then.
 */
static void test_fork_late_write(void **state)
{
	struct sim *sim = sim_create(200);
	struct sim_space *ss = sim_space_create(sim, PAGES), *child;

	write_seed(ss, 3, 100);
	write_seed(ss, 40, 101);
	write_seed(ss, 41, 102);
	write_seed(ss, 42, 103);
	child = sim_space_create(sim, PAGES);
	assert_int_equal(space_fork(&ss->space, &child->space, 0, 32, protect_nothing, NULL), 0);
	backend_unmap_range(sim->pool, ss->space.id, 0, PAGES);
	write_seed(ss, 40, 200);
	assert_int_equal(space_discard(&ss->space, 42, 1), 0);
	write_seed(ss, 43, 201);
	assert_int_equal(space_fork(&ss->space, &child->space, 32, PAGES - 32, protect_nothing,
				    NULL), 0);
	backend_unmap_range(sim->pool, ss->space.id, 0, PAGES);
	assert_int_equal(atomic_long_read(&child->space.pages), atomic_long_read(&ss->space.pages));
	write_seed(ss, 3, 300);
	write_seed(ss, 41, 301);
	check_seed(child, 3, 100);
	check_seed(child, 40, 200);
	check_seed(child, 41, 102);
	check_seed(child, 43, 201);
	write_seed(child, 40, 400);
	check_seed(ss, 40, 200);
	sim_space_exit(child);
	sim_space_exit(ss);
	sim_destroy(sim);
	assert_int_equal(host_allocated(), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_little_memory),
		cmocka_unit_test(test_broken_swap),
		cmocka_unit_test(test_oom),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_discard_race),
		cmocka_unit_test(test_discard_late_fault),
		cmocka_unit_test(test_discard_late_read),
		cmocka_unit_test(test_fork_late_write),
	};

	return cmocka_run_group_tests_name("vm-trouble", tests, NULL, NULL);
}
