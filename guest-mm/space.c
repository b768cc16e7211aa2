// SPDX-License-Identifier: GPL-2.0
/*
 * Spaces: the table from page numbers to virtual pages, and what fork, munmap and mremap do to it.
 */
#include "guest-mm/space.h"
#include "guest-mm/space-table.h"

/* How often a new space asks for its first table while the pool is used up. */
#define INIT_TRIES	100

static struct kmem_cache *leaf_cache;
static struct kmem_cache *node_cache;

int space_module_init(void)
{
	int err = vpage_module_init();

	if (err)
		return err;
	leaf_cache = host_cache_create("lodge_leaf", struct leaf);
	node_cache = host_cache_create("lodge_node", struct node);
	if (leaf_cache && node_cache)
		return 0;
	space_module_exit();
	return -ENOMEM;
}

void space_module_exit(void)
{
	kmem_cache_destroy(node_cache);
	kmem_cache_destroy(leaf_cache);
	vpage_module_exit();
}

/* ---- the table ---- */

static unsigned int node_index(u64 vpn, unsigned int level)
{
	return (vpn >> (LEAF_BITS + level * NODE_BITS)) & (NODE_SLOTS - 1);
}

/* What the place of a leaf holds: a leaf, a backing for all of it, or NULL. */
static void *leaf_entry(struct space *space, u64 vpn)
{
	struct node *node = space->root;
	int level;

	for (level = NODE_LEVELS - 1; level > 0; level--) {
		node = READ_ONCE(node->child[node_index(vpn, level)]);
		if (!node)
			return NULL;
	}
	return READ_ONCE(node->child[node_index(vpn, 0)]);
}

struct leaf *space_leaf(struct space *space, u64 vpn)
{
	void *entry = leaf_entry(space, vpn);

	return slot_is_backing(entry) ? NULL : entry;
}

/* The next child from @from on that may be there, or NODE_SLOTS. */
static unsigned int next_child(struct node *node, unsigned int from)
{
	unsigned int word = from / BITS_PER_LONG;
	unsigned long bits;

	if (from >= NODE_SLOTS)
		return NODE_SLOTS;
	bits = READ_ONCE(node->used[word]) & (~0UL << (from % BITS_PER_LONG));
	while (!bits) {
		if (++word == ARRAY_SIZE(node->used))
			return NODE_SLOTS;
		bits = READ_ONCE(node->used[word]);
	}
	return word * BITS_PER_LONG + __builtin_ctzl(bits);
}

static struct node *charged_node(struct pool *pool)
{
	struct node *node = kmem_cache_zalloc(node_cache, GFP_POOL);

	if (!node)
		pool_uncharge_metadata(pool, sizeof(*node));
	return node;
}

static struct node *node_alloc(struct pool *pool)
{
	return pool_charge_metadata(pool, sizeof(struct node)) ? NULL : charged_node(pool);
}

static void node_free(struct pool *pool, struct node *node)
{
	kmem_cache_free(node_cache, node);
	pool_uncharge_metadata(pool, sizeof(*node));
}

/* The place that holds the leaf of @vpn; makes the nodes above it.  NULL: no memory. */
static void **leaf_place(struct space *space, u64 vpn)
{
	struct node *node = space->root;
	int level;

	for (level = NODE_LEVELS - 1; level > 0; level--) {
		unsigned int index = node_index(vpn, level);
		void **place = &node->child[index];
		struct node *next = READ_ONCE(*place);

		if (!next) {
			struct node *fresh = node_alloc(space->pool);

			if (!fresh)
				return NULL;
			set_bit(index, node->used);
			next = cmpxchg(place, NULL, (void *)fresh);
			if (next)
				node_free(space->pool, fresh);
			else
				next = fresh;
		}
		node = next;
	}
	if (!test_bit(node_index(vpn, 0), node->used))
		set_bit(node_index(vpn, 0), node->used);
	return &node->child[node_index(vpn, 0)];
}

static struct leaf *leaf_alloc(struct pool *pool)
{
	struct leaf *leaf;

