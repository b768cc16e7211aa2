// SPDX-License-Identifier: GPL-2.0
/* Spaces: mremap moves pages. */
#include "guest-mm/space-table.h"

/* The old place of @slot, which was mapped from a file perhaps, is read again. */
static int file_stays(struct space *space, void *slot, u64 vpn)
{
	struct backing *backing = space_slot_backing(slot, vpn);
	void *old;

	if (!backing)
		return 0;
	if (IS_ERR(backing))
		return PTR_ERR(backing);
	if (space_replace_slot(space, vpn, backing_slot(backing), &old)) {
		backing_put_n(backing, 1);
		return -ENOMEM;
	}
	space_put_slot(space, old);
	return 0;
}

static int move_slot(struct space *space, u64 from, u64 to, bool stays)
{
	void *slot, *old;

	/* Once both leaves are there, only a fork beside us could make this fail. */
	if (!space_own_leaf(space, to) || space_replace_slot(space, from, NULL, &slot))
		return -ENOMEM;
	if (!slot)
		return 0;
	if (stays && file_stays(space, slot, from)) {
		space_put_slot(space, slot);
		return -ENOMEM;
	}
	if (slot_is_backing(slot)) {
		struct backing *moved = backing_moved(slot_backing(slot), (s64)(to - from));

		backing_put_n(slot_backing(slot), 1);
		if (!moved)
			return -ENOMEM;
		slot = backing_slot(moved);
	}
	if (space_replace_slot(space, to, slot, &old)) {
		space_put_slot(space, slot);
		return -ENOMEM;
	}
	space_put_slot(space, old);
	return 0;
}

int space_move(struct space *space, u64 from, u64 to, u64 n, bool stays)
{
	u64 i, next;

	for (i = 0; i < n; i++) {
		next = space_next_leaf(space, from + i, from + n) - from;
		if (next >= n)
			break;
		i = next;
		if (move_slot(space, from + i, to + i, stays))
			return -ENOMEM;
		if ((i & (LEAF_SLOTS - 1)) == 0)
			cond_resched();
	}
	return 0;
}
