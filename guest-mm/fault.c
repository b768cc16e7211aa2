// SPDX-License-Identifier: GPL-2.0
/* Faults: first touch, return from a tier, and copy-on-write. */
#include "guest-mm/read-ahead.h"
#include "guest-mm/space.h"
#include "guest-mm/space-table.h"

/* A page is the space's own when no other table leads to it. */
static bool exclusive(struct space *space, u64 vpn, struct vpage *vp)
{
	struct leaf *leaf;
	bool own;

	rcu_read_lock();
	leaf = space_leaf(space, vpn);
	/*
	 * A copy of a leaf counts its pages before it leaves the shared one:
	 * read in the opposite order.
	 */
	own = leaf && atomic_read_acquire(&leaf->refs) == 1 && atomic_read(&vp->slots) == 1 &&
	      READ_ONCE(leaf->slot[leaf_index(vpn)]) == vp;
	if (own && leaf->readonly)
		WRITE_ONCE(leaf->readonly, false);
	rcu_read_unlock();
	return own;
}

/* The frame's content is going to differ from any copy. */
static void make_dirty(struct pool *pool, struct vpage *vp)
{
	if (test_bit(VP_DIRTY, &vp->flags))
		return;
	vpage_drop_copy(pool, vp);
	set_bit(VP_DIRTY, &vp->flags);
}

/* Hand out a resident page: lock the frame, note who maps it, let the vpage go. */
static void hand_out(struct space *space, u64 vpn, struct vpage *vp, bool write)
{
	u64 mapper = mapper_pack(space->id, vpn);
	struct frame *frame = vp->frame;

	frame_lock(frame);
	vpage_add_mapper(space->pool, vp, mapper);
	if (write) {
		make_dirty(space->pool, vp);
		frame_set_key(frame, mapper);
	}
	vpage_unlock(vp);
}

/*
 * A vpage, locked, with @frame, which it owns from now on, in no table yet.
 * The frame goes if it fails.
 */
static struct vpage *new_page(struct space *space, struct frame *frame, const struct origin *origin)
{
	struct pool *pool = space->pool;
	struct vpage *vp = vpage_alloc(pool, frame, origin);

	if (IS_ERR(vp)) {
		pool_frame_put(pool, frame);
		return vp;
	}
	backend_frame_init(pool, frame, vp);
	pool_count(pool, PS_RESIDENT, 1);
	return vp;
}

/* The same with a new frame of undefined content. */
static struct vpage *new_page_and_frame(struct space *space, struct frame **frame,
					const struct origin *origin)
{
	*frame = pool_frame_get(space->pool);
	if (IS_ERR(*frame))
		return (void *)*frame;
	return new_page(space, *frame, origin);
}

/* Undo new_page(). */
static void discard_page(struct pool *pool, struct vpage *vp)
{
	vpage_unlock(vp);
	vpage_put_slot(pool, vp);
}

/*
 * First touch: @slot is empty or a backing, of which we hold a reference.
 * Return: the page, locked and in the table; NULL: somebody else was faster; ERR_PTR.
 */
static struct vpage *first_touch(struct space *space, u64 vpn, void *slot)
{
	struct origin origin = { .backing = slot ? slot_backing(slot) : NULL, .vpn = vpn };
	struct vpage *vp;
	struct frame *frame;
	bool zeroed;
	int err = 0;

	if (!space_own_leaf(space, vpn))
		return ERR_PTR(-ENOMEM);
	frame = pool_frame_get(space->pool);
	if (IS_ERR(frame))
		return (void *)frame;
	zeroed = frame_zeroed(frame);
	vp = new_page(space, frame, slot ? &origin : NULL);
	if (IS_ERR(vp))
		return vp;
	if (slot)
		err = backing_read(origin.backing, vpn, frame_data(frame));
	else if (!zeroed)
		frame_clear(frame);
	if (err || !space_set_slot(space, vpn, slot, vp)) {
		discard_page(space->pool, vp);
		return err ? ERR_PTR(err) : NULL;
	}
	if (slot)
		backing_put_n(slot_backing(slot), 1);
	atomic_long_inc(&space->pages);
	vpage_queue(space->pool, vp);
	return vp;
}

