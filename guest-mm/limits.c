// SPDX-License-Identifier: GPL-2.0
/* memory.max, memory.min and memory.reclaim. */
#include "guest-mm/backend.h"
#include "guest-mm/pool.h"

/*
 * How often a change of the limit tries, a millisecond apart;
 * processes in full swing keep pages busy and young.
 */
#define LIMIT_TRIES	200

/* How often memory.reclaim may find nothing. */
#define RECLAIM_TRIES	16

void pool_set_marks(struct pool *pool, unsigned long limit)
{
	unsigned long room = clamp(limit / 16, 8UL, 64UL);

	WRITE_ONCE(pool->store_room, room);
	WRITE_ONCE(pool->low, room + clamp(limit / 64, 8UL, 256UL));
	WRITE_ONCE(pool->high, room + clamp(limit / 32, 16UL, 512UL));
	pool->refill = clamp(limit / 64 / pool->nr_cpus, 1UL, POOL_CACHE / 2UL);
	WRITE_ONCE(pool->limit, limit);
	spin_lock(&pool->policy_lock);
	pool->policy_ops->resize(pool->policy, limit);
	spin_unlock(&pool->policy_lock);
}

/* Evict until the pool holds at most @pages; 0, -EINTR, -EBUSY. */
static int reclaim_to(struct pool *pool, unsigned long pages)
{
	unsigned int idle = 0;

	while (pool_current(pool) > pages) {
		if (fatal_signal())
			return -EINTR;
		if (reclaim_batch(pool, true)) {
			idle = 0;
		} else {
			if (++idle > LIMIT_TRIES)
				return -EBUSY;
			host_sleep_ms(1);
		}
		/* The store is the worker's to relieve. */
		host_thread_wake(pool->worker);
		pool_drain(pool);
		cond_resched();
	}
	return 0;
}

int pool_set_limit(struct pool *pool, unsigned long pages)
{
	unsigned long old;
	int err;

	pages = min(pages, pool->max_pages);
	mutex_lock(&pool->limit_lock);
	old = pool->limit;
	if (pages < pool->min_pages) {
		mutex_unlock(&pool->limit_lock);
		return -EINVAL;
	}
	do {
		/* What is evicted needs room in the store before its frame is free. */
		WRITE_ONCE(pool->ceiling, old);
		pool_set_marks(pool, pages);
		err = reclaim_to(pool, pages);
		if (err)
			pool_set_marks(pool, old);
		WRITE_ONCE(pool->ceiling, 0);
		smp_mb();	/* pairs with try_charge() */
	} while (!err && pool_current(pool) > pages);
	mutex_unlock(&pool->limit_lock);
	return err;
}

void pool_restore_min(struct pool *pool)
{
	if (pool_current(pool) >= READ_ONCE(pool->min_pages))
		return;
	pool_reserve_fill(pool);
	/* memory.min may have been lowered meanwhile. */
	pool_reserve_shrink(pool, READ_ONCE(pool->min_pages));
}

int pool_set_min(struct pool *pool, unsigned long pages)
{
	unsigned long old;
	int err = 0;

	mutex_lock(&pool->limit_lock);
	old = pool->min_pages;
	if (pages > pool->limit) {
		err = -EINVAL;
		goto out;
	}
	/* Rather than have the host reclaim for seconds, and then fail. */
	if (pages > old && pages - min(pages, pool_current(pool)) > host_pages_available()) {
		err = -ENOMEM;
		goto out;
	}
	WRITE_ONCE(pool->min_pages, pages);
	err = pool_reserve_fill(pool);
	if (err)
		WRITE_ONCE(pool->min_pages, old);
	pool_reserve_shrink(pool, pool->min_pages);
out:
	mutex_unlock(&pool->limit_lock);
	return err;
}

unsigned long pool_reclaim(struct pool *pool, unsigned long pages)
{
	unsigned long start = pool_current(pool), done = 0;
	unsigned int idle = 0;

	while (done < pages && idle < RECLAIM_TRIES && !fatal_signal()) {
		if (!reclaim_batch(pool, true))
			idle++;
		pool_drain(pool);
		done = start - min(start, pool_current(pool));
		cond_resched();
	}
	return done;
}
