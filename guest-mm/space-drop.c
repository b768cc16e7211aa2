// SPDX-License-Identifier: GPL-2.0
/* Spaces: pages of a range that go, for munmap, mmap over it, and madvise. */
#include "guest-mm/space-table.h"

/* Take the whole leaf away. */
static void drop_leaf(struct space *space, u64 vpn)
{
	void **place = space_leaf_place(space, vpn);
	struct leaf *leaf;

	mutex_lock(&space->unshare_lock);
	leaf = xchg(place, NULL);
	mutex_unlock(&space->unshare_lock);
	if (slot_is_backing(leaf))
		backing_put_n(slot_backing(leaf), 1);
	if (!slot_is_page(leaf))
		return;
	/* Whoever looks at its slots has done so, or finds that it is not in use any more. */
	spin_lock(&leaf->lock);
	spin_unlock(&leaf->lock);
	atomic_long_sub(leaf->pages, &space->pages);
	space_leaf_put(space->pool, leaf);
}

/* Why pages of a range go. */
enum drop {
	DROP_UNMAPPED,	/* it is not mapped any more */
	DROP_REPLACED,	/* something else is mapped there */
	DROP_DISCARD,	/* the process does not need what it wrote there */
	DROP_FREE,	/* the same for anonymous memory only */
};

/**
 * struct moved - the backing for file pages that were moved since they were touched
 * @from: what they know, a reference, or NULL
 * @delta: by how many pages they were moved
 * @to: the backing that fits, a reference, or NULL while it is not made
 */
struct moved {
	struct backing *from, *to;
	s64 delta;
};

static void moved_end(struct moved *moved)
{
	if (moved->from)
		backing_put_n(moved->from, 1);
	if (moved->to)
		backing_put_n(moved->to, 1);
	memset(moved, 0, sizeof(*moved));
}

/* The backing for a page at @vpn; NULL: it has to be made from @moved. */
static struct backing *file_again(const struct origin *origin, u64 vpn, struct moved *moved)
{
	s64 delta = vpn - origin->vpn;

	if (!delta)
		return origin->backing;
	if (moved->from != origin->backing || moved->delta != delta) {
		moved_end(moved);
		backing_get_n(origin->backing, 1);
		moved->from = origin->backing;
		moved->delta = delta;
	}
	return moved->to;
}

/* What an emptied slot holds; NULL with *@again set: first @moved has to be made. */
static void *slot_left(void *slot, u64 vpn, enum drop why, struct moved *moved, bool *again)
{
	const struct origin *origin;
	struct backing *backing;

	if (why != DROP_DISCARD)
		return NULL;
	origin = vpage_origin(slot);
	if (!origin)
		return NULL;
	backing = file_again(origin, vpn, moved);
	if (!backing) {
		*again = true;
		return NULL;
	}
	backing_get_n(backing, 1);
	return backing_slot(backing);
}

static bool slot_kept(void *slot, enum drop why)
{
	if (why == DROP_DISCARD)
		return slot_is_backing(slot);
	return why == DROP_FREE && (slot_is_backing(slot) ||
			   (slot && test_bit(VP_FILE, &((struct vpage *)slot)->flags)));
}

/*
 * Empty a slot of an unshared leaf.  What a slot holds may be looked at only while it holds it.
 * Return: what it held; NULL: nothing that goes; ERR_PTR(-EAGAIN): the leaf is shared, or was
 * replaced; ERR_PTR(-EXDEV): @moved has to be made first.
 */
static void *take_slot(struct space *space, u64 vpn, enum drop why, struct moved *moved)
{
	struct leaf *leaf;
	void *slot = NULL;
	bool again = false;

	rcu_read_lock();
	leaf = space_leaf(space, vpn);
	if (leaf) {
		spin_lock(&leaf->lock);
		slot = leaf->slot[leaf_index(vpn)];
		if (space_leaf(space, vpn) != leaf || atomic_read(&leaf->refs) != 1) {
			slot = ERR_PTR(-EAGAIN);
		} else if (!slot || slot_kept(slot, why)) {
			slot = NULL;
		} else {
			void *left = slot_left(slot, vpn, why, moved, &again);

			if (again) {
				slot = ERR_PTR(-EXDEV);
			} else {
				WRITE_ONCE(leaf->slot[leaf_index(vpn)], left);
				leaf->pages -= slot_is_page(slot);
			}
		}
		spin_unlock(&leaf->lock);
	}
	rcu_read_unlock();
	return slot;
}

