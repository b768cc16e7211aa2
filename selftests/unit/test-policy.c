// SPDX-License-Identifier: GPL-2.0
/* Replacement policies: what each must do, and that TL is worth having. */
#include <math.h>

#include "selftests/unit/unit.h"

#include "selftests/unit/policy-sim.h"
#include "selftests/unit/sim.h"

static const char *const names[] = { "tl", "clock" };

/* ---- every policy ---- */

static void test_find(void **state)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		assert_string_equal(policy_find(names[i])->name, names[i]);
	assert_null(policy_find("no such policy"));
	assert_null(policy_find(""));
	assert_string_equal(policy_find(NULL)->name, "tl");
	assert_ptr_equal(policy_at(0), policy_find(NULL));
	assert_ptr_equal(policy_at(1), policy_find("clock"));
	assert_null(policy_at(2));
}

static void test_no_memory(void **state)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		host_fail_nth(1);
		assert_null(policy_find(names[i])->create(100));
		host_fail_nth(0);
	}
}

/* Random references, frees, locked pages, resizes: each page stays on exactly one list. */
static void churn(const char *name, u64 seed)
{
	enum { PAGES = 500 };
	struct policy_sim sim;
	struct vpage *held[20];
	unsigned int step, nr_held = 0;
	u64 random = seed;

	policy_sim_init(&sim, name, PAGES, 150);
	for (step = 0; step < 30000; step++) {
		unsigned int what = sim_random(&random, 100);
		unsigned long page = sim_random(&random, PAGES);

		if (what < 80) {
			if (!test_bit(VP_LOCKED, &sim.vp[page].flags))
				policy_sim_use(&sim, page);
		} else if (what < 85) {
			if (!test_bit(VP_LOCKED, &sim.vp[page].flags))
				policy_sim_free(&sim, page);
		} else if (what < 90) {
			/* Somebody else holds a page's lock for a while. */
			if (nr_held < ARRAY_SIZE(held) && vpage_trylock(&sim.vp[page]))
				held[nr_held++] = &sim.vp[page];
		} else if (what < 95) {
			if (nr_held)
				vpage_unlock(held[--nr_held]);
		} else if (what < 97) {
			policy_sim_evict(&sim, 1 + sim_random(&random, 32));
		} else if (what < 98) {
			sim.frames = 100 + sim_random(&random, 100);
			sim.ops->resize(sim.policy, sim.frames);
		} else {
			/* A candidate that could not be evicted. */
			struct vpage *vps[8];
			unsigned int n = sim.ops->isolate(sim.policy, vps, 8, sim.now);

			while (n--) {
				sim.ops->putback(sim.policy, vps[n], false, sim.now);
				vpage_unlock(vps[n]);
			}
		}
		if (step % 500 == 0 && !nr_held)
			policy_sim_check(&sim);
	}
	while (nr_held)
		vpage_unlock(held[--nr_held]);
	policy_sim_check(&sim);
	policy_sim_exit(&sim);
}

static void test_churn(void **state)
{
	unsigned int i, seed;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		for (seed = 1; seed <= 5; seed++)
			churn(names[i], seed);
	assert_int_equal(host_allocated(), 0);
}

/* Pages that somebody holds on to, a whole list of them, do not hide those that can go. */
static void test_pinned(void **state)
{
	enum { PAGES = 400 };
	unsigned int i, batch, page, evicted;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		bool pinned[PAGES] = { };
		struct policy_sim sim;

		policy_sim_init(&sim, names[i], PAGES, PAGES);
		for (page = 0; page < PAGES; page++)
			policy_sim_use(&sim, page);
		for (batch = 0; batch < 1000 && sim.resident > PAGES / 2; batch++)
			policy_sim_evict(&sim, 32);
		/* Pages that came back are in other places than those that never went. */
		for (page = 0; page < PAGES; page++) {
			pinned[page] = sim.in[page];
			policy_sim_use(&sim, page);
		}
		for (evicted = 0, batch = 0; batch < 200; batch++) {
			struct vpage *vps[32];
			unsigned int n = sim.ops->isolate(sim.policy, vps, 32, sim.now);

			while (n--) {
				bool stays = pinned[vps[n] - sim.vp];

				evicted += !stays;
				sim.ops->putback(sim.policy, vps[n], !stays, sim.now);
				vpage_unlock(vps[n]);
			}
		}
		assert_in_range(evicted, 100, 200 * 32);
		policy_sim_check(&sim);
		policy_sim_exit(&sim);
	}
}

/* When every page is locked by others, isolate gives up rather than spin. */
static void test_all_locked(void **state)
{
	unsigned int i, page;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		struct policy_sim sim;
		struct vpage *vps[32];

		policy_sim_init(&sim, names[i], 100, 100);
		assert_int_equal(sim.ops->isolate(sim.policy, vps, 32, sim.now), 0);
		for (page = 0; page < 100; page++)
			policy_sim_use(&sim, page);
		for (page = 0; page < 100; page++)
			assert_true(vpage_trylock(&sim.vp[page]));
		assert_int_equal(sim.ops->isolate(sim.policy, vps, 32, sim.now), 0);
		if (sim.ops->young_batch)
			assert_int_equal(sim.ops->young_batch(sim.policy, vps, 32, sim.now), 0);
		for (page = 0; page < 100; page++)
			vpage_unlock(&sim.vp[page]);
		policy_sim_check(&sim);
		policy_sim_exit(&sim);
	}
}

