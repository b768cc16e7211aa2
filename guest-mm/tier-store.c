// SPDX-License-Identifier: GPL-2.0
/*
 * The store: compressed pages in the pool's own memory.
 *
 * The allocator grows by several pages at once and says so only afterwards, so they are
 * charged ahead: @charged is never less than the pages the allocator holds plus the most
 * that the allocations under way can add.  What stays over is slack for the next ones,
 * and goes when the store is empty.  Pages that the allocator gives back later by itself
 * (the host compacts it) are noticed at the next change or question.
 *
 * Objects come in few sizes, such as fill one to four pages almost without a rest.  Each
 * size in use leaves some pages partly empty: a small pool uses only those that the
 * allocator puts in one or two pages.
 */
#include "guest-core/host-store.h"
#include "guest-mm/pool.h"
#include "guest-mm/tier.h"

#define HEADER		sizeof(u16)
#define SLACK		4UL	/* pages charged for later, at least; twice as many at most */

/* With the allocator's own STORE_ALLOC_OVERHEAD. */
static const u16 sizes[] = {
	64, 96, 128, 160, 208, 256, 304, 336, 368, 400, 448, 512, 576, 624, 672, 736, 816,
	896, 1024, 1104, 1168, 1248, 1360, 1488, 1536, 1632, 1744, 1808, 2048, 2336, 2448,
	2720, 3072, 3264,
};

#define SIZES		ARRAY_SIZE(sizes)
#define GROWTH_MIN	2UL
#define GROWTH_SHARE	512UL	/* one in so many pages of the pool */
#define SIZES_GOOD	(SIZES - 1)	/* what compresses worse belongs in the swap file */

/**
 * struct store - the store of one pool
 * @tier: common part
 * @alloc: holds the objects: a u16 with the length, then the compressed page
 * @lock: protects what follows
 * @charged: pages charged to the pool
 * @max: memory.zswap.max
 * @growing: pages that the allocations under way can add
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

/* ---- what all pools share ---- */

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

static DEFINE_MUTEX(works_lock);	/* protects @works_users, changes of @works and @growth */
static struct work **works;
static unsigned int works_users;
static u8 growth[SIZES];		/* pages that an object of a size can add */

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

static size_t object_size(unsigned int size)
{
	return sizes[size] - STORE_ALLOC_OVERHEAD;
}

/* How the allocator grows is its own affair, and differs between versions: try. */
static int measure_growth(void)
{
	struct store_alloc *alloc = store_alloc_create("measure");
	unsigned long object[SIZES];
	unsigned int i, n;

	if (!alloc)
		return -ENOMEM;
	for (n = 0; n < SIZES; n++) {
		unsigned long before = store_alloc_pages(alloc);

		object[n] = store_alloc_get(alloc, object_size(n), true);
		if (!object[n])
			break;
		growth[n] = store_alloc_pages(alloc) - before;
		/* It shares pages with the size before. */
		if (!growth[n] && n)
			growth[n] = growth[n - 1];
	}
	for (i = 0; i < n; i++)
		store_alloc_put(alloc, object[i]);
	store_alloc_destroy(alloc);
	return n == SIZES ? 0 : -ENOMEM;
}

