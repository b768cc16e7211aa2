// SPDX-License-Identifier: GPL-2.0
/*
 * Pages in a file or block device of the guest's own.
 *
 * The file is divided into slots of a page, these into clusters.  A batch gets
 * neighbouring slots where possible, and so one write; batches follow each other through
 * a cluster, then through the next cluster that is all free, then the next that is not full.
 */
#include "guest-mm/pool.h"
#include "guest-mm/tier.h"

#define CLUSTER		256U	/* slots */
#define RUN_MAX		32U	/* slots of one write */

/**
 * struct slots - a file divided into slots
 * @file: or NULL: then there are no slots
 * @pages: slots of the file
 * @bad: slots that could not be written, never used again
 * @next: where the next run is looked for
 * @map: slots in use or bad
 * @nr_clusters: the last one may be partial
 * @free: free slots of each cluster
 * @open: clusters with a free slot
 * @empty: clusters with free slots only
 */
struct slots {
	struct host_file *file;
	unsigned long pages, bad, next;
	unsigned long *map;
	unsigned long nr_clusters;
	u16 *free;
	unsigned long *open, *empty;
};

/**
 * struct swap_file - the swap file of one pool
 * @tier: common part
 * @lock: protects what follows; the file and the maps stay while @used is not 0
 * @slots: the file
 * @max: memory.swap.max: how many slots may be used
 * @used: slots that hold a page or are being written
 * @closed: it takes no more pages
 * @read_errors: for the log
 */
struct swap_file {
	struct tier tier;
	spinlock_t lock;	/* innermost */
	struct slots slots;
	unsigned long max, used;
	bool closed;
	unsigned long read_errors;
};

/* A run of slots that one call got. */
struct run {
	struct host_file *file;
	unsigned long slot;
	unsigned int n;
};

static struct swap_file *to_swap(struct tier *tier)
{
	return container_of(tier, struct swap_file, tier);
}

static u64 slot_pos(unsigned long slot)
{
	return (u64)slot << PAGE_SHIFT;
}

/* ---- slots; all with @lock held ---- */

static unsigned int cluster_slots(const struct slots *slots, unsigned long cluster)
{
	return min_t(unsigned long, CLUSTER, slots->pages - cluster * CLUSTER);
}

static void slot_take(struct slots *slots, unsigned long slot)
{
	unsigned long cluster = slot / CLUSTER;

	__set_bit(slot, slots->map);
	__clear_bit(cluster, slots->empty);
	if (!--slots->free[cluster])
		__clear_bit(cluster, slots->open);
}

static void slot_give(struct slots *slots, unsigned long slot)
{
	unsigned long cluster = slot / CLUSTER;

	__clear_bit(slot, slots->map);
	__set_bit(cluster, slots->open);
	if (++slots->free[cluster] == cluster_slots(slots, cluster))
		__set_bit(cluster, slots->empty);
}

/* The first set bit from @from on, going round; @size if there is none. */
static unsigned long find_round(const unsigned long *map, unsigned long size, unsigned long from)
{
	unsigned long bit = find_next_bit(map, size, from);

	return bit < size ? bit : find_next_bit(map, size, 0);
}

/* A free slot to begin a run at: where the last one ended, else a fresh cluster, else any. */
static unsigned long find_slot(struct slots *slots)
{
	unsigned long cluster = slots->next / CLUSTER;
	unsigned long end = min(slots->pages, (cluster + 1) * CLUSTER);
	unsigned long slot = slots->pages;

	if (slots->next < slots->pages)
		slot = find_next_zero_bit(slots->map, end, slots->next);
	if (slot < end)
		return slot;
	cluster = find_round(slots->empty, slots->nr_clusters, min(cluster, slots->nr_clusters));
	if (cluster == slots->nr_clusters)
		cluster = find_round(slots->open, slots->nr_clusters,
				     min(slots->next / CLUSTER, slots->nr_clusters));
	end = min(slots->pages, (cluster + 1) * CLUSTER);
	return find_next_zero_bit(slots->map, end, cluster * CLUSTER);
}

static unsigned long swap_room(const struct swap_file *swap)
{
	unsigned long usable = min(swap->max, swap->slots.pages - swap->slots.bad);

	return swap->slots.file && !swap->closed && usable > swap->used ? usable - swap->used : 0;
}

