// SPDX-License-Identifier: GPL-2.0
/* The pool: its life, its figures, and what is charged to it. */
#include "guest-mm/pool.h"
#include "guest-mm/account.h"
#include "guest-mm/backend.h"

unsigned long pool_stat(struct pool *pool, enum pool_stat stat)
{
	unsigned int cpu;
	long sum = 0;

	for (cpu = 0; cpu < pool->nr_cpus; cpu++)
		sum += atomic_long_read(&pool->cpus[cpu].stat[stat]);
	/* A level's parts are read one after the other and may not add up for a moment. */
	return max(sum, 0L);
}

unsigned long pool_current(struct pool *pool)
{
	return atomic_long_read(&pool->charged);
}

unsigned long pool_free(struct pool *pool)
{
	unsigned long held = pool_current(pool), limit = READ_ONCE(pool->limit);

	held -= min(held, READ_ONCE(pool->nr_reserve));
	return limit - min(limit, held);
}

void pool_event(struct pool *pool, enum pool_event event)
{
	atomic_long_inc(&pool->events[event]);
	backend_event(pool);
}

/* ---- charging ---- */

static unsigned long charge_limit(struct pool *pool, enum charge_for who)
{
	unsigned long limit = READ_ONCE(pool->limit);

	switch (who) {
	case CHARGE_USER:
		return limit - min(limit, READ_ONCE(pool->store_room));
	case CHARGE_EVICTION:
		return max(limit, READ_ONCE(pool->ceiling));
	default:
		return limit;
	}
}

static bool try_charge(struct pool *pool, unsigned long pages, enum charge_for who)
{
	long old = atomic_long_read(&pool->charged);

	for (;;) {
		long seen;

		if (old + pages > charge_limit(pool, who))
			return false;
		seen = atomic_long_cmpxchg(&pool->charged, old, old + pages);
		if (seen == old)
			break;
		old = seen;
	}
	/* Lowered meanwhile?  Either we see it, or who lowers it sees the charge. */
	if (old + pages > charge_limit(pool, who)) {
		pool_uncharge(pool, pages);
		return false;
	}
	note_peak(&pool->peak, old + pages);
	if (pool_free(pool) < READ_ONCE(pool->low) && pool->worker)
		host_thread_wake(pool->worker);
	return true;
}

bool pool_try_charge(struct pool *pool, unsigned long pages, enum charge_for who)
{
	if (try_charge(pool, pages, who))
		return true;
	if (who != CHARGE_EVICTION)
		return false;
	/* What eviction has freed may have gone to the CPUs' caches, or be set aside. */
	pool_drain_frames(pool);
	if (try_charge(pool, pages, who))
		return true;
	pool_reserve_release(pool, pages);
	return try_charge(pool, pages, who);
}

void pool_uncharge(struct pool *pool, unsigned long pages)
{
	long now = atomic_long_sub_return(pages, &pool->charged);

	if (now < (long)READ_ONCE(pool->min_pages))
		host_thread_wake(pool->worker);
}

/* ---- metadata ---- */

int pool_charge_metadata(struct pool *pool, size_t size)
{
	struct pool_cpu *cpu = &pool->cpus[host_cpu() % pool->nr_cpus];

	for (;;) {
		struct frame *frame;
		bool enough;

		spin_lock(&cpu->lock);
		enough = cpu->credit >= (long)size;
		if (enough)
			cpu->credit -= size;
		spin_unlock(&cpu->lock);
		if (enough)
			break;
		/*
		 * What makes room for a frame makes room for metadata too;
		 * only its charge is wanted.
		 */
		frame = pool_frame_get(pool);
		if (IS_ERR(frame))
			return PTR_ERR(frame);
		frame_free(frame);
		spin_lock(&cpu->lock);
		cpu->credit += PAGE_SIZE;
		spin_unlock(&cpu->lock);
	}
	pool_count(pool, PS_METADATA, size);
	return 0;
}

void pool_uncharge_metadata(struct pool *pool, size_t size)
{
	struct pool_cpu *cpu = &pool->cpus[host_cpu() % pool->nr_cpus];
	long pages = 0;

	spin_lock(&cpu->lock);
	cpu->credit += size;
	if (cpu->credit >= 2 * (long)PAGE_SIZE) {
		pages = cpu->credit / PAGE_SIZE - 1;
		cpu->credit -= pages * PAGE_SIZE;
	}
	spin_unlock(&cpu->lock);
	if (pages)
		pool_uncharge(pool, pages);
	pool_count(pool, PS_METADATA, -(long)size);
}

