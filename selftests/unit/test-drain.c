// SPDX-License-Identifier: GPL-2.0
/* What CPUs hold back of a pool, given back by several who end at the same time. */
#include <pthread.h>
#include <sched.h>

#include "selftests/unit/unit.h"

#include "selftests/unit/sim.h"

#define ROUNDS	3000
#define SIZE	1000

static struct sim *sim;
static atomic_t met;

/* Both go on at the same moment: whoever sleeps wakes up too late for a race. */
static void meet(int count)
{
	unsigned int spins = 0;

	atomic_inc(&met);
	while (atomic_read(&met) < 2 * count)
		if (++spins % 1024 == 0)
			sched_yield();
}

/* On a CPU of its own: one takes metadata, the other frees it, and both find nothing left. */
static void *end(void *arg)
{
	bool first = arg;
	int count = 0;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		if (first)
			must(!pool_charge_metadata(sim->pool, SIZE));
		meet(++count);
		if (!first)
			pool_uncharge_metadata(sim->pool, SIZE);
		meet(++count);
		pool_drain(sim->pool);
		meet(++count);
		must(!pool_current(sim->pool));
		meet(++count);
	}
	return NULL;
}

static void test_together(void **state)
{
	pthread_t thread;

	sim = sim_create(1000);
	atomic_set(&met, 0);
	assert_int_equal(pthread_create(&thread, NULL, end, NULL), 0);
	end(&thread);
	pthread_join(thread, NULL);
	sim_destroy(sim);
	assert_int_equal(host_allocated(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