	if (pool_charge_metadata(pool, sizeof(*leaf)))
		return NULL;
	leaf = kmem_cache_zalloc(leaf_cache, GFP_POOL);
	if (!leaf) {
		pool_uncharge_metadata(pool, sizeof(*leaf));
		return NULL;
	}
	atomic_set(&leaf->refs, 1);
	spin_lock_init(&leaf->lock);
	return leaf;
}

static void leaf_free_rcu(struct rcu_head *rcu)
{
	kmem_cache_free(leaf_cache, container_of(rcu, struct leaf, rcu));
}

static void leaf_put(struct pool *pool, struct leaf *leaf)
{
	struct vpage *vps[POOL_CACHE];
	unsigned int i, n = 0;

	if (!atomic_dec_and_test(&leaf->refs))
		return;
	for (i = 0; i < LEAF_SLOTS; i++) {
		void *slot = leaf->slot[i];

		if (slot_is_backing(slot))
			backing_put_n(slot_backing(slot), 1);
		else if (slot)
			vps[n++] = slot;
		if (n == POOL_CACHE) {
			vpage_put_slots(pool, vps, n);
			n = 0;
		}
	}
	vpage_put_slots(pool, vps, n);
	pool_uncharge_metadata(pool, sizeof(*leaf));
	call_rcu(&leaf->rcu, leaf_free_rcu);
}

/* Copy a shared leaf for this space.  Return: 0, -ENOMEM. */
static int leaf_unshare(struct space *space, void **place, struct leaf *leaf)
{
	struct leaf *copy = leaf_alloc(space->pool);
	unsigned int i;

	if (!copy)
		return -ENOMEM;
	mutex_lock(&space->unshare_lock);
	if (READ_ONCE(*place) != leaf || atomic_read(&leaf->refs) == 1) {
		mutex_unlock(&space->unshare_lock);
		leaf_put(space->pool, copy);
		return 0;
	}
	spin_lock(&leaf->lock);
	copy->pages = leaf->pages;
	for (i = 0; i < LEAF_SLOTS; i++) {
		void *slot = leaf->slot[i];

		copy->slot[i] = slot;
		if (slot_is_backing(slot))
			backing_get_n(slot_backing(slot), 1);
		else if (slot)
			atomic_inc(&((struct vpage *)slot)->slots);
	}
	smp_store_release(place, copy); /* its slots are counted before it is seen */
	spin_unlock(&leaf->lock);
	mutex_unlock(&space->unshare_lock);
	leaf_put(space->pool, leaf);
	return 0;
}

/*
 * Put a leaf of its own into the place of a leaf that is missing, or backed as a whole.  Return: 0,
 * -ENOMEM.
 */
static int leaf_make(struct space *space, void **place, void *entry)
{
	struct leaf *leaf = leaf_alloc(space->pool);
	unsigned int i;

	if (!leaf)
		return -ENOMEM;
	if (entry) {
		/* While this range is mapped the backing stays, whoever replaces the entry. */
		backing_get_n(slot_backing(entry), LEAF_SLOTS);
		for (i = 0; i < LEAF_SLOTS; i++)
			leaf->slot[i] = entry;
	}
	if (cmpxchg(place, entry, (void *)leaf) != entry)
		leaf_put(space->pool, leaf);
	else if (entry)
		backing_put_n(slot_backing(entry), 1);
	return 0;
}

struct leaf *space_own_leaf(struct space *space, u64 vpn)
{
	void **place = leaf_place(space, vpn);

	if (!place)
		return NULL;
	for (;;) {
		void *entry;
		bool alone;
		int err;

		rcu_read_lock();
		entry = READ_ONCE(*place);
		alone = slot_is_page(entry) &&
			atomic_read_acquire(&((struct leaf *)entry)->refs) == 1;
		rcu_read_unlock();
		if (alone)
			return entry;
		if (slot_is_page(entry))
			err = leaf_unshare(space, place, entry);
		else
			err = leaf_make(space, place, entry);
		if (err)
			return NULL;
	}
}

/* ---- slots ---- */

