// SPDX-License-Identifier: GPL-2.0
/* The simulated machine's life, and what its pages hold. */
#include <stdlib.h>
#include <unistd.h>

#include "selftests/unit/unit.h"

#include "selftests/unit/sim.h"

#define MACHINE_PAGES	BIT(20)

u64 sim_random(u64 *state, u64 below)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (*state >> 11) % below;
}

void sim_pattern(void *page, u64 seed)
{
	static const char *const words[] = {
		"page ", "frame ", "the ", "store ", "is ", "evicted ", "fault ", "of ", "a ",
	};
	u64 state = seed * 0x9e3779b97f4a7c15ULL + 1;
	unsigned int kind = sim_random(&state, 8);
	size_t at = 0;

	switch (kind) {
	case 0:
		memset(page, 0, PAGE_SIZE);
		return;
	case 1:
		for (; at < PAGE_SIZE; at += sizeof(u64))
			memcpy(page + at, &seed, sizeof(u64));
		return;
	case 2:
	case 3:
		for (; at < PAGE_SIZE; at += sizeof(u64)) {
			u64 word = sim_random(&state, ~0ULL);

			memcpy(page + at, &word, sizeof(word));
		}
		return;
	default:
		while (at < PAGE_SIZE) {
			const char *word = words[sim_random(&state, ARRAY_SIZE(words))];
			size_t len = min(strlen(word), PAGE_SIZE - at);

			memcpy(page + at, word, len);
			at += len;
		}
	}
}

static void incompressible(u64 *page, u64 seed)
{
	u64 random = seed + 1;
	unsigned int i;

	for (i = 0; i < PAGE_SIZE / sizeof(u64); i++)
		page[i] = sim_random(&random, ~0ULL);
}

void sim_write_pages(struct sim_space *ss, u64 from, u64 to, u64 seed)
{
	u64 page[PAGE_SIZE / sizeof(u64)];

	for (; from < to; from++) {
		incompressible(page, seed + from);
		must(!sim_write(ss, from, 0, page, PAGE_SIZE));
	}
}

void sim_check_pages(struct sim_space *ss, u64 from, u64 to, u64 seed)
{
	u64 page[PAGE_SIZE / sizeof(u64)], want[PAGE_SIZE / sizeof(u64)];

	for (; from < to; from++) {
		incompressible(want, seed + from);
		must(!sim_read(ss, from, 0, page, PAGE_SIZE));
		must(!memcmp(page, want, PAGE_SIZE));
	}
}

struct sim *sim_create(unsigned long pages)
{
	struct sim *sim = kzalloc(sizeof(*sim), GFP_KERNEL);

	if (!sim)
		return NULL;
	pthread_rwlock_init(&sim->lock, NULL);
	if (space_module_init())
		goto err_sim;
	if (pool_create(&sim->pool, "sim", sim, MACHINE_PAGES))
		goto err_module;
	if (pages && pool_set_limit(sim->pool, pages))
		goto err_pool;
	return sim;

err_pool:
	pool_destroy(sim->pool);
err_module:
	space_module_exit();
err_sim:
	kfree(sim);
	return NULL;
}

static void expect_zero(const char *what, unsigned long value)
{
	if (!value)
		return;
	fprintf(stderr, "%s: %lu left\n", what, value);
	host_bug(__FILE__, __LINE__, "pool is not empty");
}

/* Is each page that is charged in one place? */
static bool charges_add_up(struct pool *pool, bool say)
{
	unsigned long held =
		pool_stat(pool, PS_RESIDENT) + pool_stat(pool, PS_CACHED) + pool->nr_reserve;
	long metadata = pool_stat(pool, PS_METADATA);
	struct list_head *pos;
	unsigned int cpu;

	for (cpu = 0; cpu < pool->nr_cpus; cpu++)
		metadata += pool->cpus[cpu].credit;
	held += metadata / (long)PAGE_SIZE;
	list_for_each(pos, &pool->limbo)
		held++;
	if (pool->tiers[TIER_STORE])
		held += tier_ops_of(TIER_STORE)->used_pages(pool->tiers[TIER_STORE]);
	if (say)
		fprintf(stderr,
			"resident %lu cached %lu reserve %lu metadata %ld store %lu, but charged %lu\n",
			pool_stat(pool, PS_RESIDENT), pool_stat(pool, PS_CACHED), pool->nr_reserve,
			metadata, tier_store_pages(pool->tiers[TIER_STORE]), pool_current(pool));
	return metadata >= 0 && !(metadata % (long)PAGE_SIZE) && held == pool_current(pool);
}

