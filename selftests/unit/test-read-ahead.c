// SPDX-License-Identifier: GPL-2.0
/* Reading ahead in the swap file: how far, and what becomes of what nobody comes for. */
#include "selftests/unit/unit.h"

#include "guest-mm/space-table.h"
#include "selftests/unit/sim.h"

#define PAGES	2048
#define POOL	512

static struct sim *sim;
static struct host_file_faults *faults;

/* A process whose pages went to the swap file in order, but for the last ones. */
static struct sim_space *swapped_out(unsigned long file_pages)
{
	struct sim_space *ss;

	sim = sim_create(POOL);
	WRITE_ONCE(sim->pool->store_max, 0);
	faults = host_file_faults(sim_swap(sim, file_pages));
	ss = sim_space_create(sim, PAGES);
	assert_non_null(ss);
	sim_write_pages(ss, 0, PAGES, 1000);
	assert_int_equal(atomic_long_read(&faults->reads), 0);
	return ss;
}

static void end(struct sim_space *ss)
{
	sim_check(sim);
	sim_space_exit(ss);
	assert_int_equal(atomic_long_read(&sim->oom_kills), 0);
	sim_destroy(sim);
	assert_int_equal(host_allocated(), 0);
}

static unsigned long figure(enum pool_stat stat)
{
	return pool_stat(sim->pool, stat);
}

static void test_in_order(void **state)
{
	struct sim_space *ss = swapped_out(4 * PAGES);
	unsigned long reads, ahead, hits;

	sim_check_pages(ss, 0, PAGES / 2, 1000);
	reads = atomic_long_read(&faults->reads);
	ahead = figure(PS_SWAP_RA);
	hits = figure(PS_SWAP_RA_HIT);
	assert_in_range(reads, PAGES / 2 / 16, PAGES / 2 / 8);
	assert_int_equal(figure(PS_PGMAJFAULT), reads);
	assert_int_equal(figure(PS_PSWPIN), reads + ahead);
	assert_int_equal(figure(PS_REFAULT), reads + hits);
	/* What was read ahead was used, but for the end of it. */
	assert_in_range(hits, ahead - 16, ahead);
	end(ss);
}

static void test_at_random(void **state)
{
	struct sim_space *ss = swapped_out(4 * PAGES);
	u64 random = 1, last = 0;
	unsigned int i;

	for (i = 0; i < 1000; i++) {
		u64 vpn = sim_random(&random, PAGES / 2);

		if (vpn == last + 1)
			continue;
		sim_check_pages(ss, vpn, vpn + 1, 1000);
		last = vpn;
	}
	assert_true(figure(PS_PGMAJFAULT) > 400);
	assert_true(figure(PS_SWAP_RA) < figure(PS_PGMAJFAULT) / 10);
	end(ss);
}

/*
 * A page that nobody came for leaves its frame without being written.  In a file that is half full,
 * one that was used has lost its copy.
 */
static void test_not_used(void **state)
{
	struct sim_space *ss = swapped_out(PAGES + PAGES / 4);
	unsigned long ahead, resident, written, clean;
	unsigned int tries;
	u64 vpn;

	for (vpn = 0; vpn < 40 || figure(PS_SWAP_RA) == figure(PS_SWAP_RA_HIT); vpn++)
		sim_check_pages(ss, vpn, vpn + 1, 1000);
	ahead = figure(PS_SWAP_RA) - figure(PS_SWAP_RA_HIT);
	assert_in_range(ahead, 1, 15);
	/* What the worker is just writing counts as both. */
	host_sleep_ms(50);
	resident = figure(PS_RESIDENT);
	written = figure(PS_PSWPOUT);
	clean = figure(PS_CLEAN_DROP);
	/* Some may be in the worker's hands. */
	for (tries = 0; tries < 10000 && figure(PS_RESIDENT); tries++)
		if (!pool_reclaim(sim->pool, POOL))
			host_sleep_ms(1);
	assert_int_equal(figure(PS_RESIDENT), 0);
	assert_int_equal(figure(PS_CLEAN_DROP) - clean, ahead);
	assert_int_equal(figure(PS_PSWPOUT) - written, resident - ahead);
	assert_int_equal(figure(PS_SWAP_RA_HIT) + ahead, figure(PS_SWAP_RA));
	sim_check_pages(ss, 0, PAGES, 1000);
	end(ss);
}

/* What cannot be read ahead is no error of who needs the page before it. */
static void test_unreadable(void **state)
{
	struct sim_space *ss = swapped_out(4 * PAGES);
	unsigned int failed = 0;
	u8 byte;
	u64 vpn;

	faults->from = 40 << PAGE_SHIFT;
	faults->to = 41 << PAGE_SHIFT;
	faults->read_err = -EIO;
	for (vpn = 0; vpn < PAGES / 2; vpn++) {
		int err = sim_read(ss, vpn, 0, &byte, 1);

		assert_true(!err || err == -EIO);
		failed += !!err;
	}
	assert_int_equal(failed, 1);
	faults->read_err = 0;
	sim_check_pages(ss, 0, PAGES, 1000);
	end(ss);
}

/* A fault that may hold the file's locks reads its page only, and waits for no other for ever. */
static void test_holds_file(void **state)
{
	struct sim_space *ss = swapped_out(4 * PAGES);
	unsigned long ahead;
	struct vpage *vp;
	u8 byte;
	u64 vpn;

	sim_check_pages(ss, 0, 20, 1000);
	ahead = figure(PS_SWAP_RA);
	assert_true(ahead > 0);
	host_holds_file = true;
	for (vpn = 100; vpn < 150; vpn++)
		assert_int_equal(sim_read(ss, vpn, 0, &byte, 1), 0);
	assert_int_equal(figure(PS_SWAP_RA), ahead);

	vp = space_lock_slot(&ss->space, 200);
	assert_non_null(vp);
	host_killed = true;
	assert_int_equal(sim_read(ss, 200, 0, &byte, 1), -EINTR);
	host_killed = false;
	vpage_unlock(vp);
	assert_int_equal(sim_read(ss, 200, 0, &byte, 1), 0);
	host_holds_file = false;
	sim_check_pages(ss, 0, PAGES, 1000);
	end(ss);
}

/* In a file that is nearly full, a page that nobody came for would keep a slot from others. */
static void test_full_file(void **state)
{
	struct sim_space *ss = swapped_out(PAGES - POOL + POOL / 4);

	sim_check_pages(ss, 0, PAGES / 2, 1000);
	assert_int_equal(figure(PS_SWAP_RA), 0);
	end(ss);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_order),
		cmocka_unit_test(test_at_random),
		cmocka_unit_test(test_not_used),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_holds_file),
		cmocka_unit_test(test_full_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