/* Is it worth locking the vpage in this slot again? */
static bool slot_changed(struct space *space, u64 vpn, struct vpage *vp)
{
	struct leaf *leaf;
	bool changed = true;

	rcu_read_lock();
	leaf = space_leaf(space, vpn);
	if (leaf) {
		spin_lock(&leaf->lock);
		/* While the slot of a leaf in use holds it, it cannot be freed. */
		if (space_leaf(space, vpn) == leaf && leaf->slot[leaf_index(vpn)] == vp)
			changed = !vpage_locked_waiting(vp);
		spin_unlock(&leaf->lock);
	}
	rcu_read_unlock();
	return changed;
}

void *space_lock_slot(struct space *space, u64 vpn)
{
	struct leaf *leaf;
	void *slot;

	for (;;) {
		bool locked = true;

		rcu_read_lock();
		slot = leaf_entry(space, vpn);
		leaf = slot;
		if (!slot || slot_is_backing(slot)) {
			if (slot)
				backing_get_n(slot_backing(slot), 1);
			rcu_read_unlock();
			return slot;
		}
		spin_lock(&leaf->lock);
		if (unlikely(leaf_entry(space, vpn) != leaf)) {
			spin_unlock(&leaf->lock);
			rcu_read_unlock();
			continue;
		}
		slot = leaf->slot[leaf_index(vpn)];
		if (slot_is_backing(slot))
			backing_get_n(slot_backing(slot), 1);
		else if (slot)
			locked = vpage_trylock(slot);
		spin_unlock(&leaf->lock);
		rcu_read_unlock();
		if (likely(locked))
			return slot;
		wait_var_event(&((struct vpage *)slot)->flags, slot_changed(space, vpn, slot));
	}
}

bool space_set_slot(struct space *space, u64 vpn, void *old, void *new)
{
	struct leaf *leaf;
	bool done = false;

	rcu_read_lock();
	leaf = space_leaf(space, vpn);
	if (leaf) {
		spin_lock(&leaf->lock);
		if (space_leaf(space, vpn) == leaf && atomic_read(&leaf->refs) == 1 &&
		    leaf->slot[leaf_index(vpn)] == old) {
			WRITE_ONCE(leaf->slot[leaf_index(vpn)], new);
			leaf->pages += slot_is_page(new) - slot_is_page(old);
			done = true;
		}
		spin_unlock(&leaf->lock);
	}
	rcu_read_unlock();
	return done;
}

/* ---- whole ranges ---- */

static void slot_put(struct space *space, void *slot)
{
	if (slot_is_backing(slot)) {
		backing_put_n(slot_backing(slot), 1);
	} else if (slot) {
		atomic_long_dec(&space->pages);
		vpage_put_slot(space->pool, slot);
	}
}