/*
 * Whole pages that the CPUs hold charged for metadata; without metadata nothing is left over.  What
 * is no whole page goes to one CPU: the last of several at a time finds what the others had.
 */
static void drain_credit(struct pool *pool)
{
	struct pool_cpu *cpu;
	unsigned int n;
	long sum = 0, pages;

	for (n = pool->nr_cpus - 1; n; n--) {
		cpu = &pool->cpus[n];
		spin_lock(&cpu->lock);
		sum += cpu->credit;
		cpu->credit = 0;
		spin_unlock(&cpu->lock);
	}
	cpu = &pool->cpus[0];
	spin_lock(&cpu->lock);
	cpu->credit += sum;
	pages = cpu->credit / (long)PAGE_SIZE;
	cpu->credit -= pages * PAGE_SIZE;
	spin_unlock(&cpu->lock);
	pool_uncharge(pool, pages);
}

/* ---- life ---- */

void pool_drain(struct pool *pool)
{
	vpage_drain(pool);
	pool_drain_frames(pool);
	drain_credit(pool);
	pool_drain_limbo(pool);
}

static void free_bounce(struct pool *pool)
{
	unsigned int i;

	for (i = 0; i < RECLAIM_BATCH; i++)
		kfree(pool->bounce[i]);
}

static void destroy_tiers(struct pool *pool)
{
	unsigned int id;

	for (id = 0; id < TIER_COUNT; id++)
		if (pool->tiers[id])
			tier_ops_of(id)->destroy(pool->tiers[id]);
}

int pool_create(struct pool **poolp, const char *name, void *owner, unsigned long max_pages)
{
	struct pool *pool = kzalloc(sizeof(*pool), GFP_KERNEL);
	char worker[sizeof(pool->name) + sizeof("lodge/")];
	unsigned int i;
	int err = -ENOMEM;

	if (!pool)
		return -ENOMEM;
	strscpy(pool->name, name, sizeof(pool->name));
	pool->owner = owner;
	pool->max_pages = max_pages;
	pool->store_max = ULONG_MAX;
	mutex_init(&pool->limit_lock);
	mutex_init(&pool->bounce_lock);
	spin_lock_init(&pool->reserve_lock);
	spin_lock_init(&pool->policy_lock);
	spin_lock_init(&pool->stored_lock);
	spin_lock_init(&pool->limbo_lock);
	INIT_LIST_HEAD(&pool->reserve);
	INIT_LIST_HEAD(&pool->stored);
	INIT_LIST_HEAD(&pool->limbo);

	pool->nr_cpus = host_cpus();
	pool->cpus = kvcalloc(pool->nr_cpus, sizeof(*pool->cpus), GFP_KERNEL);
	if (!pool->cpus)
		goto err_pool;
	for (i = 0; i < pool->nr_cpus; i++)
		spin_lock_init(&pool->cpus[i].lock);
	for (i = 0; i < RECLAIM_BATCH; i++) {
		pool->bounce[i] = kmalloc(PAGE_SIZE, GFP_KERNEL);
		if (!pool->bounce[i])
			goto err_cpus;
	}
	pool->policy_ops = policy_find(NULL);
	pool->policy = pool->policy_ops->create(max_pages);
	if (!pool->policy)
		goto err_cpus;
	pool_set_marks(pool, max_pages);
	for (i = 0; i < TIER_COUNT; i++) {
		const struct tier_ops *ops = tier_ops_of(i);

		if (!ops)
			continue;
		err = ops->create(pool, &pool->tiers[i]);
		if (err)
			goto err_tiers;
	}
	snprintf(worker, sizeof(worker), "lodge/%s", name);
	pool->worker = host_thread_start(reclaim_step, pool, worker);
	if (IS_ERR(pool->worker)) {
		err = PTR_ERR(pool->worker);
		goto err_tiers;
	}
	*poolp = pool;
	return 0;

err_tiers:
	destroy_tiers(pool);
	pool->policy_ops->destroy(pool->policy);
err_cpus:
	free_bounce(pool);
	kvfree(pool->cpus);
err_pool:
	kfree(pool);
	return err;
}

void pool_destroy(struct pool *pool)
{
	WRITE_ONCE(pool->min_pages, 0);
	host_thread_stop(pool->worker);
	pool_drain(pool);
	pool_reserve_shrink(pool, 0);
	pool_abandon_limbo(pool);
	destroy_tiers(pool);
	WARN_ON_ONCE(pool->policy_ops->count(pool->policy));
	WARN_ON_ONCE(pool_current(pool));
	pool->policy_ops->destroy(pool->policy);
	free_bounce(pool);
	kvfree(pool->cpus);
	kfree(pool);
}