/* Take 1..@n neighbouring slots; false if the file is full. */
static bool run_take(struct swap_file *swap, struct run *run, unsigned int n)
{
	unsigned long slot;
	unsigned int i;

	spin_lock(&swap->lock);
	n = min_t(unsigned long, min(n, RUN_MAX), swap_room(swap));
	if (!n) {
		spin_unlock(&swap->lock);
		return false;
	}
	slot = find_slot(&swap->slots);
	run->file = swap->slots.file;
	run->slot = slot;
	for (i = 0; i < n && slot < swap->slots.pages && !test_bit(slot, swap->slots.map); i++)
		slot_take(&swap->slots, slot++);
	run->n = i;
	swap->used += i;
	swap->slots.next = slot;
	spin_unlock(&swap->lock);
	return true;
}

static void slots_drop(struct swap_file *swap, unsigned long slot, unsigned int n)
{
	spin_lock(&swap->lock);
	swap->used -= n;
	while (n--)
		slot_give(&swap->slots, slot++);
	spin_unlock(&swap->lock);
}

/* A slot that cannot be written is never given back. */
static void slot_spoil(struct swap_file *swap, unsigned long slot)
{
	unsigned long bad;

	spin_lock(&swap->lock);
	swap->used--;
	bad = ++swap->slots.bad;
	spin_unlock(&swap->lock);
	/* A broken device must not flood the log. */
	if (!(bad & (bad - 1)))
		pr_err("lodge: %s: swap file: write error at page %lu (%lu so far)\n",
		       swap->tier.pool->name, slot, bad);
}

/* ---- operations ---- */

static int swap_create(struct pool *pool, struct tier **tier)
{
	struct swap_file *swap = kzalloc(sizeof(*swap), GFP_KERNEL);

	if (!swap)
		return -ENOMEM;
	spin_lock_init(&swap->lock);
	swap->tier.pool = pool;
	swap->max = ULONG_MAX;
	*tier = &swap->tier;
	return 0;
}

static void slots_free(struct slots *slots)
{
	kvfree(slots->map);
	kvfree(slots->free);
	kvfree(slots->open);
	kvfree(slots->empty);
}

static void swap_destroy(struct tier *tier)
{
	struct swap_file *swap = to_swap(tier);

	WARN_ON_ONCE(swap->used);
	if (swap->slots.file)
		host_file_close(swap->slots.file);
	slots_free(&swap->slots);
	kfree(swap);
}

/* Return: how many of a run's first pages are written, or an errno; the other slots are let go. */
static int run_write(struct swap_file *swap, struct run *run, const void *const *data)
{
	unsigned int done;
	int err = host_file_write(run->file, data, run->n, slot_pos(run->slot));

	if (!err)
		return run->n;
	/* Find the page it failed at. */
	for (done = 0; done < run->n; done++) {
		err = host_file_write(run->file, data + done, 1, slot_pos(run->slot + done));
		if (err)
			break;
	}
	if (done == run->n)
		return done;
	if (err == -EIO) {
		slot_spoil(swap, run->slot + done);
		slots_drop(swap, run->slot + done + 1, run->n - done - 1);
	} else {
		slots_drop(swap, run->slot + done, run->n - done);
	}
	return done ? (int)done : err;
}

static int swap_store_batch(struct tier *tier, const void *const *data, unsigned int n,
			    unsigned long *handles)
{
	struct swap_file *swap = to_swap(tier);
	unsigned int done = 0;
	struct run run;
	int err = -ENOSPC;

	while (done < n && run_take(swap, &run, n - done)) {
		int i, got = run_write(swap, &run, data + done);

		if (got < 0) {
			err = got;
			break;
		}
		for (i = 0; i < got; i++)
			handles[done++] = run.slot + i + 1;
		if ((unsigned int)got < run.n)
			break;
	}
	return done ? (int)done : err;
}

static int swap_store(struct tier *tier, const void *data, unsigned long *handle)
{
	int done = swap_store_batch(tier, &data, 1, handle);

	return done < 0 ? done : 0;
}

static int swap_load_run(struct tier *tier, unsigned long handle, void *const *data, unsigned int n)
{
	return host_file_read(to_swap(tier)->slots.file, data, n, slot_pos(handle - 1));
}

static int swap_load(struct tier *tier, unsigned long handle, void *data)
{
	struct swap_file *swap = to_swap(tier);
	unsigned long errors;
	int err = swap_load_run(tier, handle, &data, 1);

	if (!err)
		return 0;
	spin_lock(&swap->lock);
	errors = ++swap->read_errors;
	spin_unlock(&swap->lock);
	if (!(errors & (errors - 1)))
		pr_err("lodge: %s: swap file: read error at page %lu (%lu so far)\n",
		       tier->pool->name, handle - 1, errors);
	return -EIO;
}

static void swap_drop(struct tier *tier, unsigned long handle)
{
	slots_drop(to_swap(tier), handle - 1, 1);
}

