// SPDX-License-Identifier: GPL-2.0
/* Frames: set aside, held back by CPUs, in use; and what happens when there are none. */
#include "guest-mm/backend.h"
#include "guest-mm/pool.h"

/* How often a fault tries to evict before it calls for a kill. */
#define FRAME_TRIES	16

/*
 * Nobody is killed before nothing could be evicted for this long, or nobody got a frame for that
 * long; who fails meanwhile naps and faults again.
 */
#define STUCK_US	300000
#define STARVED_US	5000000
#define EPISODE_US	2000000	/* failures further apart have nothing to do with each other */
#define STUCK_NAP_MS	5

/*
 * How many milliseconds it waits for evictions that are under way, and how many who can do without.
 */
#define EVICTION_NAPS	500
#define TRY_NAPS	20

/* A fault waits at most this long for frames after a process was killed. */
#define OOM_WAIT_MS	20

/* ---- the reserve: frames of memory.min that are not in use ---- */

static struct frame *reserve_get(struct pool *pool)
{
	struct frame *frame = NULL;

	if (!READ_ONCE(pool->nr_reserve))
		return NULL;
	spin_lock(&pool->reserve_lock);
	if (pool->nr_reserve) {
		frame = frame_of_lru(pool->reserve.next);
		list_del_init(frame_lru(frame));
		pool->nr_reserve--;
	}
	spin_unlock(&pool->reserve_lock);
	return frame;
}

static void reserve_put(struct pool *pool, struct frame *frame)
{
	spin_lock(&pool->reserve_lock);
	list_add(frame_lru(frame), &pool->reserve);
	pool->nr_reserve++;
	spin_unlock(&pool->reserve_lock);
}

void pool_reserve_release(struct pool *pool, unsigned long pages)
{
	struct frame *frame;

	while (pages-- && (frame = reserve_get(pool))) {
		frame_free(frame);
		pool_uncharge(pool, 1);
	}
}

/* The room that eviction needs may lie in the reserve: of that, users leave it as much. */
static bool may_use_reserve(struct pool *pool, enum charge_for who)
{
	return who == CHARGE_EVICTION || pool_free(pool) > READ_ONCE(pool->store_room);
}

/* One charged frame from the reserve or the host, or NULL. */
static struct frame *frame_take(struct pool *pool, enum charge_for who)
{
	struct frame *frame = may_use_reserve(pool, who) ? reserve_get(pool) : NULL;

	if (frame || !pool_try_charge(pool, 1, who))
		return frame;
	frame = frame_alloc();
	if (!frame)
		pool_uncharge(pool, 1);
	return frame;
}

/* Give a frame to the reserve while memory.min wants it, else to the host. */
static void frame_release(struct pool *pool, struct frame *frame)
{
	if (atomic_long_read(&pool->charged) <= (long)READ_ONCE(pool->min_pages)) {
		reserve_put(pool, frame);
		return;
	}
	frame_free(frame);
	pool_uncharge(pool, 1);
}

void pool_reserve_shrink(struct pool *pool, unsigned long target)
{
	struct frame *frame;

	while (atomic_long_read(&pool->charged) > (long)target) {
		frame = reserve_get(pool);
		if (!frame)
			break;
		frame_free(frame);
		pool_uncharge(pool, 1);
	}
}

int pool_reserve_fill(struct pool *pool)
{
	while (atomic_long_read(&pool->charged) < (long)READ_ONCE(pool->min_pages)) {
		struct frame *frame;

		if (fatal_signal())
			return -EINTR;
		if (!pool_try_charge(pool, 1, CHARGE_RESERVE))
			return 0;
		frame = frame_alloc();
		if (!frame) {
			/* Without waking the worker, which would be here again at once. */
			atomic_long_dec(&pool->charged);
			return -ENOMEM;
		}
		reserve_put(pool, frame);
		cond_resched();
	}
	return 0;
}

/* ---- free frames ---- */

static struct frame *cache_get(struct pool *pool)
{
	struct pool_cpu *cpu = &pool->cpus[host_cpu() % pool->nr_cpus];
	struct frame *frame = NULL;

	spin_lock(&cpu->lock);
	if (cpu->nr_frames) {
		frame = cpu->frames[--cpu->nr_frames];
		atomic_long_dec(&cpu->stat[PS_CACHED]);
	}
	spin_unlock(&cpu->lock);
	return frame;
}

