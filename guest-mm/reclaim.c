// SPDX-License-Identifier: GPL-2.0
/* Eviction: from the policy's candidates to the tiers, and back. */
#include "guest-mm/backend.h"
#include "guest-mm/pool.h"

/* Places of one batch: most pages have one, a page with more than its share is left alone. */
#define BATCH_PLACES	(RECLAIM_BATCH * 4)

/* Batches of pages whose accessed bits are looked at before each batch of evictions. */
#define AGE_BATCHES	8

/* Batches in a row that freed nothing, after which accessed bits are not heeded. */
#define DRY_BATCHES	4

struct batch {
	struct vpage *vp[RECLAIM_BATCH];
	unsigned int n;
	bool young[RECLAIM_BATCH];
	u64 place[BATCH_PLACES];
	bool place_young[BATCH_PLACES];
};

static u32 pool_now(struct pool *pool)
{
	return atomic_read(&pool->clock);
}

static void putback(struct pool *pool, struct vpage *vp, bool referenced)
{
	spin_lock(&pool->policy_lock);
	pool->policy_ops->putback(pool->policy, vp, referenced, pool_now(pool));
	spin_unlock(&pool->policy_lock);
	vpage_unlock(vp);
}

/* Test and clear the accessed bits of all pages of a batch. */
static void test_young(struct pool *pool, struct batch *b)
{
	unsigned int first[RECLAIM_BATCH + 1];
	unsigned int i, j, places = 0;

	for (i = 0; i < b->n; i++) {
		unsigned int n = vpage_mappers(b->vp[i], b->place + places, BATCH_PLACES - places);

		first[i] = places;
		places = min(places + n, (unsigned int)BATCH_PLACES);
	}
	first[i] = places;
	backend_test_young(pool, b->place, places, b->place_young);
	for (i = 0; i < b->n; i++) {
		b->young[i] = false;
		for (j = first[i]; j < first[i + 1]; j++)
			b->young[i] |= b->place_young[j];
	}
}

/* ---- ageing ---- */

/* Look at the accessed bits that the policy asks for; Return: how many. */
static unsigned int age_batch(struct pool *pool, struct batch *b)
{
	unsigned int i;

	spin_lock(&pool->policy_lock);
	b->n = pool->policy_ops->young_batch(pool->policy, b->vp, RECLAIM_BATCH, pool_now(pool));
	spin_unlock(&pool->policy_lock);
	if (!b->n)
		return 0;
	test_young(pool, b);
	spin_lock(&pool->policy_lock);
	pool->policy_ops->aged(pool->policy, b->vp, b->young, b->n, pool_now(pool));
	spin_unlock(&pool->policy_lock);
	for (i = 0; i < b->n; i++)
		vpage_unlock(b->vp[i]);
	return b->n;
}

/*
 * Clear the accessed bits of pages that came in some time ago, so that their first use does not
 * count for ever, and of those that the policy is about to compare others with.
 */
static void age(struct pool *pool, struct batch *b, bool direct)
{
	/* Somebody waits for direct reclaim; the worker does the rest. */
	unsigned int batches = direct ? 1 : AGE_BATCHES;

	while (pool->policy_ops->young_batch && batches-- && age_batch(pool, b) == RECLAIM_BATCH)
		;
}

/* ---- choosing ---- */

/* Candidates that were used go back to the policy; the rest stays in the batch. */
static void drop_young(struct pool *pool, struct batch *b)
{
	unsigned int i, kept = 0;

	test_young(pool, b);
	/* Where everything is in use, something that is in use must go. */
	if (READ_ONCE(pool->dry_batches) >= DRY_BATCHES)
		return;
	for (i = 0; i < b->n; i++) {
		struct vpage *vp = b->vp[i];

		if (!b->young[i]) {
			b->vp[kept++] = vp;
			continue;
		}
		/*
		 * The policy takes it for one worth a frame:
		 * a copy beside it would be a second one.
		 */
		if (vpage_tier(vp) == TIER_STORE) {
			vpage_drop_copy(pool, vp);
			set_bit(VP_DIRTY, &vp->flags);
		}
		putback(pool, vp, true);
	}
	b->n = kept;
}

/*
 * Lock the frames and take them out of all page tables;
 * those that someone holds go back to the policy.
 */