static unsigned long swap_used_pages(struct tier *tier)
{
	return 0;
}

static unsigned long swap_tier_room(struct tier *tier)
{
	struct swap_file *swap = to_swap(tier);
	unsigned long room;

	spin_lock(&swap->lock);
	room = swap_room(swap);
	spin_unlock(&swap->lock);
	return room;
}

/* ---- the file ---- */

/* A file of @pages slots, all free. */
static int slots_alloc(struct slots *slots, struct host_file *file, unsigned long pages)
{
	unsigned long clusters = DIV_ROUND_UP(pages, CLUSTER);
	unsigned long i;

	memset(slots, 0, sizeof(*slots));
	slots->map = kvcalloc(BITS_TO_LONGS(pages), sizeof(long), GFP_KERNEL);
	slots->free = kvcalloc(clusters, sizeof(*slots->free), GFP_KERNEL);
	slots->open = kvcalloc(BITS_TO_LONGS(clusters), sizeof(long), GFP_KERNEL);
	slots->empty = kvcalloc(BITS_TO_LONGS(clusters), sizeof(long), GFP_KERNEL);
	if (!slots->map || !slots->free || !slots->open || !slots->empty) {
		slots_free(slots);
		return -ENOMEM;
	}
	slots->file = file;
	slots->pages = pages;
	slots->nr_clusters = clusters;
	for (i = 0; i < clusters; i++) {
		slots->free[i] = cluster_slots(slots, i);
		__set_bit(i, slots->open);
		__set_bit(i, slots->empty);
	}
	return 0;
}

int tier_swap_file_attach(struct tier *tier, struct host_file *file, unsigned long pages)
{
	struct swap_file *swap = to_swap(tier);
	struct slots slots;
	int err;

	if (!pages)
		return -EINVAL;
	err = slots_alloc(&slots, file, pages);
	if (err)
		return err;
	spin_lock(&swap->lock);
	if (swap->slots.file)
		err = -EBUSY;
	else
		swap->slots = slots;
	spin_unlock(&swap->lock);
	if (err)
		slots_free(&slots);
	return err;
}

int tier_swap_file_detach(struct tier *tier)
{
	struct swap_file *swap = to_swap(tier);
	struct slots slots = { };
	int err = 0;

	spin_lock(&swap->lock);
	if (swap->used) {
		err = -EBUSY;
	} else {
		slots = swap->slots;
		swap->closed = false;
		memset(&swap->slots, 0, sizeof(swap->slots));
	}
	spin_unlock(&swap->lock);
	if (slots.file)
		host_file_close(slots.file);
	slots_free(&slots);
	return err;
}

int tier_swap_file_close(struct tier *tier)
{
	struct swap_file *swap = to_swap(tier);
	int err = 0;

	spin_lock(&swap->lock);
	if (!swap->slots.file)
		err = -ENOENT;
	else if (swap->closed)
		err = -EALREADY;
	else
		swap->closed = true;
	spin_unlock(&swap->lock);
	return err;
}

bool tier_swap_file_reopen(struct tier *tier)
{
	struct swap_file *swap = to_swap(tier);
	bool was;

	spin_lock(&swap->lock);
	was = swap->closed;
	swap->closed = false;
	spin_unlock(&swap->lock);
	return was;
}

bool tier_swap_file_closed(struct tier *tier)
{
	return READ_ONCE(to_swap(tier)->closed);
}

void tier_swap_file_set_max(struct tier *tier, unsigned long pages)
{
	struct swap_file *swap = to_swap(tier);

	spin_lock(&swap->lock);
	swap->max = pages;
	spin_unlock(&swap->lock);
}

unsigned long tier_swap_file_used(struct tier *tier)
{
	struct swap_file *swap = to_swap(tier);
	unsigned long used;

	spin_lock(&swap->lock);
	used = swap->used;
	spin_unlock(&swap->lock);
	return used;
}

unsigned long tier_swap_file_size(struct tier *tier)
{
	struct swap_file *swap = to_swap(tier);
	unsigned long size;

	spin_lock(&swap->lock);
	size = swap->closed ? 0 : min(swap->max, swap->slots.pages);
	spin_unlock(&swap->lock);
	return size;
}

const struct tier_ops tier_swap_file_ops = {
	.name = "swap-file",
	.create = swap_create,
	.destroy = swap_destroy,
	.store = swap_store,
	.store_batch = swap_store_batch,
	.load = swap_load,
	.load_run = swap_load_run,
	.drop = swap_drop,
	.used_pages = swap_used_pages,
	.room = swap_tier_room,
};
