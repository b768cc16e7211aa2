// SPDX-License-Identifier: GPL-2.0
/*
 * Reading ahead in the swap file.
 *
 * Asking a disk costs much more than what it then transfers.  What was evicted together lies
 * together in the file: a fault that must read brings the pages that follow both in the address
 * space and in the file along.  They wait in their frames, unmapped, beside their copies, so
 * evicting one that nobody came for is free.
 *
 * How far it reads follows from how many of the pages read ahead were used since the last time, as
 * in the swap cache of the host: twice as far while all are, half as far when none is, one page
 * alone where faults jump about.
 */
#include "guest-mm/read-ahead.h"
#include "guest-mm/space-table.h"

#define AHEAD_MAX	16U	/* pages of one read */

/*
 * What all reads together may bring ahead at a time, as a part of the pool: nobody can evict it.  A
 * page that nobody came for keeps its slot in the file, too: so much of that must be free.
 */
#define POOL_SHARE	16
#define ROOM_SHARE	4

/* Pages to read at once; the first is the one that is needed. */
struct batch {
	struct vpage *vp[AHEAD_MAX];
	struct frame *frame[AHEAD_MAX];
	unsigned int n;
};

/* How many pages a read at @vpn may have.  Threads that race spoil a guess, nothing else. */
static unsigned int window(struct space *space, u64 vpn)
{
	unsigned int last = READ_ONCE(space->ahead.pages);
	unsigned int used = atomic_xchg(&space->ahead.used, 0);
	unsigned int pages = 1;

	if (used)
		pages = 2 * used + 2;
	else if (vpn == READ_ONCE(space->ahead.next))
		pages = 2;
	pages = min(max(pages, last / 2), AHEAD_MAX);
	WRITE_ONCE(space->ahead.pages, pages);
	return pages;
}

/* How many of these the pool can do with besides the one that is needed. */
static unsigned int bounded(struct pool *pool, unsigned int ahead)
{
	struct tier *swap = pool->tiers[TIER_SWAP_FILE];
	unsigned long limit = READ_ONCE(pool->limit);
	long left = limit / POOL_SHARE - atomic_read(&pool->ahead);

	if (tier_ops_of(TIER_SWAP_FILE)->room(swap) < limit / ROOM_SHARE)
		return 0;
	return clamp(left, 0L, (long)ahead);
}

/* Is it in the file, at @handle, and nowhere else?  Asked without the vpage's lock: a hint. */
static bool follows(const struct vpage *vp, unsigned long handle)
{
	return vpage_tier(vp) == TIER_SWAP_FILE && READ_ONCE(vp->copy) == handle &&
	       !READ_ONCE(vp->frame);
}

/* Lock pages behind @vpn, within its leaf, as long as they follow each other in the file. */
static void gather(struct space *space, u64 vpn, struct batch *b, unsigned int max)
{
	unsigned int i = leaf_index(vpn) + 1;
	struct leaf *leaf;

	rcu_read_lock();
	leaf = space_leaf(space, vpn);
	if (!leaf)
		goto out;
	spin_lock(&leaf->lock);
	/* What the slots of a leaf that is not in use any more point to may be freed. */
	if (space_leaf(space, vpn) != leaf)
		max = 1;
	for (; b->n < max && i < LEAF_SLOTS; i++) {
		struct vpage *vp = slot_is_page(leaf->slot[i]) ? leaf->slot[i] : NULL;
		unsigned long handle = b->vp[0]->copy + b->n;

		if (!vp || !follows(vp, handle) || !vpage_trylock(vp))
			break;
		if (!follows(vp, handle)) {
			vpage_unlock(vp);
			break;
		}
		b->vp[b->n++] = vp;
	}
	spin_unlock(&leaf->lock);
out:
	rcu_read_unlock();
}

/* Let the last pages of the batch go, so that @n are left. */
static void trim(struct pool *pool, struct batch *b, unsigned int n)
{
	while (b->n > n) {
		struct frame *frame = b->frame[--b->n];

		if (frame) {
			/* Read into or not: it must not pass for one that is known to be zero. */
			frame_clear(frame);
			pool_frame_put(pool, frame);
		}
		vpage_unlock(b->vp[b->n]);
	}
}

/* Frames for all, or as many as can be had without an eviction. */
static void find_frames(struct pool *pool, struct batch *b)
{
	unsigned int i;

	for (i = 1; i < b->n; i++) {
		b->frame[i] = pool_frame_spare(pool);
		if (!b->frame[i])
			trim(pool, b, i);
	}
}

/* Return: 0, -EIO: not all can be read. */
static int read_run(struct pool *pool, struct batch *b)
{
	void *data[AHEAD_MAX];
	unsigned int i;

	for (i = 0; i < b->n; i++)
		data[i] = frame_data(b->frame[i]);
	return tier_ops_of(TIER_SWAP_FILE)->load_run(pool->tiers[TIER_SWAP_FILE], b->vp[0]->copy,
						     data, b->n);
}

/* They wait for a fault now. */
static void attach(struct pool *pool, struct batch *b)
{
	unsigned int i;

	pool_count(pool, PS_PSWPIN, b->n - 1);
	pool_count(pool, PS_SWAP_RA, b->n - 1);
	for (i = 1; i < b->n; i++) {
		set_bit(VP_AHEAD, &b->vp[i]->flags);
		set_bit(VP_REFAULT, &b->vp[i]->flags);
		vpage_attach(pool, b->vp[i], b->frame[i]);
		vpage_unlock(b->vp[i]);
	}
}

int read_ahead_load(struct space *space, u64 vpn, struct vpage *vp, struct frame *frame)
{
	struct batch b = { .vp = { vp }, .frame = { frame }, .n = 1 };
	struct pool *pool = space->pool;
	unsigned int ahead;
	int err = 0;

	/* Who must not wait for the file's locks reads what it needs, and no more. */
	if (host_no_io())
		return reclaim_load(pool, vp, frame);
	ahead = bounded(pool, window(space, vpn) - 1);
	atomic_add(ahead, &pool->ahead);
	if (ahead)
		gather(space, vpn, &b, 1 + ahead);
	find_frames(pool, &b);
	WRITE_ONCE(space->ahead.next, vpn + b.n);
	if (b.n > 1 && read_run(pool, &b)) {
		trim(pool, &b, 1);
		/* A disk may take half a minute to find that it cannot read. */
		WRITE_ONCE(space->ahead.pages, 1);
		WRITE_ONCE(space->ahead.next, 0);
	}
	if (b.n > 1) {
		reclaim_loaded(pool, vp);
		attach(pool, &b);
	} else {
		err = reclaim_load(pool, vp, frame);
	}
	atomic_sub(ahead, &pool->ahead);
	return err;
}

void read_ahead_hit(struct space *space, struct vpage *vp)
{
	clear_bit(VP_AHEAD, &vp->flags);
	atomic_inc(&space->ahead.used);
	pool_count(space->pool, PS_SWAP_RA_HIT, 1);
	reclaim_used(space->pool, vp);
}
