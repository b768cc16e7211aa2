/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tiers: the places that evicted pages go to, tried in this order.  A new tier is
 * one file with a struct tier_ops, a number here and a line in tiers[] (tier.c).
 */
#ifndef LODGE_TIER_H
#define LODGE_TIER_H

#include "guest-core/host.h"

struct pool;

/**
 * struct tier - what all tiers begin with
 * @pool: whose pages it keeps
 */
struct tier {
	struct pool *pool;
};

enum tier_id {
	TIER_NONE,
	TIER_SAME_FILLED,	/* one word repeated: the handle is the word */
	TIER_STORE,		/* compressed, in the pool's own memory */
	TIER_SWAP_FILE,		/* a file or device of the guest's own */
	TIER_COUNT,
};

/**
 * struct tier_ops - one kind of place for evicted pages
 * @name: as shown in the control tree's version file
 * @create: make the tier of a pool; 0, -ENOMEM
 * @destroy: free it; no handle may be left (the caller frees them all)
 * @store: keep a copy of a page.  @data is PAGE_SIZE bytes, mapped, that nobody changes.
 *	Returns 0 and a handle; -ENOSPC when this tier has no room now, -EINVAL when the page is
 *	nothing for this tier, -ENOMEM, -EIO.  May sleep.  Called for one page at a time, by several
 *	threads at once.
 * @store_batch: optional, preferred where batching pays (swap file): like @store for @n pages,
 *	filling @handles; returns the number of leading pages stored, or a negative errno when none
 *	was.
 * @load: fill @data with the copy; 0, -EIO.  The copy stays.  May sleep.
 * @load_run: optional, where reading many at once pays (swap file): the same for the @n copies
 *	whose handles are @handle and those that follow it; all or none
 * @drop: free a copy.  Never fails, may not sleep (called under spinlocks).
 * @used_pages: pages that the tier has charged to the pool now (0 for those outside the pool)
 * @room: pages that it could take now.  Optional: without it there is no bound but memory.
 */
struct tier_ops {
	const char *name;
	int (*create)(struct pool *pool, struct tier **tier);
	void (*destroy)(struct tier *tier);
	int (*store)(struct tier *tier, const void *data, unsigned long *handle);
	int (*store_batch)(struct tier *tier, const void *const *data, unsigned int n,
			   unsigned long *handles);
	int (*load)(struct tier *tier, unsigned long handle, void *data);
	int (*load_run)(struct tier *tier, unsigned long handle, void *const *data, unsigned int n);
	void (*drop)(struct tier *tier, unsigned long handle);
	unsigned long (*used_pages)(struct tier *tier);
	unsigned long (*room)(struct tier *tier);
};

/** tier_ops_of() - operations of a built-in tier, NULL if Kconfig left it out */
const struct tier_ops *tier_ops_of(enum tier_id id);

/* tier-store.c: the compressed store (LZ4 in zsmalloc), accounted to the pool in pages. */
extern const struct tier_ops tier_store_ops;
#ifdef LODGE_TIER_STORE
/** tier_store_set_max() - limit of the store in pages; below what is used it refuses new pages */
void tier_store_set_max(struct tier *tier, unsigned long pages);
/** tier_store_pages() - pages of memory the store holds */
unsigned long tier_store_pages(struct tier *tier);
#else
static inline void tier_store_set_max(struct tier *tier, unsigned long pages) {}
static inline unsigned long tier_store_pages(struct tier *tier) { return 0; }
#endif

/* tier-same-filled.c */
extern const struct tier_ops tier_same_filled_ops;

/* tier-swap-file.c */
extern const struct tier_ops tier_swap_file_ops;

#ifdef LODGE_TIER_SWAP_FILE
/**
 * tier_swap_file_attach() - give the tier its file
 * @tier: of the pool
 * @file: open for direct reading and writing; the tier owns it from now on if this succeeds
 * @pages: how many pages of it may be used
 * Return: 0; -EBUSY if it has one; -EINVAL without @pages; -ENOMEM
 */
int tier_swap_file_attach(struct tier *tier, struct host_file *file, unsigned long pages);
/** tier_swap_file_detach() - take it away; -EBUSY while a page is in it */
int tier_swap_file_detach(struct tier *tier);
/**
 * tier_swap_file_close() - from now on it takes no page, and counts as one without room
 * Return: 0; -EALREADY: it is closed; -ENOENT: there is no file
 */
int tier_swap_file_close(struct tier *tier);
/** tier_swap_file_reopen() - undo that; false if it was not closed */
bool tier_swap_file_reopen(struct tier *tier);
/** tier_swap_file_closed() - is it? */
bool tier_swap_file_closed(struct tier *tier);
/** tier_swap_file_set_max() - limit in pages; at most the size of the file */
void tier_swap_file_set_max(struct tier *tier, unsigned long pages);
/** tier_swap_file_used() - pages in the file, with those on their way */
unsigned long tier_swap_file_used(struct tier *tier);
/**
 * tier_swap_file_size() - pages that may be used: the lower of size and limit; 0 without a file,
 * and while it is closed
 */
unsigned long tier_swap_file_size(struct tier *tier);
#else
static inline int tier_swap_file_attach(struct tier *tier, struct host_file *file,
					unsigned long pages)
{
	return -EOPNOTSUPP;
}

static inline int tier_swap_file_detach(struct tier *tier) { return 0; }
static inline int tier_swap_file_close(struct tier *tier) { return -ENOENT; }
static inline bool tier_swap_file_reopen(struct tier *tier) { return false; }
static inline bool tier_swap_file_closed(struct tier *tier) { return false; }
static inline void tier_swap_file_set_max(struct tier *tier, unsigned long pages) {}
static inline unsigned long tier_swap_file_used(struct tier *tier) { return 0; }
static inline unsigned long tier_swap_file_size(struct tier *tier) { return 0; }
#endif

#endif /* LODGE_TIER_H */
