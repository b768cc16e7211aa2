// SPDX-License-Identifier: GPL-2.0
/*
 * The store: compressed pages in the pool's own memory.
 *
 * The allocator grows by several pages at once and says so only afterwards, so they are
 * charged ahead: @charged is never less than the pages the allocator holds plus the most
 * that the allocations under way can add.  What stays over is slack for the next ones,
 * and goes when the store is empty.  Pages that the allocator gives back later by itself
 * (the host compacts it) are noticed at the next change or question.
 */
#include "guest-core/host-store.h"
#include "guest-mm/pool.h"
#include "guest-mm/tier.h"

/* Pages that compress worse than this belong in the swap file. */
#define GOOD_SIZE	(PAGE_SIZE * 3 / 4)
/* Few size classes leave few pages half empty, which matters more than the bytes rounded up. */
#define SIZE_STEP	64
#define SLACK		STORE_ALLOC_GROWTH
#define HEADER		sizeof(u16)

/**
 * struct store - the store of one pool
 * @tier: common part
 * @alloc: holds the objects: a u16 with the length, then the compressed page
 * @lock: protects what follows
 * @charged: pages charged to the pool
 * @max: memory.zswap.max
 * @growing: allocations under way
 * @objects: pages in the store, with those under way
 */
struct store {
	struct tier tier;
	struct store_alloc *alloc;
	spinlock_t lock;	/* innermost */
	unsigned long charged;
	unsigned long max;
	unsigned long growing;
	unsigned long objects;
};

static struct store *to_store(struct tier *tier)
{
	return container_of(tier, struct store, tier);
}

/* ---- memory to compress in, shared by all pools ---- */

/**
 * struct work - one CPU's; a thread that was moved may come by as well
 * @lock: held while compressing
 * @out: the result
 * @mem: LZ4's table
 */
struct work {
	struct mutex lock;	/* no memory is waited for under it */
	u8 out[PAGE_SIZE];
	u8 mem[HOST_COMPRESS_WORK] __aligned(8);
};

static DEFINE_MUTEX(works_lock);	/* protects @works_users and changes of @works */
static struct work **works;
static unsigned int works_users;

static void works_free(void)
{
	unsigned int cpu;

	for (cpu = 0; works && cpu < host_cpus(); cpu++)
		kvfree(works[cpu]);
	kfree(works);
	works = NULL;
}

static int works_alloc(void)
{
	unsigned int cpu;

	works = kcalloc(host_cpus(), sizeof(*works), GFP_KERNEL);
	if (!works)
		return -ENOMEM;
	for (cpu = 0; cpu < host_cpus(); cpu++) {
		works[cpu] = kvmalloc(sizeof(*works[cpu]), GFP_KERNEL);
		if (!works[cpu]) {
			works_free();
			return -ENOMEM;
		}
		mutex_init(&works[cpu]->lock);
	}
	return 0;
}

static int works_get(void)
{
	int err = 0;

	mutex_lock(&works_lock);
	if (!works_users)
		err = works_alloc();
	if (!err)
		works_users++;
	mutex_unlock(&works_lock);
	return err;
}

static void works_put(void)
{
	mutex_lock(&works_lock);
	if (!--works_users)
		works_free();
	mutex_unlock(&works_lock);
}

/* ---- accounting ---- */

/* Give back what is charged beyond need, keeping up to @slack pages; @lock held. */
static void store_trim(struct store *store, unsigned long slack)
{
	unsigned long need = store_alloc_pages(store->alloc) + store->growing * STORE_ALLOC_GROWTH;

	if (store->charged <= need + slack)
		return;
	pool_uncharge(store->tier.pool, store->charged - need - slack);
	store->charged = need + slack;
}

/* Charge ahead for one allocation; false if the limits forbid. */
static bool store_grow_begin(struct store *store)
{
	struct pool *pool = store->tier.pool;
	unsigned long need;
	bool ok = true;

	spin_lock(&store->lock);
	need = store_alloc_pages(store->alloc) + (store->growing + 1) * STORE_ALLOC_GROWTH;
	if (need > store->max) {
		ok = false;
	} else if (need > store->charged) {
		unsigned long more = need - store->charged;

		if (pool_try_charge(pool, more + SLACK, CHARGE_EVICTION))
			store->charged += more + SLACK;
		else if (pool_try_charge(pool, more, CHARGE_EVICTION))
			store->charged += more;
		else
			ok = false;
	}
	if (ok) {
		store->growing++;
		store->objects++;
	}
	spin_unlock(&store->lock);
	return ok;
}

/* The allocation is over; @added says whether there is an object more. */
static void store_grow_end(struct store *store, bool added)
{
	spin_lock(&store->lock);
	store->growing--;
	if (!added)
		store->objects--;
	store_trim(store, store->objects ? 2 * SLACK : 0);
	spin_unlock(&store->lock);
}

/* ---- operations ---- */