/* False if the CPU holds enough. */
static bool cache_put(struct pool *pool, struct frame *frame)
{
	struct pool_cpu *cpu = &pool->cpus[host_cpu() % pool->nr_cpus];
	bool kept = false;

	spin_lock(&cpu->lock);
	if (cpu->nr_frames < pool->refill) {
		cpu->frames[cpu->nr_frames++] = frame;
		atomic_long_inc(&cpu->stat[PS_CACHED]);
		kept = true;
	}
	spin_unlock(&cpu->lock);
	return kept;
}

/* A frame, and a cache full of them for this CPU; NULL if there is none. */
static struct frame *frame_refill(struct pool *pool)
{
	struct frame *frames[POOL_CACHE];
	unsigned int i, got, n = pool->refill;

	if (READ_ONCE(pool->nr_reserve) || !pool_try_charge(pool, n, CHARGE_USER)) {
		frames[0] = frame_take(pool, CHARGE_USER);
		if (frames[0])
			atomic_long_inc(&pool->granted);
		return frames[0];
	}
	got = frame_alloc_bulk(frames, n);
	if (got < n)
		pool_uncharge(pool, n - got);
	for (i = 1; i < got; i++)
		if (!cache_put(pool, frames[i]))
			frame_release(pool, frames[i]);
	if (!got)
		return NULL;
	atomic_long_inc(&pool->granted);
	return frames[0];
}

void pool_drain_frames(struct pool *pool)
{
	struct frame *frames[POOL_CACHE];
	unsigned int i, n;
	unsigned int nr;

	for (n = 0; n < pool->nr_cpus; n++) {
		struct pool_cpu *cpu = &pool->cpus[n];

		if (!READ_ONCE(cpu->nr_frames))
			continue;
		spin_lock(&cpu->lock);
		nr = cpu->nr_frames;
		memcpy(frames, cpu->frames, nr * sizeof(*frames));
		cpu->nr_frames = 0;
		atomic_long_sub(nr, &cpu->stat[PS_CACHED]);
		spin_unlock(&cpu->lock);
		for (i = 0; i < nr; i++)
			frame_release(pool, frames[i]);
	}
}

void pool_drain_limbo(struct pool *pool)
{
	struct list_head *pos, *next;
	LIST_HEAD(free);

	if (list_empty(&pool->limbo))
		return;
	spin_lock(&pool->limbo_lock);
	list_for_each_safe(pos, next, &pool->limbo)
		if (!frame_busy(frame_of_lru(pos)))
			list_move(pos, &free);
	spin_unlock(&pool->limbo_lock);
	list_for_each_safe(pos, next, &free) {
		list_del_init(pos);
		frame_release(pool, frame_of_lru(pos));
	}
}

void pool_abandon_limbo(struct pool *pool)
{
	struct list_head *pos, *next;

	list_for_each_safe(pos, next, &pool->limbo) {
		list_del_init(pos);
		frame_put(frame_of_lru(pos));
		pool_uncharge(pool, 1);
	}
}

void pool_frame_put(struct pool *pool, struct frame *frame)
{
	/* Short of memory, a free frame must be seen by all. */
	if (pool_current(pool) <= READ_ONCE(pool->limit) && cache_put(pool, frame))
		return;
	frame_release(pool, frame);
}

void pool_frame_retire(struct pool *pool, struct frame *frame)
{
	if (backend_frame_fini(pool, frame)) {
		pool_frame_put(pool, frame);
		return;
	}
	spin_lock(&pool->limbo_lock);
	list_add(frame_lru(frame), &pool->limbo);
	spin_unlock(&pool->limbo_lock);
}

static void note_wait(struct pool *pool, u64 since)
{
	long us = host_time_us() - since;

	pool_count(pool, PS_WAITS, 1);
	/* A lost race loses one maximum among nearly equal ones. */
	if (us > atomic_long_read(&pool->wait_max_us))
		atomic_long_set(&pool->wait_max_us, us);
}

/* Pages evicted so far, by anyone. */
static unsigned long pool_steals(struct pool *pool)
{
	return pool_stat(pool, PS_PGSTEAL_KSWAPD) + pool_stat(pool, PS_PGSTEAL_DIRECT);
}

/*
 * Has nothing been evicted by anyone for a while, or has nobody got a frame for long?  One
 * failure says little: the pages may be in other threads' hands, or the store about to get room;
 * and what eviction frees, the store may need for what was evicted.  A race loses some of the
 * time already waited.
 */
