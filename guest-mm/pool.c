// SPDX-License-Identifier: GPL-2.0
/* The pool: life, limits, charging, and free frames. */
#include "guest-mm/pool.h"
#include "guest-mm/backend.h"

/* How often a fault tries to evict before it calls for a kill. */
#define FRAME_TRIES	16

/* Nobody is killed before nothing could be evicted for this long; who fails meanwhile naps and faults again. */
#define STUCK_US	300000
#define STUCK_NAP_MS	5

/* How often a change of the limit tries, a millisecond apart; processes in full swing keep pages busy and young. */
#define LIMIT_TRIES	200

/* How many milliseconds it waits for evictions that are under way. */
#define EVICTION_NAPS	500

/* A fault waits at most this long for frames after a process was killed. */
#define OOM_WAIT_MS	20

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

void pool_event(struct pool *pool, enum pool_event event)
{
	atomic_long_inc(&pool->events[event]);
	backend_event(pool);
}

/* ---- charging ---- */

static void note_peak(struct pool *pool, long now)
{
	long old = atomic_long_read(&pool->peak);

	while (now > old) {
		long seen = atomic_long_cmpxchg(&pool->peak, old, now);

		if (seen == old)
			break;
		old = seen;
	}
}

static bool try_charge(struct pool *pool, unsigned long pages, enum charge_for who)
{
	long old = atomic_long_read(&pool->charged);

	for (;;) {
		unsigned long limit = READ_ONCE(pool->limit);
		long seen;

		if (who == CHARGE_USER)
			limit -= min(limit, READ_ONCE(pool->store_room));
		if (old + pages > limit)
			return false;
		seen = atomic_long_cmpxchg(&pool->charged, old, old + pages);
		if (seen == old)
			break;
		old = seen;
	}
	note_peak(pool, old + pages);
	if (old + pages + READ_ONCE(pool->low) > READ_ONCE(pool->limit) && pool->worker)
		host_thread_wake(pool->worker);
	return true;
}

static void drain_frames(struct pool *pool);
static void release_reserve(struct pool *pool, unsigned long pages);

bool pool_try_charge(struct pool *pool, unsigned long pages, enum charge_for who)
{
	if (try_charge(pool, pages, who))
		return true;
	if (who != CHARGE_EVICTION)
		return false;
	/* What eviction has freed may have gone to the CPUs' caches, or be set aside. */
	drain_frames(pool);
	if (try_charge(pool, pages, who))
		return true;
	release_reserve(pool, pages);
	return try_charge(pool, pages, who);
}

void pool_uncharge(struct pool *pool, unsigned long pages)
{
	atomic_long_sub(pages, &pool->charged);
}

/* ---- free frames ---- */

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

/* Let the host have up to @pages frames of the reserve, so that something else can be charged for them. */
static void release_reserve(struct pool *pool, unsigned long pages)
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
	unsigned long unused = READ_ONCE(pool->nr_reserve);
	unsigned long used = pool_current(pool) - min(pool_current(pool), unused);

	return unused && (who == CHARGE_EVICTION ||
			  used + READ_ONCE(pool->store_room) < READ_ONCE(pool->limit));
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

	if (READ_ONCE(pool->nr_reserve) || !pool_try_charge(pool, n, CHARGE_USER))
		return frame_take(pool, CHARGE_USER);
	got = frame_alloc_bulk(frames, n);
	if (got < n)
		pool_uncharge(pool, n - got);
	for (i = 1; i < got; i++)
		if (!cache_put(pool, frames[i]))
			frame_release(pool, frames[i]);
	return got ? frames[0] : NULL;
}

static void drain_frames(struct pool *pool)
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

/* Free the parked frames whose last other holder let go. */
static void drain_limbo(struct pool *pool)
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

/* Whole pages that the CPUs hold charged for metadata; without metadata nothing is left over. */
static void drain_credit(struct pool *pool)
{
	unsigned int n;
	long sum = 0;

	for (n = 0; n < pool->nr_cpus; n++) {
		struct pool_cpu *cpu = &pool->cpus[n];

		spin_lock(&cpu->lock);
		sum += cpu->credit;
		cpu->credit = 0;
		spin_unlock(&cpu->lock);
	}
	pool_uncharge(pool, sum / PAGE_SIZE);
	spin_lock(&pool->cpus[0].lock);
	pool->cpus[0].credit += sum % PAGE_SIZE;
	spin_unlock(&pool->cpus[0].lock);
}

