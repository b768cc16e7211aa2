// SPDX-License-Identifier: GPL-2.0
/*
 * Emptying the swap file: every page that is in it comes back.
 *
 * The file is closed first, so that nothing goes there any more; then the tables of all spaces
 * are looked through for pages with a copy in it, again and again until there is none: forks and
 * mremap move pages meanwhile.  What has no room goes from the pool's frames to the store; if that
 * is not enough, or if a fault would have a process killed, the file is opened again.
 */
#include "guest-mm/backend.h"
#include "guest-mm/pool.h"
#include "guest-mm/space-table.h"

/* How often it looks for pages that are on their way, a millisecond apart. */
#define PASSES	200

static bool is_swapped(struct space *space, u64 vpn)
{
	struct leaf *leaf;
	bool swapped = false;

	rcu_read_lock();
	leaf = space_leaf(space, vpn);
	if (leaf) {
		spin_lock(&leaf->lock);
		/* What the slots of a leaf that is not in use any more point to may be freed. */
		if (space_leaf(space, vpn) == leaf) {
			void *slot = leaf->slot[leaf_index(vpn)];

			swapped = slot_is_page(slot) && vpage_tier(slot) == TIER_SWAP_FILE;
		}
		spin_unlock(&leaf->lock);
	}
	rcu_read_unlock();
	return swapped;
}

/* The page, locked, if it has a copy in the file; else NULL. */
static struct vpage *lock_swapped(struct space *space, u64 vpn)
{
	void *slot;

	if (!is_swapped(space, vpn))
		return NULL;
	slot = space_lock_slot(space, vpn);
	if (IS_ERR(slot))
		return NULL;
	if (slot_is_backing(slot)) {
		backing_put_n(slot_backing(slot), 1);
		return NULL;
	}
	if (slot && vpage_tier(slot) != TIER_SWAP_FILE) {
		vpage_unlock(slot);
		return NULL;
	}
	return slot;
}

/* Read the page into the frame, which it gets. */
static int load(struct pool *pool, struct vpage *vp, struct frame *frame)
{
	int err = reclaim_load(pool, vp, frame);

	if (err) {
		frame_clear(frame);
		pool_frame_put(pool, frame);
		return err;
	}
	vpage_attach(pool, vp, frame);
	return 0;
}

static int bring_back(struct space *space, u64 vpn)
{
	struct pool *pool = space->pool;
	struct frame *frame = NULL;
	struct vpage *vp;
	int err = 0;

	for (;;) {
		vp = lock_swapped(space, vpn);
		if (!vp || vp->frame || frame)
			break;
		/* Nobody is to wait for the page while we wait for a frame. */
		vpage_unlock(vp);
		frame = pool_frame_try(pool);
		if (IS_ERR(frame))
			return PTR_ERR(frame);
	}
	if (vp && !vp->frame) {
		err = load(pool, vp, frame);
		frame = NULL;
	}
	if (vp && vp->frame && vpage_tier(vp) == TIER_SWAP_FILE) {
		vpage_drop_copy(pool, vp);
		set_bit(VP_DIRTY, &vp->flags);
	}
	if (vp)
		vpage_unlock(vp);
	if (frame)
		pool_frame_put(pool, frame);
	return err;
}

/* Go on?  0, -EINTR, -EBUSY: somebody needed the file. */
static int go_on(struct pool *pool)
{
	if (interrupted())
		return -EINTR;
	return tier_swap_file_closed(pool->tiers[TIER_SWAP_FILE]) ? 0 : -EBUSY;
}

static int empty_space(struct space *space)
{
	u64 vpn, next;

	for (vpn = space_next_leaf(space, 0, SPACE_PAGES); vpn < SPACE_PAGES;
	     vpn = space_next_leaf(space, next, SPACE_PAGES)) {
		next = (vpn | (LEAF_SLOTS - 1)) + 1;
		for (; vpn < next; vpn++) {
			int err = is_swapped(space, vpn) ? go_on(space->pool) : 0;

			if (!err)
				err = bring_back(space, vpn);
			if (err)
				return err;
		}
		cond_resched();
	}
	return 0;
}

static int empty_spaces(struct pool *pool)
{
	struct space *space;
	int err = 0;
	u32 id;

	for (id = 0; !err && (space = backend_space_next(pool, &id)); id++) {
		err = empty_space(space);
		backend_space_put(pool, space);
	}
	return err ? err : go_on(pool);
}

int pool_swapoff(struct pool *pool)
{
	struct tier *tier = pool->tiers[TIER_SWAP_FILE];
	unsigned int passes = 0;
	unsigned long left;
	int err;

	err = tier_swap_file_close(tier);
	if (err)
		return err == -ENOENT ? 0 : err;
	while (!err && (left = tier_swap_file_used(tier))) {
		err = empty_spaces(pool);
		if (!err && tier_swap_file_used(tier) >= left) {
			/* Being written, or of a process that is just being made. */
			host_sleep_ms(1);
			if (++passes == PASSES)
				err = -EBUSY;
		}
	}
	if (err)
		tier_swap_file_reopen(tier);
	return err;
}