/*
 * A page that no slot of ours holds any more, where faults go on: one may have mapped it since the
 * caller unmapped the range, or be about to.  If the page dies it is unmapped everywhere; if others
 * keep it, we are not to see what they write.
 */
static void unmap_shared(struct space *space, u64 vpn, struct vpage *vp)
{
	struct frame *frame;

	if (atomic_read(&vp->slots) == 1)
		return;
	vpage_lock(vp);
	frame = vp->frame;
	if (frame) {
		/* Waits for a fault that was handed the frame until it has mapped it. */
		frame_lock(frame);
		frame_unlock(frame);
	}
	vpage_unlock(vp);
	if (frame)
		backend_unmap_range(space->pool, space->id, vpn, 1);
}

static int drop_slots(struct space *space, u64 vpn, u64 n, enum drop why)
{
	struct vpage *vps[POOL_CACHE];
	struct moved moved = { };
	unsigned int nvps = 0;
	u64 i;

	/* A whole leaf that nobody touched keeps its backing. */
	if ((why == DROP_DISCARD || why == DROP_FREE) &&
	    slot_is_backing(space_leaf_entry(space, vpn)))
		return 0;
	for (i = 0; i < n; i++) {
		void *slot;

		if (!space_own_leaf(space, vpn))
			break;
		slot = take_slot(space, vpn + i, why, &moved);
		if (!slot)
			continue;
		if (slot == ERR_PTR(-EXDEV)) {
			moved.to = backing_moved(moved.from, moved.delta);
			if (!moved.to)
				break;
		}
		if (IS_ERR(slot)) {
			i--;
			continue;
		}
		if (slot_is_backing(slot)) {
			backing_put_n(slot_backing(slot), 1);
			continue;
		}
		if (why != DROP_UNMAPPED)
			unmap_shared(space, vpn + i, slot);
		vps[nvps++] = slot;
		if (nvps == POOL_CACHE) {
			atomic_long_sub(nvps, &space->pages);
			vpage_put_slots(space->pool, vps, nvps);
			nvps = 0;
		}
	}
	moved_end(&moved);
	atomic_long_sub(nvps, &space->pages);
	vpage_put_slots(space->pool, vps, nvps);
	return i < n ? -ENOMEM : 0;
}

/* May the leaf go as a whole?  Of a backing nothing is mapped but what dies with it. */
static bool leaf_goes(struct space *space, u64 vpn, enum drop why)
{
	return why == DROP_UNMAPPED ||
	       (why == DROP_REPLACED && slot_is_backing(space_leaf_entry(space, vpn)));
}

static int drop_range(struct space *space, u64 vpn, u64 n, enum drop why)
{
	u64 end = vpn + n, next;

	for (vpn = space_next_leaf(space, vpn, end); vpn < end;
	     vpn = space_next_leaf(space, next, end)) {
		int err = 0;

		next = min(end, (vpn | (LEAF_SLOTS - 1)) + 1);
		if (next - vpn == LEAF_SLOTS && leaf_goes(space, vpn, why))
			drop_leaf(space, vpn);
		else
			err = drop_slots(space, vpn, next - vpn, why);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

int space_drop(struct space *space, u64 vpn, u64 n)
{
	return drop_range(space, vpn, n, DROP_UNMAPPED);
}

int space_replace(struct space *space, u64 vpn, u64 n)
{
	return drop_range(space, vpn, n, DROP_REPLACED);
}

int space_discard(struct space *space, u64 vpn, u64 n)
{
	return drop_range(space, vpn, n, DROP_DISCARD);
}

int space_free(struct space *space, u64 vpn, u64 n)
{
	return drop_range(space, vpn, n, DROP_FREE);
}
