// SPDX-License-Identifier: GPL-2.0
/* Spaces: a child shares what its parent has. */
#include "guest-mm/space-table.h"

/* What a slot holds, with a reference to it for another one. */
static void *slot_get(struct space *space, u64 vpn)
{
	struct leaf *leaf;
	void *slot;

	rcu_read_lock();
	for (;;) {
		slot = space_leaf_entry(space, vpn);
		if (!slot_is_page(slot))
			break;
		leaf = slot;
		spin_lock(&leaf->lock);
		if (space_leaf_entry(space, vpn) == leaf) {
			slot = leaf->slot[leaf_index(vpn)];
			if (slot_is_page(slot))
				atomic_inc(&((struct vpage *)slot)->slots);
			spin_unlock(&leaf->lock);
			break;
		}
		spin_unlock(&leaf->lock);
	}
	if (slot_is_backing(slot))
		backing_get_n(slot_backing(slot), 1);
	rcu_read_unlock();
	return slot;
}

/*
 * The child shared the leaf when a mapping before this one was its turn, and a fault in this one
 * has replaced it since.
 */
static int fork_slots(struct space *parent, struct space *child, u64 vpn, u64 n)
{
	void *slot, *old;

	for (; n; n--, vpn++) {
		slot = slot_get(parent, vpn);
		if (slot_is_page(slot))
			atomic_long_inc(&child->pages);
		if (space_replace_slot(child, vpn, slot, &old)) {
			space_put_slot(child, slot);
			return -ENOMEM;
		}
		space_put_slot(child, old);
	}
	return 0;
}

int space_fork(struct space *parent, struct space *child, u64 vpn, u64 n,
	       void (*protect)(void *arg, u64 vpn, u64 n), void *arg)
{
	u64 end = vpn + n, next;

	for (vpn = space_next_leaf(parent, vpn, end); vpn < end;
	     vpn = space_next_leaf(parent, next, end)) {
		void **place = space_leaf_place(child, vpn);
		struct leaf *leaf, *have;
		bool was_shared;

		next = (vpn | (LEAF_SLOTS - 1)) + 1;
		if (!place)
			return -ENOMEM;
		have = *place;
		rcu_read_lock();
		leaf = space_leaf_entry(parent, vpn);
		if (have && have != leaf) {
			rcu_read_unlock();
			if (fork_slots(parent, child, vpn, min(end, next) - vpn))
				return -ENOMEM;
			protect(arg, vpn, min(end, next) - vpn);
			continue;
		}
		if (!slot_is_page(leaf)) {
			/* Backed as a whole, so nothing of it is mapped. */
			if (leaf && !have) {
				backing_get_n(slot_backing(leaf), 1);
				*place = leaf;
			}
			rcu_read_unlock();
			continue;
		}
		was_shared = atomic_read(&leaf->refs) > 1;
		/* A leaf that spans two mappings comes by once for each. */
		if (!have) {
			atomic_inc(&leaf->refs);
			*place = leaf;
			atomic_long_add(READ_ONCE(leaf->pages), &child->pages);
		}
		rcu_read_unlock();
		if (was_shared && !have && READ_ONCE(leaf->readonly))
			continue;
		protect(arg, vpn, min(end, next) - vpn);
		if (min(end, next) - vpn == LEAF_SLOTS)
			WRITE_ONCE(leaf->readonly, true);
	}
	return 0;
}