static bool is_stuck(struct pool *pool)
{
	unsigned long steals = pool_steals(pool);
	long granted = atomic_long_read(&pool->granted);
	/* Signed: others may have noted a later time since. */
	s64 now = host_time_us();
	bool anew = now - READ_ONCE(pool->stuck_last) > EPISODE_US;

	if (anew || READ_ONCE(pool->stuck_steals) != steals) {
		WRITE_ONCE(pool->stuck_steals, steals);
		WRITE_ONCE(pool->stuck_since, now);
	}
	if (anew || READ_ONCE(pool->stuck_granted) != granted) {
		WRITE_ONCE(pool->stuck_granted, granted);
		WRITE_ONCE(pool->starved_since, now);
	}
	WRITE_ONCE(pool->stuck_last, now);
	/* Who leaves writing to the worker has not tried all: its disk may be slow. */
	return (!host_no_io() && now - READ_ONCE(pool->stuck_since) > STUCK_US) ||
	       now - READ_ONCE(pool->starved_since) > STARVED_US;
}

/*
 * Evict until there is a frame; NULL when that does not help.  @naps: milliseconds to wait for
 * others.
 */
static struct frame *frame_evict(struct pool *pool, enum charge_for who, unsigned int naps)
{
	struct frame *frame = NULL;
	unsigned int tries;

	for (tries = 0; tries < FRAME_TRIES && !frame; tries++) {
		unsigned int freed = reclaim_batch(pool, true);

		if (!freed)
			pool_drain(pool);
		frame = cache_get(pool);
		if (!frame)
			frame = frame_take(pool, who);
		if (!frame && fatal_signal())
			break;
		if (frame || freed)
			continue;
		/* What others evict just now cannot be found, but is about to be free. */
		if (atomic_read(&pool->reclaimers) && naps) {
			naps--;
			host_sleep_ms(1);
			tries = 0;
		} else if (host_no_io()) {
			/* The worker was asked to write. */
			host_sleep_ms(1);
		}
		cond_resched();
	}
	return frame;
}

/* The pool is used up: evict, and when nothing can be evicted, have someone killed. */
static struct frame *frame_get_slow(struct pool *pool)
{
	unsigned long steals = pool_steals(pool);
	u64 since = host_time_us();
	/* Who is about to give everything back may have what is left. */
	bool dying = host_dying();
	struct frame *frame;

	pool_event(pool, PE_MAX);
	is_stuck(pool);		/* the time counts from here */
	/* Who must not write may hold what the worker waits for. */
	frame = frame_evict(pool, dying ? CHARGE_EVICTION : CHARGE_USER,
			    host_no_io() ? TRY_NAPS : EVICTION_NAPS);
	if (!frame && (dying || fatal_signal())) {
		frame = ERR_PTR(-EINTR);
	} else if (!frame && !is_stuck(pool)) {
		/* Where frames were freed, others were faster. */
		if (pool_steals(pool) == steals)
			host_sleep_ms(STUCK_NAP_MS);
		frame = ERR_PTR(-EBUSY);
	} else if (!frame && tier_swap_file_reopen(pool->tiers[TIER_SWAP_FILE])) {
		/* Taking the swap file away is given up first. */
		frame = ERR_PTR(-EBUSY);
	} else if (!frame) {
		pool_event(pool, PE_OOM);
		if (!backend_oom(pool))
			pr_warn_ratelimited("lodge: %s: memory is used up and there is nobody to kill\n",
					    pool->name);
		frame = host_dying() ? ERR_PTR(-EINTR) : ERR_PTR(-EBUSY);
		/* The victim gives its memory back as it exits; do not spin until then. */
		if (frame == ERR_PTR(-EBUSY))
			host_sleep_ms(OOM_WAIT_MS);
	}
	note_wait(pool, since);
	if (!IS_ERR(frame))
		atomic_long_inc(&pool->granted);
	return frame;
}

struct frame *pool_frame_get(struct pool *pool)
{
	struct frame *frame = cache_get(pool);

	if (likely(frame))
		return frame;
	frame = frame_refill(pool);
	return likely(frame) ? frame : frame_get_slow(pool);
}

struct frame *pool_frame_spare(struct pool *pool)
{
	struct frame *frame = cache_get(pool);

	return frame ? frame : frame_refill(pool);
}

struct frame *pool_frame_try(struct pool *pool)
{
	struct frame *frame = pool_frame_spare(pool);

	if (!frame)
		frame = frame_evict(pool, CHARGE_USER, TRY_NAPS);
	return frame ? frame : ERR_PTR(-EBUSY);
}