/* Bring a page back that is in a tier only. */
static int load(struct space *space, u64 vpn, struct vpage *vp)
{
	struct pool *pool = space->pool;
	struct frame *frame = pool_frame_get(pool);
	int err;

	if (IS_ERR(frame))
		return PTR_ERR(frame);
	pool_count(pool, PS_PGMAJFAULT, 1);
	if (vpage_tier(vp) == TIER_SWAP_FILE)
		err = read_ahead_load(space, vpn, vp, frame);
	else
		err = reclaim_load(pool, vp, frame);
	if (err) {
		/* What was read of it must not pass for a frame that is known to be zero. */
		frame_clear(frame);
		pool_frame_put(pool, frame);
		return err;
	}
	set_bit(VP_REFAULT, &vp->flags);
	vpage_attach(pool, vp, frame);
	return 0;
}

/* Replace what a slot holds by @new; false if it does not hold @vp any more. */
static bool swap_slot(struct space *space, u64 vpn, struct vpage *vp, struct vpage *new)
{
	return space_own_leaf(space, vpn) && space_set_slot(space, vpn, vp, new);
}

/*
 * Give the space a copy of a shared page; @vp is locked, resident and not mapped by us.
 * Return: the copy, locked, with @vp let go; NULL: no longer shared, @vp still locked; ERR_PTR,
 * with @vp let go.
 */
static struct vpage *copy_page_for(struct space *space, u64 vpn, struct vpage *vp)
{
	struct vpage *copy;
	struct frame *frame;

	if (!space_own_leaf(space, vpn)) {
		vpage_unlock(vp);
		return ERR_PTR(-ENOMEM);
	}
	if (exclusive(space, vpn, vp))
		return NULL;
	copy = new_page_and_frame(space, &frame, vpage_origin(vp));
	if (IS_ERR(copy)) {
		vpage_unlock(vp);
		return copy;
	}
	frame_copy(frame, vp->frame);
	if (!swap_slot(space, vpn, vp, copy)) {
		vpage_unlock(vp);
		discard_page(space->pool, copy);
		return ERR_PTR(-EAGAIN);
	}
	pool_count(space->pool, PS_COW, 1);
	vpage_unlock(vp);
	vpage_put_slot(space->pool, vp);
	vpage_queue(space->pool, copy);
	return copy;
}

int space_fault(struct space *space, u64 vpn, bool write, struct frame **out)
{
	void *slot = space_lock_slot(space, vpn);
	struct vpage *vp;
	int major = 0;
	int err;

	if (IS_ERR(slot))
		return PTR_ERR(slot);
	pool_count(space->pool, PS_PGFAULT, 1);
	if (!slot || slot_is_backing(slot)) {
		vp = first_touch(space, vpn, slot);
		if (slot)
			backing_put_n(slot_backing(slot), 1);
		if (!vp)
			return -EAGAIN;
		if (IS_ERR(vp))
			return PTR_ERR(vp);
	} else {
		vp = slot;
		if (!vp->frame) {
			err = load(space, vpn, vp);
			if (err) {
				vpage_unlock(vp);
				return err;
			}
			major = 1;
		} else if (test_bit(VP_AHEAD, &vp->flags)) {
			read_ahead_hit(space, vp);
		}
		if (write && !exclusive(space, vpn, vp)) {
			struct vpage *copy = copy_page_for(space, vpn, vp);

			if (IS_ERR(copy))
				return PTR_ERR(copy);
			if (copy)
				vp = copy;
		}
	}
	frame_get(vp->frame);
	*out = vp->frame;
	hand_out(space, vpn, vp, write);
	return major;
}

/*
 * The writer is the only one that maps a shared page: it keeps the frame, and the others get the
 * copy, which costs no change of page tables.  @vp is locked; it is let go.
 * Return: the writer's vpage, locked; ERR_PTR.
 */
static struct vpage *steal_frame(struct space *space, u64 vpn, struct vpage *vp)
{
	struct frame *mine = vp->frame, *theirs;
	struct vpage *own = new_page_and_frame(space, &theirs, vpage_origin(vp));

	if (IS_ERR(own)) {
		vpage_unlock(vp);
		return own;
	}
	frame_lock(mine);
	/* Nobody can map it while we hold its lock; did anybody before? */
	if (frame_mapcount(mine) > 1 || !swap_slot(space, vpn, vp, own)) {
		frame_unlock(mine);
		vpage_unlock(vp);
		discard_page(space->pool, own);
		return ERR_PTR(-EAGAIN);
	}
	frame_copy(theirs, mine);
	vp->frame = theirs;
	vp->mapper = 0;
	own->frame = mine;
	own->mapper = mapper_pack(space->id, vpn);
	backend_frame_init(space->pool, theirs, vp);
	backend_frame_init(space->pool, mine, own);
	frame_unlock(mine);
	pool_count(space->pool, PS_COW, 1);
	vpage_unlock(vp);
	vpage_put_slot(space->pool, vp);
	vpage_queue(space->pool, own);
	return own;
}

