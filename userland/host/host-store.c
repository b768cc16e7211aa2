// SPDX-License-Identifier: GPL-2.0
/*
 * guest-core/host-store.h in user space: an allocator that grows and shrinks as zsmalloc
 * does.  Objects of a size class share blocks of as many pages as waste the least.
 */
#include "userland/host/host-store.h"

#define CLASS_STEP	16
#define CLASSES		((unsigned int)PAGE_SIZE / CLASS_STEP)
#define BLOCK_PAGES	8

/* A block of pages; where in it an object lies does not matter. */
struct block {
	struct list_head node;
	unsigned int used;
};

struct size_class {
	unsigned int pages, objects;	/* of a block */
	struct list_head open, full;
};

struct object {
	struct block *block;
	unsigned int class;
	u8 data[];
};

struct store_alloc {
	pthread_mutex_t lock;
	unsigned long pages;
	struct size_class class[CLASSES];
};

static void class_init(struct size_class *class, unsigned int size)
{
	unsigned int pages, best = ~0u;

	for (pages = 1; pages <= BLOCK_PAGES; pages++) {
		unsigned int bytes = pages * PAGE_SIZE;
		unsigned int waste = bytes % size;

		if (waste >= best)
			continue;
		best = waste;
		class->pages = pages;
		class->objects = bytes / size;
	}
	INIT_LIST_HEAD(&class->open);
	INIT_LIST_HEAD(&class->full);
}

struct store_alloc *store_alloc_create(const char *name)
{
	struct store_alloc *alloc = kzalloc(sizeof(*alloc), GFP_KERNEL);
	unsigned int i;

	if (!alloc)
		return NULL;
	pthread_mutex_init(&alloc->lock, NULL);
	for (i = 0; i < CLASSES; i++)
		class_init(&alloc->class[i], (i + 1) * CLASS_STEP);
	return alloc;
}

void store_alloc_destroy(struct store_alloc *alloc)
{
	WARN_ON(alloc->pages);
	kfree(alloc);
}

static struct block *block_get(struct store_alloc *alloc, struct size_class *class, gfp_t gfp)
{
	struct block *block;

	if (!list_empty(&class->open))
		return list_first_entry(&class->open, struct block, node);
	block = host_alloc(sizeof(*block), gfp);
	if (!block)
		return NULL;
	block->used = 0;
	list_add(&block->node, &class->open);
	__atomic_fetch_add(&alloc->pages, class->pages, __ATOMIC_RELAXED);
	return block;
}

static void block_put(struct store_alloc *alloc, struct size_class *class, struct block *block)
{
	if (block->used)
		return;
	list_del(&block->node);
	__atomic_fetch_sub(&alloc->pages, class->pages, __ATOMIC_RELAXED);
	kfree(block);
}

unsigned long store_alloc_get(struct store_alloc *alloc, size_t size, bool wait)
{
	unsigned int nr = (size + STORE_ALLOC_OVERHEAD + CLASS_STEP - 1) / CLASS_STEP - 1;
	struct size_class *class = &alloc->class[nr];
	gfp_t gfp = wait ? GFP_POOL : GFP_NOWAIT;
	struct object *object;
	struct block *block;

	WARN_ON(!size || nr >= CLASSES);
	if (wait)
		host_may_sleep();
	object = host_alloc(sizeof(*object) + size, gfp);
	if (!object)
		return 0;
	pthread_mutex_lock(&alloc->lock);
	block = block_get(alloc, class, GFP_NOWAIT);
	if (block) {
		object->block = block;
		object->class = nr;
		if (++block->used == class->objects)
			list_move(&block->node, &class->full);
	}
	pthread_mutex_unlock(&alloc->lock);
	if (!block) {
		kfree(object);
		return 0;
	}
	return (unsigned long)object;
}

void store_alloc_put(struct store_alloc *alloc, unsigned long handle)
{
	struct object *object = (struct object *)handle;
	struct size_class *class = &alloc->class[object->class];
	struct block *block = object->block;

	pthread_mutex_lock(&alloc->lock);
	if (block->used-- == class->objects)
		list_move(&block->node, &class->open);
	block_put(alloc, class, block);
	pthread_mutex_unlock(&alloc->lock);
	kfree(object);
}

void *store_alloc_map_new(struct store_alloc *alloc, unsigned long handle)
{
	host_atomic_depth++;
	return ((struct object *)handle)->data;
}

const void *store_alloc_map(struct store_alloc *alloc, unsigned long handle)
{
	return store_alloc_map_new(alloc, handle);
}

void store_alloc_unmap(struct store_alloc *alloc, unsigned long handle)
{
	host_atomic_depth--;
}

unsigned long store_alloc_pages(struct store_alloc *alloc)
{
	return __atomic_load_n(&alloc->pages, __ATOMIC_RELAXED);
}
