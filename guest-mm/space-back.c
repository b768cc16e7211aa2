// SPDX-License-Identifier: GPL-2.0
/* Spaces: pages that come from a file when they are touched. */
#include "guest-mm/space-table.h"

/* Back a range within one leaf. */
static int back_slots(struct space *space, u64 vpn, u64 n, struct backing *backing)
{
	void **place = space_leaf_place(space, vpn);
	u64 i;

	if (!place)
		return -ENOMEM;
	backing_get_n(backing, 1);
	if (n == LEAF_SLOTS && !cmpxchg(place, NULL, backing_slot(backing)))
		return 0;
	backing_put_n(backing, 1);
	for (i = 0; i < n; i++) {
		if (!space_own_leaf(space, vpn))
			return -ENOMEM;
		backing_get_n(backing, 1);
		if (!space_set_slot(space, vpn + i, NULL, backing_slot(backing)))
			backing_put_n(backing, 1);
	}
	return 0;
}

int space_back(struct space *space, u64 vpn, u64 n, struct backing *backing)
{
	u64 end = vpn + n, next;

	for (; vpn < end; vpn = next) {
		int err;

		next = min(end, (vpn | (LEAF_SLOTS - 1)) + 1);
		err = fatal_signal() ? -EINTR : back_slots(space, vpn, next - vpn, backing);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

struct backing *space_slot_backing(const void *slot, u64 vpn)
{
	const struct origin *origin;
	struct backing *backing;

	if (slot_is_backing(slot)) {
		backing = slot_backing(slot);
	} else {
		origin = slot ? vpage_origin(slot) : NULL;
		if (!origin)
			return NULL;
		if (origin->vpn != vpn)
			return backing_moved(origin->backing, vpn - origin->vpn) ?:
			       ERR_PTR(-ENOMEM);
		backing = origin->backing;
	}
	backing_get_n(backing, 1);
	return backing;
}

struct backing *space_backing(struct space *space, u64 vpn)
{
	void *slot = space_lock_slot(space, vpn);
	struct backing *backing;

	if (IS_ERR(slot))
		return slot;
	/* The caller of space_lock_slot() has a reference of its own. */
	if (!slot || slot_is_backing(slot))
		return slot ? slot_backing(slot) : NULL;
	backing = space_slot_backing(slot, vpn);
	vpage_unlock(slot);
	return backing;
}