static void unmap_all(struct pool *pool, struct batch *b)
{
	unsigned int i, kept = 0, places = 0;

	for (i = 0; i < b->n; i++) {
		struct vpage *vp = b->vp[i];
		unsigned int n;

		if (!frame_trylock(vp->frame)) {
			putback(pool, vp, false);
			continue;
		}
		if (frame_busy(vp->frame)) {
			frame_unlock(vp->frame);
			putback(pool, vp, false);
			continue;
		}
		b->vp[kept++] = vp;
		if (!frame_mapcount(vp->frame))
			continue;
		n = vpage_mappers(vp, b->place + places, BATCH_PLACES - places);
		if (n > BATCH_PLACES - places)
			vpage_unmap(pool, vp);
		else
			places += n;
	}
	b->n = kept;
	backend_unmap(pool, b->place, places);

	for (i = 0, kept = 0; i < b->n; i++) {
		struct vpage *vp = b->vp[i];

		if (frame_mapcount(vp->frame) || frame_busy(vp->frame)) {
			frame_unlock(vp->frame);
			putback(pool, vp, false);
		} else {
			b->vp[kept++] = vp;
		}
	}
	b->n = kept;
}

/* ---- storing ---- */

static void note_copy(struct pool *pool, struct vpage *vp, enum tier_id id, unsigned long handle)
{
	static const enum pool_stat stat[TIER_COUNT] = {
		[TIER_SAME_FILLED] = PS_SAME_OUT,
		[TIER_STORE] = PS_ZSWPOUT,
		[TIER_SWAP_FILE] = PS_PSWPOUT,
	};

	vp->copy = handle;
	vpage_set_tier(vp, id);
	clear_bit(VP_DIRTY, &vp->flags);
	atomic_long_inc(&pool->in_tier[id]);
	pool_count(pool, stat[id], 1);
}

static bool store_in(struct pool *pool, enum tier_id id, struct vpage *vp)
{
	const struct tier_ops *ops = tier_ops_of(id);
	unsigned long handle;

	if (!ops || ops->store(pool->tiers[id], frame_data(vp->frame), &handle))
		return false;
	note_copy(pool, vp, id, handle);
	return true;
}

static bool store_in_memory(struct pool *pool, struct vpage *vp)
{
	return store_in(pool, TIER_SAME_FILLED, vp) || store_in(pool, TIER_STORE, vp);
}

/* Write what the other tiers did not take; Return: how many of @vps (from the first) are stored. */
static unsigned int swap_out(struct pool *pool, struct vpage **vps, unsigned int n)
{
	const struct tier_ops *ops = tier_ops_of(TIER_SWAP_FILE);
	unsigned long handle[RECLAIM_BATCH];
	const void *data[RECLAIM_BATCH];
	unsigned int i;
	int done;

	if (!ops || !n)
		return 0;
	/* Who holds what the file's writer needs would wait for itself. */
	if (host_no_io()) {
		atomic_long_add(n, &pool->asked);
		host_thread_wake(pool->worker);
		return 0;
	}
	for (i = 0; i < n; i++)
		data[i] = frame_data(vps[i]->frame);
	done = ops->store_batch(pool->tiers[TIER_SWAP_FILE], data, n, handle);
	for (i = 0; done > 0 && i < (unsigned int)done; i++)
		note_copy(pool, vps[i], TIER_SWAP_FILE, handle[i]);
	return max(done, 0);
}

/* The page's only copy is in a tier now: free the frame. */
static void finish(struct pool *pool, struct vpage *vp, bool direct)
{
	struct frame *frame = vp->frame;

	vp->frame = NULL;
	vp->mapper = 0;
	kfree(vp->more);
	vp->more = NULL;
	clear_bit(VP_AHEAD, &vp->flags);
	frame_unlock(frame);
	pool_count(pool, PS_RESIDENT, -1);
	pool_count(pool, direct ? PS_PGSTEAL_DIRECT : PS_PGSTEAL_KSWAPD, 1);
	pool_frame_retire(pool, frame);
	if (vpage_tier(vp) == TIER_STORE) {
		spin_lock(&pool->stored_lock);
		set_bit(VP_STORED, &vp->flags);
		list_add_tail(&vp->lru, &pool->stored);
		spin_unlock(&pool->stored_lock);
	}
	vpage_unlock(vp);
}