/* The pool's workers may have one in their hands: they are given time to put it away. */
void sim_check(struct sim *sim)
{
	struct pool *pool = sim->pool;
	unsigned int ms;

	for (ms = 0; !charges_add_up(pool, false); ms++) {
		if (ms == 5000) {
			charges_add_up(pool, true);
			host_bug(__FILE__, __LINE__, "charges do not add up");
		}
		host_sleep_ms(1);
	}
	WARN_ON(pool_current(pool) > pool->limit);
	WARN_ON((unsigned long)atomic_long_read(&pool->peak) > max(pool->limit, pool->max_pages));
}

bool sim_empties(struct sim *sim)
{
	struct pool *pool = sim->pool;
	unsigned int ms;

	for (ms = 0; ms < 5000 && pool_current(pool) != pool->nr_reserve; ms++)
		host_sleep_ms(1);
	return pool_current(pool) == pool->nr_reserve;
}

void sim_destroy(struct sim *sim)
{
	struct pool *pool = sim->pool;
	unsigned int id;

	pool_drain(pool);
	sim_empties(sim);
	sim_check(sim);
	expect_zero("resident", pool_stat(pool, PS_RESIDENT));
	expect_zero("cached", pool_stat(pool, PS_CACHED));
	expect_zero("metadata", pool_stat(pool, PS_METADATA));
	expect_zero("listed", pool->policy_ops->count(pool->policy));
	for (id = 0; id < TIER_COUNT; id++)
		expect_zero("in a tier", atomic_long_read(&pool->in_tier[id]));
	expect_zero("charged", pool_current(pool) - pool->nr_reserve);
	pool_destroy(pool);
	rcu_barrier();
	space_module_exit();
	pthread_rwlock_destroy(&sim->lock);
	kfree(sim);
}

struct host_file *sim_swap(struct sim *sim, unsigned long pages)
{
	char path[] = "/tmp/lodge-unit-XXXXXX";
	int fd = mkstemp(path);
	struct host_file *file;

	if (fd < 0)
		return NULL;
	WARN_ON(ftruncate(fd, pages << PAGE_SHIFT));
	close(fd);
	file = host_file_open(path);
	unlink(path);
	WARN_ON(IS_ERR(file));
	WARN_ON(tier_swap_file_attach(sim->pool->tiers[TIER_SWAP_FILE], file, pages));
	return file;
}

struct sim_space *sim_space_create(struct sim *sim, u64 pages)
{
	struct sim_space *ss = kzalloc(sizeof(*ss) + pages * sizeof(ss->pte[0]), GFP_KERNEL);
	unsigned int i;

	if (!ss)
		return NULL;
	ss->sim = sim;
	ss->pages = pages;
	pthread_rwlock_init(&ss->mmap_lock, NULL);
	spin_lock_init(&ss->ptl);
	/* It may have to evict for the memory it takes. */
	if (space_init(&ss->space, sim->pool, atomic_inc_return(&sim->last_id))) {
		kfree(ss);
		return NULL;
	}
	pthread_rwlock_wrlock(&sim->lock);
	for (i = 0; sim->spaces[i]; i++)
		WARN_ON(i == SIM_SPACES - 1);
	sim->spaces[i] = ss;
	pthread_rwlock_unlock(&sim->lock);
	return ss;
}

void sim_space_exit(struct sim_space *ss)
{
	struct sim *sim = ss->sim;
	unsigned int i;

	/* As the kernel does: first the page tables, then the file. */
	backend_unmap_range(sim->pool, ss->space.id, 0, ss->pages);
	pthread_rwlock_wrlock(&sim->lock);
	for (i = 0; sim->spaces[i] != ss; i++)
		;
	sim->spaces[i] = NULL;
	pthread_rwlock_unlock(&sim->lock);
	space_exit(&ss->space);
	pthread_rwlock_destroy(&ss->mmap_lock);
	kfree(ss);
}
