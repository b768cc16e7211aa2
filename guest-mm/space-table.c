// SPDX-License-Identifier: GPL-2.0
/*
 * Spaces: the table from page numbers to virtual pages, its leaves and slots, its life.
 */
#include "guest-mm/space-table.h"

/* A page is not waited for longer by who may hold what its reader or writer waits for. */
#define NO_IO_SECONDS	60

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

void *space_leaf_entry(struct space *space, u64 vpn)
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
	void *entry = space_leaf_entry(space, vpn);

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

void **space_leaf_place(struct space *space, u64 vpn)
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

void space_leaf_put(struct pool *pool, struct leaf *leaf)
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
		space_leaf_put(space->pool, copy);
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
	space_leaf_put(space->pool, leaf);
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
		space_leaf_put(space->pool, leaf);
	else if (entry)
		backing_put_n(slot_backing(entry), 1);
	return 0;
}

struct leaf *space_own_leaf(struct space *space, u64 vpn)
{
	void **place = space_leaf_place(space, vpn);

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

/* Wait until it is worth looking again; 0, -EINTR, -EFAULT. */
static int wait_for_slot(struct space *space, u64 vpn, struct vpage *vp)
{
	unsigned int seconds = NO_IO_SECONDS;

	if (!host_no_io()) {
		wait_var_event(&vp->flags, slot_changed(space, vpn, vp));
		return 0;
	}
	while (!wait_var_event_timeout(&vp->flags, slot_changed(space, vpn, vp), HZ)) {
		if (fatal_signal())
			return -EINTR;
		if (!--seconds)
			return -EFAULT;
	}
	return 0;
}

void *space_lock_slot(struct space *space, u64 vpn)
{
	struct leaf *leaf;
	void *slot;
	int err;

	for (;;) {
		bool locked = true;

		rcu_read_lock();
		slot = space_leaf_entry(space, vpn);
		leaf = slot;
		if (!slot || slot_is_backing(slot)) {
			if (slot)
				backing_get_n(slot_backing(slot), 1);
			rcu_read_unlock();
			return slot;
		}
		spin_lock(&leaf->lock);
		if (unlikely(space_leaf_entry(space, vpn) != leaf)) {
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
		err = wait_for_slot(space, vpn, slot);
		if (err)
			return ERR_PTR(err);
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

int space_replace_slot(struct space *space, u64 vpn, void *new, void **old)
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

void space_put_slot(struct space *space, void *slot)
{
	if (slot_is_backing(slot)) {
		backing_put_n(slot_backing(slot), 1);
	} else if (slot) {
		atomic_long_dec(&space->pages);
		vpage_put_slot(space->pool, slot);
	}
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

/* ---- life ---- */

int space_init(struct space *space, struct pool *pool, u32 id)
{
	unsigned int tries = INIT_TRIES;
	int err;

	space->id = id;
	space->pool = pool;
	atomic_long_set(&space->pages, 0);
	mutex_init(&space->unshare_lock);
	memset(&space->ahead, 0, sizeof(space->ahead));
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
			space_leaf_put(pool, child);
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