static unsigned int evict(struct pool *pool, struct batch *b, bool direct)
{
	unsigned int i, left = 0, freed = 0, stored;

	for (i = 0; i < b->n; i++) {
		struct vpage *vp = b->vp[i];

		if (!test_bit(VP_DIRTY, &vp->flags)) {
			pool_count(pool, PS_CLEAN_DROP, 1);
		} else if (!store_in_memory(pool, vp)) {
			b->vp[left++] = vp;
			continue;
		}
		finish(pool, vp, direct);
		freed++;
	}
	stored = swap_out(pool, b->vp, left);
	for (i = 0; i < left; i++) {
		struct vpage *vp = b->vp[i];

		if (i < stored) {
			finish(pool, vp, direct);
			freed++;
		} else {
			frame_unlock(vp->frame);
			putback(pool, vp, false);
		}
	}
	return freed;
}

unsigned int reclaim_batch(struct pool *pool, bool direct)
{
	struct batch *b = kmalloc(sizeof(*b), GFP_POOL);
	unsigned int freed;

	if (!b)
		return 0;
	atomic_inc(&pool->reclaimers);
	age(pool, b, direct);
	spin_lock(&pool->policy_lock);
	b->n = pool->policy_ops->isolate(pool->policy, b->vp, RECLAIM_BATCH, pool_now(pool));
	spin_unlock(&pool->policy_lock);
	pool_count(pool, PS_PGSCAN, b->n);
	drop_young(pool, b);
	unmap_all(pool, b);
	freed = evict(pool, b, direct);
	atomic_dec(&pool->reclaimers);
	/* A race miscounts by one or two. */
	WRITE_ONCE(pool->dry_batches, freed ? 0 : READ_ONCE(pool->dry_batches) + 1);
	kfree(b);
	return freed;
}

/* ---- loading ---- */

/* Is a copy in this tier worth its room beside the resident page? */
static bool keep_copy(struct pool *pool, struct vpage *vp, enum tier_id id)
{
	bool keep;

	switch (id) {
	case TIER_SAME_FILLED:
		return true;
	case TIER_STORE:
		if (!pool->policy_ops->keep_copy)
			return false;
		spin_lock(&pool->policy_lock);
		keep = pool->policy_ops->keep_copy(pool->policy, vp, pool_now(pool));
		spin_unlock(&pool->policy_lock);
		return keep;
	default:
		return tier_swap_file_used(pool->tiers[id]) <
		       tier_swap_file_size(pool->tiers[id]) / 2;
	}
}

static void unlist_stored(struct pool *pool, struct vpage *vp)
{
	if (!test_bit(VP_STORED, &vp->flags))
		return;
	spin_lock(&pool->stored_lock);
	list_del_init(&vp->lru);
	clear_bit(VP_STORED, &vp->flags);
	spin_unlock(&pool->stored_lock);
}

void reclaim_used(struct pool *pool, struct vpage *vp)
{
	enum tier_id id = vpage_tier(vp);

	pool_count(pool, PS_REFAULT, 1);
	if (id == TIER_NONE || keep_copy(pool, vp, id))
		return;
	vpage_drop_copy(pool, vp);
	set_bit(VP_DIRTY, &vp->flags);
}

void reclaim_loaded(struct pool *pool, struct vpage *vp)
{
	static const enum pool_stat stat[TIER_COUNT] = {
		[TIER_SAME_FILLED] = PS_SAME_IN,
		[TIER_STORE] = PS_ZSWPIN,
		[TIER_SWAP_FILE] = PS_PSWPIN,
	};

	unlist_stored(pool, vp);
	pool_count(pool, stat[vpage_tier(vp)], 1);
	reclaim_used(pool, vp);
}

int reclaim_load(struct pool *pool, struct vpage *vp, struct frame *frame)
{
	enum tier_id id = vpage_tier(vp);
	int err = tier_ops_of(id)->load(pool->tiers[id], vp->copy, frame_data(frame));

	if (!err)
		reclaim_loaded(pool, vp);
	return err;
}

/* ---- from the store to the swap file ---- */