static int store_create(struct pool *pool, struct tier **tier)
{
	struct store *store = kzalloc(sizeof(*store), GFP_KERNEL);
	int err;

	if (!store)
		return -ENOMEM;
	err = works_get();
	if (err)
		goto err_store;
	store->alloc = store_alloc_create(pool->name);
	if (!store->alloc) {
		err = -ENOMEM;
		goto err_works;
	}
	spin_lock_init(&store->lock);
	store->tier.pool = pool;
	store->max = ULONG_MAX;
	*tier = &store->tier;
	return 0;

err_works:
	works_put();
err_store:
	kfree(store);
	return err;
}

static void store_destroy(struct tier *tier)
{
	struct store *store = to_store(tier);

	WARN_ON_ONCE(store->objects);
	store_alloc_destroy(store->alloc);
	pool_uncharge(tier->pool, store->charged);
	works_put();
	kfree(store);
}

/* The largest object worth keeping: while the swap file has room, good ones only; else whatever saves a byte. */
static int store_worth(struct store *store)
{
	const struct tier_ops *swap = tier_ops_of(TIER_SWAP_FILE);
	struct tier *tier = store->tier.pool->tiers[TIER_SWAP_FILE];

	if (swap && tier && swap->room(tier))
		return GOOD_SIZE;
	return min_t(size_t, store_alloc_huge(store->alloc) - 1, PAGE_SIZE - SIZE_STEP) / SIZE_STEP * SIZE_STEP;
}

static void store_fill(struct store *store, unsigned long handle, const void *data, u16 len)
{
	u8 *object = store_alloc_map_new(store->alloc, handle);

	memcpy(object, &len, HEADER);
	memcpy(object + HEADER, data, len);
	store_alloc_unmap(store->alloc, handle);
}

static size_t store_size(int len)
{
	return (len + HEADER + SIZE_STEP - 1) / SIZE_STEP * SIZE_STEP;
}

/*
 * Compress into *handle, or a new object if that is 0.  Return: the compressed length; -EINVAL if it is more
 * than @max, which a new object is then not made for; -EAGAIN with the length in @need if a new object takes
 * waiting for memory.
 */
static int store_compress(struct store *store, const void *data, int max, unsigned long *handle, int *need)
{
	struct work *work = works[host_cpu()];
	unsigned long got = *handle;
	int len;

	mutex_lock(&work->lock);
	len = host_compress(data, work->out, max, work->mem);
	if (len <= 0) {
		len = -EINVAL;
		goto out;
	}
	if (!got)
		got = store_alloc_get(store->alloc, store_size(len), false);
	if (got) {
		store_fill(store, got, work->out, len);
		*handle = got;
	} else {
		*need = len;
		len = -EAGAIN;
	}
out:
	mutex_unlock(&work->lock);
	return len;
}

/* Compress into a new object, room for which is charged. */
static int store_page(struct store *store, const void *data, int max, unsigned long *handle)
{
	unsigned long object = 0;
	int need, len;

	len = store_compress(store, data, max - HEADER, &object, &need);
	if (len == -EAGAIN) {
		/*
		 * To make room the host may ask this pool for memory, and so come here
		 * again: that must not find the work memory locked.
		 */
		object = store_alloc_get(store->alloc, store_size(need), true);
		if (!object)
			return -ENOMEM;
		len = store_compress(store, data, need, &object, &need);
		if (len < 0)
			store_alloc_put(store->alloc, object);
	}
	if (len < 0)
		return len;
	*handle = object;
	return 0;
}

static int store_store(struct tier *tier, const void *data, unsigned long *handle)
{
	struct store *store = to_store(tier);
	int err;

	if (!store_grow_begin(store))
		return -ENOSPC;
	err = store_page(store, data, store_worth(store), handle);
	store_grow_end(store, !err);
	return err;
}

static int store_load(struct tier *tier, unsigned long handle, void *data)
{
	struct store *store = to_store(tier);
	const u8 *object = store_alloc_map(store->alloc, handle);
	u16 len;
	int err;

	memcpy(&len, object, HEADER);
	err = host_decompress(object + HEADER, len, data);
	store_alloc_unmap(store->alloc, handle);
	return err;
}

static void store_drop(struct tier *tier, unsigned long handle)
{
	struct store *store = to_store(tier);

	store_alloc_put(store->alloc, handle);
	spin_lock(&store->lock);
	store->objects--;
	store_trim(store, store->objects ? 2 * SLACK : 0);
	spin_unlock(&store->lock);
}

static unsigned long store_used_pages(struct tier *tier)
{
	struct store *store = to_store(tier);
	unsigned long pages;

	spin_lock(&store->lock);
	store_trim(store, store->objects ? 2 * SLACK : 0);
	pages = store->charged;
	spin_unlock(&store->lock);
	return pages;
}

void tier_store_set_max(struct tier *tier, unsigned long pages)
{
	WRITE_ONCE(to_store(tier)->max, pages);
}

unsigned long tier_store_pages(struct tier *tier)
{
	return store_alloc_pages(to_store(tier)->alloc);
}

const struct tier_ops tier_store_ops = {
	.name = "store",
	.create = store_create,
	.destroy = store_destroy,
	.store = store_store,
	.load = store_load,
	.drop = store_drop,
	.used_pages = store_used_pages,
};