/* Take the whole leaf away. */
static void drop_leaf(struct space *space, u64 vpn)
{
	void **place = leaf_place(space, vpn);
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
	leaf_put(space->pool, leaf);
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
	if ((why == DROP_DISCARD || why == DROP_FREE) && slot_is_backing(leaf_entry(space, vpn)))
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
	       (why == DROP_REPLACED && slot_is_backing(leaf_entry(space, vpn)));
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

u64 space_next_leaf(struct space *space, u64 vpn, u64 end)
{
	while (vpn < end) {
		struct node *node = space->root;
		int level;

		for (level = NODE_LEVELS - 1; ; level--) {
			unsigned int shift = LEAF_BITS + level * NODE_BITS;
			unsigned int index = node_index(vpn, level);
			unsigned int next = next_child(node, index);

			/*
			 * Nothing from here on: go on behind this node,
			 * or behind the child that is missing.
			 */
			if (next != index)
				vpn = ((vpn >> shift) - index + next) << shift;
			if (next == NODE_SLOTS)
				break;
			node = READ_ONCE(node->child[next]);
			if (!node) {
				vpn = ((vpn >> shift) + 1) << shift;
				break;
			}
			if (!level)
				return vpn;
		}
	}
	return end;
}

/* Put @new into a slot, whatever is there; 0, -ENOMEM. */
static int replace_slot(struct space *space, u64 vpn, void *new, void **old)
{
	struct leaf *leaf;

	do {
		leaf = space_own_leaf(space, vpn);
		if (!leaf)
			return -ENOMEM;
		*old = READ_ONCE(leaf->slot[leaf_index(vpn)]);
	} while (!space_set_slot(space, vpn, *old, new));
	return 0;
}

/* What a slot holds, with a reference to it for another one. */
static void *slot_get(struct space *space, u64 vpn)
{
	struct leaf *leaf;
	void *slot;

	rcu_read_lock();
	for (;;) {
		slot = leaf_entry(space, vpn);
		if (!slot_is_page(slot))
			break;
		leaf = slot;
		spin_lock(&leaf->lock);
		if (leaf_entry(space, vpn) == leaf) {
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
		if (replace_slot(child, vpn, slot, &old)) {
			slot_put(child, slot);
			return -ENOMEM;
		}
		slot_put(child, old);
	}
	return 0;
}

int space_fork(struct space *parent, struct space *child, u64 vpn, u64 n,
	       void (*protect)(void *arg, u64 vpn, u64 n), void *arg)
{
	u64 end = vpn + n, next;

	for (vpn = space_next_leaf(parent, vpn, end); vpn < end;
	     vpn = space_next_leaf(parent, next, end)) {
		void **place = leaf_place(child, vpn);
		struct leaf *leaf, *have;
		bool was_shared;

		next = (vpn | (LEAF_SLOTS - 1)) + 1;
		if (!place)
			return -ENOMEM;
		have = *place;
		rcu_read_lock();
		leaf = leaf_entry(parent, vpn);
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

static int move_slot(struct space *space, u64 from, u64 to)
{
	void *slot, *old;

	/* Once both leaves are there, only a fork beside us could make this fail. */
	if (!space_own_leaf(space, to) || replace_slot(space, from, NULL, &slot))
		return -ENOMEM;
	if (!slot)
		return 0;
	if (slot_is_backing(slot)) {
		struct backing *moved = backing_moved(slot_backing(slot), (s64)(to - from));

		backing_put_n(slot_backing(slot), 1);
		if (!moved)
			return -ENOMEM;
		slot = backing_slot(moved);
	}
	if (replace_slot(space, to, slot, &old)) {
		slot_put(space, slot);
		return -ENOMEM;
	}
	slot_put(space, old);
	return 0;
}

int space_move(struct space *space, u64 from, u64 to, u64 n)
{
	u64 i, next;

	for (i = 0; i < n; i++) {
		next = space_next_leaf(space, from + i, from + n) - from;
		if (next >= n)
			break;
		i = next;
		if (move_slot(space, from + i, to + i))
			return -ENOMEM;
		if ((i & (LEAF_SLOTS - 1)) == 0)
			cond_resched();
	}
	return 0;
}

/* Back a range within one leaf. */
static int back_slots(struct space *space, u64 vpn, u64 n, struct backing *backing)
{
	void **place = leaf_place(space, vpn);
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

/* ---- life ---- */

int space_init(struct space *space, struct pool *pool, u32 id)
{
	unsigned int tries = INIT_TRIES;
	int err;

	space->id = id;
	space->pool = pool;
	atomic_long_set(&space->pages, 0);
	mutex_init(&space->unshare_lock);
	/* Nothing that anyone waits for is locked yet: better late than no new process. */
	do {
		err = pool_charge_metadata(pool, sizeof(struct node));
	} while (err == -EBUSY && --tries);
	if (err)
		return err == -EINTR ? err : -ENOMEM;
	space->root = charged_node(pool);
	return space->root ? 0 : -ENOMEM;
}

static void free_nodes(struct pool *pool, struct node *node, unsigned int level)
{
	unsigned int i;

	for (i = next_child(node, 0); i < NODE_SLOTS; i = next_child(node, i + 1)) {
		void *child = node->child[i];

		if (slot_is_backing(child))
			backing_put_n(slot_backing(child), 1);
		else if (child && level)
			free_nodes(pool, child, level - 1);
		else if (child)
			leaf_put(pool, child);
	}
	node_free(pool, node);
	cond_resched();
}

void space_exit(struct space *space)
{
	free_nodes(space->pool, space->root, NODE_LEVELS - 1);
	space->root = NULL;
	atomic_long_set(&space->pages, 0);
}