/* Oldest pages whose only copy is in the store, locked; fewer than @max if others hold them. */
static unsigned int oldest_stored(struct pool *pool, struct vpage **vps, unsigned int max)
{
	struct list_head *pos, *next;
	unsigned int n = 0, seen = 0;

	spin_lock(&pool->stored_lock);
	list_for_each_safe(pos, next, &pool->stored) {
		struct vpage *vp = list_entry(pos, struct vpage, lru);

		if (n == max || seen++ == 2 * max)
			break;
		if (!vpage_trylock(vp))
			continue;
		list_del_init(pos);
		clear_bit(VP_STORED, &vp->flags);
		vps[n++] = vp;
	}
	spin_unlock(&pool->stored_lock);
	return n;
}

static void relist_stored(struct pool *pool, struct vpage *vp)
{
	spin_lock(&pool->stored_lock);
	set_bit(VP_STORED, &vp->flags);
	list_add(&vp->lru, &pool->stored);
	spin_unlock(&pool->stored_lock);
}

/* Move a batch of the store's oldest pages to the swap file; Return: how many moved. */
static unsigned int write_back(struct pool *pool)
{
	const struct tier_ops *swap = tier_ops_of(TIER_SWAP_FILE);
	const struct tier_ops *store = tier_ops_of(TIER_STORE);
	unsigned long handle[RECLAIM_BATCH];
	struct vpage *vps[RECLAIM_BATCH];
	unsigned int i, n, loaded;
	int done = 0;

	if (!swap || !store || !tier_swap_file_size(pool->tiers[TIER_SWAP_FILE]))
		return 0;
	mutex_lock(&pool->bounce_lock);
	n = oldest_stored(pool, vps, RECLAIM_BATCH);
	for (loaded = 0; loaded < n; loaded++)
		if (store->load(pool->tiers[TIER_STORE], vps[loaded]->copy, pool->bounce[loaded]))
			break;
	if (loaded)
		done = swap->store_batch(pool->tiers[TIER_SWAP_FILE],
					 (const void *const *)pool->bounce, loaded, handle);
	for (i = 0; i < n; i++) {
		if ((int)i < done) {
			vpage_drop_copy(pool, vps[i]);
			note_copy(pool, vps[i], TIER_SWAP_FILE, handle[i]);
			pool_count(pool, PS_ZSWPWB, 1);
		} else {
			relist_stored(pool, vps[i]);
		}
		vpage_unlock(vps[i]);
	}
	mutex_unlock(&pool->bounce_lock);
	return max(done, 0);
}

/*
 * The store may take half of the pool while there is a swap file to relieve it,
 * and most of it otherwise.
 */
static unsigned long store_share(struct pool *pool)
{
	unsigned long limit = READ_ONCE(pool->limit);
	bool relief = tier_ops_of(TIER_SWAP_FILE) &&
		      tier_swap_file_size(pool->tiers[TIER_SWAP_FILE]);

	return min(READ_ONCE(pool->store_max), relief ? limit / 2 : limit - limit / 8);
}

static void trim_store(struct pool *pool)
{
	struct tier *store = pool->tiers[TIER_STORE];
	unsigned int batches = 8;
	unsigned long share;

	if (!store)
		return;
	share = store_share(pool);
	tier_store_set_max(store, share);
	/* What is freed in the store need not free whole pages of it at once. */
	while (tier_store_pages(store) + RECLAIM_BATCH / 2 > share && batches-- && write_back(pool))
		cond_resched();
}

void reclaim_step(void *arg)
{
	struct pool *pool = arg;
	unsigned int idle = 0;
	long asked;

	trim_store(pool);
	while (pool_free(pool) < READ_ONCE(pool->high) && idle < 4) {
		if (!reclaim_batch(pool, false)) {
			pool_drain(pool);
			idle++;
		}
		trim_store(pool);
		cond_resched();
	}
	for (asked = atomic_long_xchg(&pool->asked, 0); asked > 0; cond_resched()) {
		unsigned int freed = reclaim_batch(pool, false);

		if (!freed)
			break;
		asked -= freed;
	}
	pool_restore_min(pool);
	/* The last process may have gone meanwhile: it could not drain what was in our hands. */
	if (!pool_stat(pool, PS_RESIDENT))
		pool_drain(pool);
}