/*
 * A page that space_fault() has just prepared for writing needs nothing more.  Without the vpage's
 * lock: whoever takes the frame away from it needs the frame's, and we hold the frame too.
 * Return: true, with the frame locked.
 */
static bool ready_to_write(struct space *space, u64 vpn, struct frame *frame)
{
	u64 mapper = mapper_pack(space->id, vpn);
	struct vpage *vp;

	/* Who writes it to the swap file holds both. */
	if (!frame_trylock(frame))
		return false;
	vp = frame_vpage(frame);
	if (vp && frame_key(frame) == mapper && vp->mapper == mapper &&
	    test_bit(VP_DIRTY, &vp->flags) && exclusive(space, vpn, vp))
		return true;
	frame_unlock(frame);
	return false;
}

int space_mkwrite(struct space *space, u64 vpn, struct frame *frame)
{
	struct vpage *vp, *copy;
	void *slot;

	if (ready_to_write(space, vpn, frame))
		return 0;
	slot = space_lock_slot(space, vpn);
	if (IS_ERR(slot))
		return PTR_ERR(slot);
	vp = slot && !slot_is_backing(slot) ? slot : NULL;
	if (!vp || vp->frame != frame) {
		if (vp)
			vpage_unlock(vp);
		else if (slot)
			backing_put_n(slot_backing(slot), 1);
		/*
		 * A fault beside space_discard() mapped what was forgotten: without this, for ever.
		 */
		backend_unmap_range(space->pool, space->id, vpn, 1);
		return -EAGAIN;
	}
	if (!exclusive(space, vpn, vp)) {
		if (!space_own_leaf(space, vpn)) {
			vpage_unlock(vp);
			return -ENOMEM;
		}
		if (!exclusive(space, vpn, vp)) {
			if (frame_mapcount(frame) == 1 && !vp->more &&
			    vp->mapper == mapper_pack(space->id, vpn)) {
				vp = steal_frame(space, vpn, vp);
				if (IS_ERR(vp))
					return PTR_ERR(vp);
				hand_out(space, vpn, vp, true);
				return 0;
			}
			copy = copy_page_for(space, vpn, vp);
			if (IS_ERR(copy))
				return PTR_ERR(copy);
			if (copy) {
				/*
				 * The old frame must leave our page table before the
				 * copy can be mapped.
				 */
				vpage_unlock(copy);
				backend_unmap_range(space->pool, space->id, vpn, 1);
				return -EAGAIN;
			}
		}
	}
	hand_out(space, vpn, vp, true);
	return 0;
}

int space_copy_now(struct space *child, u64 vpn)
{
	void *slot = space_lock_slot(child, vpn);
	struct vpage *copy;

	if (IS_ERR(slot))
		return PTR_ERR(slot);
	if (!slot)
		return 0;
	if (slot_is_backing(slot)) {
		backing_put_n(slot_backing(slot), 1);
		return 0;
	}
	if (!((struct vpage *)slot)->frame || exclusive(child, vpn, slot)) {
		vpage_unlock(slot);
		return 0;
	}
	copy = copy_page_for(child, vpn, slot);
	if (IS_ERR(copy))
		return PTR_ERR(copy);
	vpage_unlock(copy ? copy : slot);
	return 0;
}

int space_fill(struct space *space, u64 vpn, const void *data)
{
	struct leaf *leaf = space_own_leaf(space, vpn);
	struct origin origin = { .vpn = vpn };
	struct vpage *vp;
	struct frame *frame;
	void *old;

	if (!leaf)
		return -ENOMEM;
	old = READ_ONCE(leaf->slot[leaf_index(vpn)]);
	if (slot_is_page(old))
		return -EEXIST;
	if (old)
		origin.backing = slot_backing(old);
	vp = new_page_and_frame(space, &frame, old ? &origin : NULL);
	if (IS_ERR(vp))
		return PTR_ERR(vp);
	memcpy(frame_data(frame), data, PAGE_SIZE);
	if (!space_set_slot(space, vpn, old, vp)) {
		discard_page(space->pool, vp);
		return -EBUSY;
	}
	if (old)
		backing_put_n(slot_backing(old), 1);
	atomic_long_inc(&space->pages);
	vpage_queue(space->pool, vp);
	vpage_unlock(vp);
	return 0;
}