/* A page in constant use stays, whatever else comes by. */
static void test_hot_page_stays(void **state)
{
	unsigned int i, page;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		struct policy_sim sim;
		unsigned int misses = 0;

		policy_sim_init(&sim, names[i], 20000, 500);
		policy_sim_use(&sim, 0);
		for (page = 1; page < 20000; page++) {
			policy_sim_use(&sim, page);
			misses += !policy_sim_use(&sim, 0);
		}
		assert_true(misses <= 1);
		policy_sim_exit(&sim);
	}
}

/* ---- traces; refaults in percent of the references ---- */

/* The cumulative distribution of a zipf law over @n pages. */
static double *zipf(unsigned long n, double exponent)
{
	double *sum = kcalloc(n, sizeof(*sum), GFP_KERNEL), total = 0;
	unsigned long i;

	for (i = 0; i < n; i++)
		total += pow(i + 1, -exponent);
	for (i = 0; i < n; i++)
		sum[i] = (i ? sum[i - 1] : 0) + pow(i + 1, -exponent) / total;
	return sum;
}

static unsigned long zipf_page(const double *sum, unsigned long n, u64 *random)
{
	double x = sim_random(random, 1ULL << 40) / (double)(1ULL << 40);
	unsigned long low = 0, high = n - 1;

	while (low < high) {
		unsigned long mid = (low + high) / 2;

		if (sum[mid] < x)
			low = mid + 1;
		else
			high = mid;
	}
	/* The hot pages lie apart. */
	return low * 7919 % n;
}

enum trace { LOOP, ZIPF, ZIPF_SCAN, PHASES, UNIFORM };

static const char *const trace_names[] = { "loop", "zipf", "zipf+scan", "phases", "uniform" };

/* Refaults per thousand references of the second half of a trace. */
static double run(const char *name, enum trace trace, unsigned long pages, unsigned int percent)
{
	unsigned long refs = 300000, i, scan = 0, before = 0;
	double *sum = zipf(pages, 0.9);
	struct policy_sim sim;
	u64 random = 42;
	double result;

	policy_sim_init(&sim, name, 4 * pages, pages * percent / 100);
	for (i = 0; i < refs; i++) {
		unsigned long page;

		if (i == refs / 2)
			before = sim.refaults;
		switch (trace) {
		case LOOP:
			page = i % pages;
			break;
		case ZIPF:
			page = zipf_page(sum, pages, &random);
			break;
		case ZIPF_SCAN:
			page = i % 20000 < 4096 ? pages + scan++ % (3 * pages)
						: zipf_page(sum, pages, &random);
			break;
		case PHASES:
			/* Every so often the working set is another one. */
			page = zipf_page(sum, pages, &random) + i / 30000 % 4 * pages;
			break;
		default:
			page = sim_random(&random, pages);
		}
		policy_sim_use(&sim, page);
	}
	result = (sim.refaults - before) * 1000.0 / (refs / 2);
	policy_sim_check(&sim);
	policy_sim_exit(&sim);
	kfree(sum);
	return result;
}

static void test_traces(void **state)
{
	static const unsigned int percent[] = { 33, 50, 66, 80 };
	double loop[4], result[5][4][2];
	unsigned int t, p, n;

	for (t = LOOP; t <= UNIFORM; t++) {
		for (p = 0; p < ARRAY_SIZE(percent); p++) {
			for (n = 0; n < 2; n++)
				result[t][p][n] = run(names[n], t, 4000, percent[p]);
			print_message("# %-9s pool %u %%: refaults per 1000: tl %6.1f clock %6.1f\n",
				      trace_names[t], percent[p],
				      result[t][p][0], result[t][p][1]);
			if (t == LOOP)
				loop[p] = result[t][p][0];
		}
	}
	/* A loop larger than the pool: CLOCK keeps nothing of it, TL most of what fits. */
	assert_true(loop[0] < 780 && loop[1] < 620 && loop[2] < 480 && loop[3] < 360);
	for (p = 0; p < ARRAY_SIZE(percent); p++) {
		assert_true(result[LOOP][p][1] > 950);
		assert_true(result[ZIPF][p][0] < result[ZIPF][p][1]);
		assert_true(result[ZIPF_SCAN][p][0] < result[ZIPF_SCAN][p][1]);
		assert_true(result[UNIFORM][p][0] < result[UNIFORM][p][1] * 1.03);
		/* Where it is weakest: it takes a while to believe in a new working set. */
		assert_true(result[PHASES][p][0] < result[PHASES][p][1] * 1.75);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_churn),
		cmocka_unit_test(test_pinned),
		cmocka_unit_test(test_all_locked),
		cmocka_unit_test(test_hot_page_stays),
		cmocka_unit_test(test_traces),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