static int works_get(void)
{
	int err = 0;

	mutex_lock(&works_lock);
	if (!works_users) {
		err = measure_growth();
		if (!err)
			err = works_alloc();
	}
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

/* Give back what is charged beyond need, but for some slack; @lock held. */
static void store_trim(struct store *store)
{
	unsigned long need = store_alloc_pages(store->alloc) + store->growing;
	unsigned long keep = store->objects ? SLACK : 0;

	if (store->charged <= need + 2 * keep)
		return;
	pool_uncharge(store->tier.pool, store->charged - need - keep);
	store->charged = need + keep;
}

/* Charge ahead for an object that can add @pages; false if the limits forbid. */
static bool store_grow_begin(struct store *store, unsigned long pages)
{
	struct pool *pool = store->tier.pool;
	unsigned long need, more;
	bool ok = true;

	spin_lock(&store->lock);
	need = store_alloc_pages(store->alloc) + store->growing + pages;
	more = need > store->charged ? need - store->charged : 0;
	if (need > READ_ONCE(store->max)) {
		ok = false;
	} else if (more) {
		if (pool_try_charge(pool, more + SLACK, CHARGE_EVICTION))
			store->charged += more + SLACK;
		else if (pool_try_charge(pool, more, CHARGE_EVICTION))
			store->charged += more;
		else
			ok = false;
	}
	if (ok) {
		store->growing += pages;
		store->objects++;
	}
	spin_unlock(&store->lock);
	return ok;
}

/* The allocation is over; @added says whether there is an object more. */
static void store_grow_end(struct store *store, unsigned long pages, bool added)
{
	spin_lock(&store->lock);
	store->growing -= pages;
	if (!added)
		store->objects--;
	store_trim(store);
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

/* How many sizes are worth keeping: while the swap file has room, the good ones; else all. */
static unsigned int store_worth(struct store *store)
{
	const struct tier_ops *swap = tier_ops_of(TIER_SWAP_FILE);
	struct tier *tier = store->tier.pool->tiers[TIER_SWAP_FILE];

	return swap && tier && swap->room(tier) ? SIZES_GOOD : SIZES;
}

/* Pages that the allocator may hold together for a size, in a pool of this limit. */
static unsigned int growth_max(struct store *store)
{
	return max(GROWTH_MIN, READ_ONCE(store->tier.pool->limit) / GROWTH_SHARE);
}

static unsigned int size_for(struct store *store, unsigned int len)
{
	unsigned int most = growth_max(store), size = 0;

	while (size < SIZES - 1 && (object_size(size) < len + HEADER || growth[size] > most))
		size++;
	return size;
}

static void store_fill(struct store *store, unsigned long handle, const void *data, u16 len)
{
	u8 *object = store_alloc_map_new(store->alloc, handle);

	memcpy(object, &len, HEADER);
	memcpy(object + HEADER, data, len);
	store_alloc_unmap(store->alloc, handle);
}

/* An object of a size, charged; 0 with the reason in @err. */
static unsigned long store_object(struct store *store, unsigned int size, bool wait, int *err)
{
	unsigned long handle;

	*err = -ENOSPC;
	if (!store_grow_begin(store, growth[size]))
		return 0;
	*err = -ENOMEM;
	handle = store_alloc_get(store->alloc, object_size(size), wait);
	store_grow_end(store, growth[size], handle);
	return handle;
}

static void store_object_put(struct store *store, unsigned long handle)
{
	store_alloc_put(store->alloc, handle);
	spin_lock(&store->lock);
	store->objects--;
	store_trim(store);
	spin_unlock(&store->lock);
}

/**
 * struct attempt - one try to compress a page into an object
 * @max: sizes that may be used
 * @size: what it took, or would have
 * @handle: the object; a new one if 0
 */
struct attempt {
	unsigned int max, size;
	unsigned long handle;
};

/* Return: 0; -EINVAL: compresses too badly; -ENOSPC; -ENOMEM: no memory without waiting. */
static int store_try(struct store *store, const void *data, struct attempt *attempt)
{
	struct work *work = works[host_cpu()];
	int len, err = -EINVAL;

	mutex_lock(&work->lock);
	len = host_compress(data, work->out, object_size(attempt->max - 1) - HEADER, work->mem);
	if (len > 0) {
		attempt->size = size_for(store, len);
		if (!attempt->handle)
			attempt->handle = store_object(store, attempt->size, false, &err);
		if (attempt->handle) {
			store_fill(store, attempt->handle, work->out, len);
			err = 0;
		}
	}
	mutex_unlock(&work->lock);
	return err;
}

static int store_store(struct tier *tier, const void *data, unsigned long *handle)
{
	struct store *store = to_store(tier);
	struct attempt attempt = { .max = store_worth(store) };
	int err;

	/* Not worth compressing for; the exact test comes later. */
	if (store_alloc_pages(store->alloc) >= READ_ONCE(store->max))
		return -ENOSPC;
	err = store_try(store, data, &attempt);
	if (err == -ENOMEM) {
		/*
		 * To make room the host may ask this pool for memory, and so come here
		 * again: that must not find the work memory locked.
		 */
		attempt.handle = store_object(store, attempt.size, true, &err);
		if (!attempt.handle)
			return err;
		attempt.max = attempt.size + 1;
		err = store_try(store, data, &attempt);
		if (err)
			store_object_put(store, attempt.handle);
	}
	if (!err)
		*handle = attempt.handle;
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
	store_object_put(to_store(tier), handle);
}

static unsigned long store_used_pages(struct tier *tier)
{
	struct store *store = to_store(tier);
	unsigned long pages;

	spin_lock(&store->lock);
	store_trim(store);
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
