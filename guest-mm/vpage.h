/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A virtual page: one page of private memory that was touched, wherever its
 * content is now.
 *
 * Page tables of spaces (space.h) point to vpages, never to frames.  A page that
 * forked processes share is one vpage in several tables, so evicting it changes
 * one object, however many siblings there are.
 *
 * Content is in @frame, or in the tier that VP_TIER() names, or in both: a clean
 * frame beside a still valid copy, whose eviction is free.
 *
 * Locking: the VP_LOCKED bit is a sleeping lock (vpage_lock(), space_lock_slot())
 * and protects @frame, @copy, @mapper, @more and all flags but those named below.
 * @lru and the VP_LIST_* flags belong to the pool's policy and are protected by its lock.
 * @mapper and @more change only under the frame's lock too, so that a place that was noted but has
 * not mapped the frame yet is not taken for one that does not map it any more.
 * Whoever frees a vpage holds its lock and has taken it off all lists.
 */
#ifndef LODGE_VPAGE_H
#define LODGE_VPAGE_H

#include "guest-core/host.h"

struct backing;
struct frame;
struct mappers;

/**
 * struct vpage - one touched page of private memory
 * @flags: VP_* bits
 * @slots: number of page-table slots that point here
 * @last_use: the policy's clock, in faults of the pool, when the page was last known to be used
 * @frame: the resident copy, or NULL
 * @copy: handle of the copy in tier VP_TIER(); valid only if that is not TIER_NONE
 * @mapper: the space and page number that mapped the frame last (mapper_pack()), 0 if none
 * @more: other spaces that mapped it since it was last unmapped everywhere, or NULL
 * @lru: the policy's list
 */
struct vpage {
	unsigned long flags;
	atomic_t slots;
	u32 last_use;
	struct frame *frame;
	unsigned long copy;
	u64 mapper;
	struct mappers *more;
	struct list_head lru;
};

/**
 * struct origin - where the content of a private file mapping's page came from
 * @backing: a reference, as long as a slot holds the page
 * @vpn: the page number that @backing knows it by
 */
struct origin {
	struct backing *backing;
	u64 vpn;
};

/** struct file_vpage - a vpage that began as a page of a private file mapping (VP_FILE) */
struct file_vpage {
	struct vpage vp;
	struct origin origin;
};

/* Bits of vpage.flags; all bit operations on them are atomic. */
enum {
	VP_LOCKED,		/* the vpage's lock */
	VP_WAITED,		/* somebody waits for the lock */
	VP_DIRTY,		/* the frame differs from any copy (then there is none) */
	VP_QUEUED,		/* in a per-CPU batch on its way to the policy */
	VP_LISTED,		/* on one of the policy's lists (policy lock) */
	VP_LIST_M,		/* the policy's second list (policy lock) */
	VP_AGED,		/* accessed bit cleared since the page came in (policy lock) */
	VP_REFAULT,		/* came back from a tier; the policy has yet to see it */
	VP_AHEAD,		/* was read ahead, and nobody has come for it yet */
	VP_KEPT,		/* resident beside a copy in the policy's budget (policy lock) */
	VP_FREED,		/* dropped while queued: the drain frees it (policy lock) */
	VP_STORED,		/* on the pool's list of what the store holds (stored_lock) */
	VP_FILE,		/* the vpage is a struct file_vpage; never changes */
	VP_TIER_SHIFT,		/* two bits: where @copy is */
};

#define VP_TIER_MASK	3UL

/** vpage_origin() - the file that the page began in, or NULL; never changes */
static inline const struct origin *vpage_origin(const struct vpage *vp)
{
	return test_bit(VP_FILE, &vp->flags) ?
	       &container_of(vp, struct file_vpage, vp)->origin : NULL;
}

static inline unsigned int vpage_tier(const struct vpage *vp)
{
	return (READ_ONCE(vp->flags) >> VP_TIER_SHIFT) & VP_TIER_MASK;
}

static inline void vpage_set_tier(struct vpage *vp, unsigned int tier)
{
	/* Only the lock's holder changes these two bits, but others set theirs beside them. */
	if (tier & 1)
		set_bit(VP_TIER_SHIFT, &vp->flags);
	else
		clear_bit(VP_TIER_SHIFT, &vp->flags);
	if (tier & 2)
		set_bit(VP_TIER_SHIFT + 1, &vp->flags);
	else
		clear_bit(VP_TIER_SHIFT + 1, &vp->flags);
}

/** vpage_trylock() - take the vpage's lock if it is free; any context */
static inline bool vpage_trylock(struct vpage *vp)
{
	return !test_and_set_bit_lock(VP_LOCKED, &vp->flags);
}

/** vpage_locked_waiting() - is the lock taken?  If so, its holder will wake us. */
static inline bool vpage_locked_waiting(struct vpage *vp)
{
	set_bit(VP_WAITED, &vp->flags);
	/* Whoever unlocks it from now on sees that we wait. */
	smp_mb__after_atomic();
	return test_bit(VP_LOCKED, &vp->flags);
}

/** vpage_trylock_waiting() - vpage_trylock() for one who sleeps if it fails */
static inline bool vpage_trylock_waiting(struct vpage *vp)
{
	return !vpage_locked_waiting(vp) && vpage_trylock(vp);
}

/** vpage_lock() - take the vpage's lock; sleeps */
static inline void vpage_lock(struct vpage *vp)
{
	if (!vpage_trylock(vp))
		wait_var_event(&vp->flags, vpage_trylock_waiting(vp));
}

/** vpage_unlock() - let it go and wake who waits for it */
static inline void vpage_unlock(struct vpage *vp)
{
	/* In one step: once it is unlocked the vpage may be freed. */
	long old = atomic_long_fetch_andnot(BIT(VP_LOCKED) | BIT(VP_WAITED),
					    (atomic_long_t *)&vp->flags);

	if (unlikely(old & BIT(VP_WAITED)))
		wake_up_var(&vp->flags);
}

#endif /* LODGE_VPAGE_H */