void pool_drain(struct pool *pool)
{
	vpage_drain(pool);
	drain_frames(pool);
	drain_credit(pool);
	drain_limbo(pool);
	if (pool_current(pool) < READ_ONCE(pool->min_pages) && pool->worker)
		host_thread_wake(pool->worker);
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
 * Has nothing been evicted by anyone for a while?  One failure says little: the pages may be in other
 * threads' hands, or the store about to get room.  A race loses some of the time already waited.
 */
static bool is_stuck(struct pool *pool)
{
	unsigned long steals = pool_steals(pool);
	u64 now = host_time_us();

	if (READ_ONCE(pool->stuck_steals) != steals || now - READ_ONCE(pool->stuck_last) > STUCK_US) {
		WRITE_ONCE(pool->stuck_steals, steals);
		WRITE_ONCE(pool->stuck_since, now);
	}
	WRITE_ONCE(pool->stuck_last, now);
	return now - READ_ONCE(pool->stuck_since) > STUCK_US;
}

/* The pool is used up: evict, and when nothing can be evicted, have someone killed. */
static struct frame *frame_get_slow(struct pool *pool)
{
	unsigned long steals = pool_steals(pool);
	u64 since = host_time_us();
	/* Who is about to give everything back may have what is left. */
	bool dying = host_dying();
	enum charge_for who = dying ? CHARGE_EVICTION : CHARGE_USER;
	unsigned int tries, naps = 0;
	struct frame *frame = NULL;

	pool_event(pool, PE_MAX);
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
		if (atomic_read(&pool->reclaimers) && naps++ < EVICTION_NAPS) {
			host_sleep_ms(1);
			tries = 0;
		}
		cond_resched();
	}
	if (!frame && (dying || fatal_signal())) {
		frame = ERR_PTR(-EINTR);
	} else if (!frame && pool_steals(pool) != steals) {
		/* Frames were freed, but others were faster: that is no reason to kill. */
		frame = ERR_PTR(-EBUSY);
	} else if (!frame && !is_stuck(pool)) {
		host_sleep_ms(STUCK_NAP_MS);
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
	return frame;
}

struct frame *pool_frame_get(struct pool *pool)
{
	struct frame *frame = cache_get(pool);

	if (likely(frame))
		return frame;
	frame = frame_refill(pool);
	if (likely(frame))
		return frame;
	return frame_get_slow(pool);
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
		/* What makes room for a frame makes room for metadata too; only its charge is wanted. */
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

/* ---- limits ---- */

static void set_marks(struct pool *pool, unsigned long limit)
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

int pool_set_limit(struct pool *pool, unsigned long pages)
{
	unsigned int idle = 0;
	unsigned long old;
	int err = 0;

	pages = min(pages, pool->max_pages);
	mutex_lock(&pool->limit_lock);
	old = pool->limit;
	if (pages < pool->min_pages) {
		mutex_unlock(&pool->limit_lock);
		return -EINVAL;
	}
	set_marks(pool, pages);
	while (pool_current(pool) > pages) {
		if (fatal_signal())
			err = -EINTR;
		else if (reclaim_batch(pool, true))
			idle = 0;
		else if (++idle > LIMIT_TRIES)
			err = -EBUSY;
		else
			host_sleep_ms(1);
		if (err) {
			set_marks(pool, old);
			break;
		}
		/* The store is the worker's to relieve. */
		host_thread_wake(pool->worker);
		pool_drain(pool);
		cond_resched();
	}
	mutex_unlock(&pool->limit_lock);
	return err;
}

/* Return frames of the reserve to the host until the pool holds @target pages or the reserve is empty. */
static void reserve_shrink(struct pool *pool, unsigned long target)
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

/* Take frames from the host until the pool holds memory.min; 0, -ENOMEM, -EINTR. */
static int reserve_fill(struct pool *pool)
{
	while (atomic_long_read(&pool->charged) < (long)READ_ONCE(pool->min_pages)) {
		struct frame *frame;

		if (fatal_signal())
			return -EINTR;
		if (!try_charge(pool, 1, CHARGE_EVICTION))
			return 0;
		frame = frame_alloc();
		if (!frame) {
			pool_uncharge(pool, 1);
			return -ENOMEM;
		}
		reserve_put(pool, frame);
		cond_resched();
	}
	return 0;
}

void pool_restore_min(struct pool *pool)
{
	/* While the guest runs, the store may be using them. */
	if (!pool_stat(pool, PS_RESIDENT))
		reserve_fill(pool);
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
	err = reserve_fill(pool);
	if (err)
		WRITE_ONCE(pool->min_pages, old);
	reserve_shrink(pool, pool->min_pages);
out:
	mutex_unlock(&pool->limit_lock);
	return err;
}

unsigned long pool_reclaim(struct pool *pool, unsigned long pages)
{
	unsigned long start = pool_current(pool), done = 0;
	unsigned int idle = 0;

	while (done < pages && idle < FRAME_TRIES && !fatal_signal()) {
		if (!reclaim_batch(pool, true))
			idle++;
		pool_drain(pool);
		done = start - min(start, pool_current(pool));
		cond_resched();
	}
	return done;
}

/* ---- life ---- */

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
	pool->cpus = kvzalloc(pool->nr_cpus * sizeof(*pool->cpus), GFP_KERNEL);
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
	set_marks(pool, max_pages);
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

/* Parked frames belong to whoever still holds them; only our reference is ours to give. */
static void abandon_limbo(struct pool *pool)
{
	struct list_head *pos, *next;

	list_for_each_safe(pos, next, &pool->limbo) {
		list_del_init(pos);
		frame_put(frame_of_lru(pos));
		pool_uncharge(pool, 1);
	}
}

void pool_destroy(struct pool *pool)
{
	host_thread_stop(pool->worker);
	WRITE_ONCE(pool->min_pages, 0);
	pool_drain(pool);
	reserve_shrink(pool, 0);
	abandon_limbo(pool);
	destroy_tiers(pool);
	WARN_ON_ONCE(pool->policy_ops->count(pool->policy));
	WARN_ON_ONCE(pool_current(pool));
	pool->policy_ops->destroy(pool->policy);
	free_bounce(pool);
	kvfree(pool->cpus);
	kfree(pool);
}
