/* SPDX-License-Identifier: GPL-2.0 */
/* The table of a space, for space-*.c and fault.c. */
#ifndef LODGE_SPACE_TABLE_H
#define LODGE_SPACE_TABLE_H

#include "guest-mm/space.h"

#define NODE_BITS	9
#define NODE_SLOTS	(1 << NODE_BITS)
#define NODE_LEVELS	3
#define SPACE_PAGES	(1ULL << (LEAF_BITS + NODE_LEVELS * NODE_BITS))

/**
 * struct node - an upper node: places of nodes, or of leaves at the lowest level
 * @used: which children may be there; a bit never goes
 * @child: set once, and freed with the space; places of leaves also change to a copy or to NULL,
 *	and may hold a backing (with SLOT_BACKING set) that stands for a leaf full of it
 */
struct node {
	unsigned long used[NODE_SLOTS / BITS_PER_LONG];
	void *child[NODE_SLOTS];
};

/**
 * struct leaf - 512 slots
 * @refs: spaces that share it; the slots may change only while this is 1
 * @lock: protects @slot and @pages
 * @pages: slots that hold vpages
 * @readonly: nothing in it is mapped writable since a fork protected all of it
 * @slot: NULL, a vpage, or a backing with SLOT_BACKING set
 * @rcu: readers may find a leaf that was just replaced; they look again once they have its lock
 */
struct leaf {
	atomic_t refs;
	spinlock_t lock;
	bool readonly;
	unsigned int pages;
	struct rcu_head rcu;
	void *slot[LEAF_SLOTS];
};

#define SLOT_BACKING	1UL

static inline bool slot_is_backing(const void *slot)
{
	return (unsigned long)slot & SLOT_BACKING;
}

static inline bool slot_is_page(const void *slot)
{
	return slot && !slot_is_backing(slot);
}

static inline struct backing *slot_backing(const void *slot)
{
	return (struct backing *)((unsigned long)slot & ~SLOT_BACKING);
}

static inline void *backing_slot(struct backing *backing)
{
	return (void *)((unsigned long)backing | SLOT_BACKING);
}

static inline unsigned int leaf_index(u64 vpn)
{
	return vpn & (LEAF_SLOTS - 1);
}

/** space_leaf() - the leaf of a page, or NULL; RCU */
struct leaf *space_leaf(struct space *space, u64 vpn);

/** space_leaf_entry() - what its place holds: a leaf, a backing for all of it, or NULL; RCU */
void *space_leaf_entry(struct space *space, u64 vpn);

/**
 * space_leaf_place() - the place that holds the leaf of @vpn; makes the nodes above it
 * NULL: no memory.  May sleep.
 */
void **space_leaf_place(struct space *space, u64 vpn);

/** space_leaf_put() - drop a reference to a leaf, the last one with all that its slots hold */
void space_leaf_put(struct pool *pool, struct leaf *leaf);

/** space_own_leaf() - the same, made or unshared if need be; NULL: no memory.  May sleep. */
struct leaf *space_own_leaf(struct space *space, u64 vpn);

/**
 * space_next_leaf() - the first page number from @vpn on that has a leaf;
 * @end or more if there is none before it
 */
u64 space_next_leaf(struct space *space, u64 vpn, u64 end);

/**
 * space_slot_backing() - what space_backing() answers, of a slot's content that the caller holds
 * (locked, or with the slot's reference)
 */
struct backing *space_slot_backing(const void *slot, u64 vpn);

/**
 * space_lock_slot() - what a slot holds
 * Return: NULL; a vpage, locked; or a backing (slot_is_backing()) with a reference for the caller.
 * May sleep.  Only who may not write files (host_no_io()), and so may hold what the page's
 * reader or writer waits for, gives up: ERR_PTR of -EINTR, it is dying; of -EFAULT, it has
 * waited for a minute.
 */
void *space_lock_slot(struct space *space, u64 vpn);

/**
 * space_set_slot() - replace a slot's content in an unshared leaf; false if it is not @old,
 * or the leaf is shared
 */
bool space_set_slot(struct space *space, u64 vpn, void *old, void *new);

/**
 * space_replace_slot() - put @new into a slot, whatever is there
 * @old: what was there, with the slot's reference
 * Return: 0, -ENOMEM.  May sleep.
 */
int space_replace_slot(struct space *space, u64 vpn, void *new, void **old);

/** space_put_slot() - drop the reference of a slot of @space to what it held */
void space_put_slot(struct space *space, void *slot);

#endif /* LODGE_SPACE_TABLE_H */
