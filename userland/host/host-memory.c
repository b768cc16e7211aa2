// SPDX-License-Identifier: GPL-2.0
/* host.h in user space: memory and frames, with failures on demand. */
#include "userland/host/host-user.h"

static atomic_long_t allocated;
static atomic_long_t until_fail;	/* 0: no failure is wanted */
static atomic_long_t fail_every;
static atomic_t failed;

void host_fail_nth(unsigned long nth)
{
	atomic_set(&failed, 0);
	atomic_long_set(&fail_every, 0);
	atomic_long_set(&until_fail, nth);
}

void host_fail_every(unsigned long nth)
{
	host_fail_nth(nth);
	atomic_long_set(&fail_every, nth);
}

bool host_fail_happened(void)
{
	return atomic_read(&failed);
}

long host_allocated(void)
{
	return atomic_long_read(&allocated);
}

bool host_alloc_fails(void)
{
	if (atomic_long_read(&until_fail) <= 0 || atomic_long_dec_return(&until_fail))
		return false;
	atomic_long_set(&until_fail, atomic_long_read(&fail_every));
	atomic_set(&failed, 1);
	return true;
}

void *host_alloc(size_t size, gfp_t gfp)
{
	void *mem;

	if (gfp & __GFP_SLEEP)
		host_may_sleep();
	if (host_alloc_fails())
		return NULL;
	/* A whole page is aligned to one, as kmalloc()'s is. */
	if (size >= PAGE_SIZE)
		mem = aligned_alloc(PAGE_SIZE, DIV_ROUND_UP(size, PAGE_SIZE) * PAGE_SIZE);
	else
		mem = malloc(size ? size : 1);
	if (!mem)
		return NULL;
	memset(mem, gfp & __GFP_ZERO ? 0 : 0xa5, size);
	atomic_long_inc(&allocated);
	return mem;
}

void kfree(const void *mem)
{
	if (!mem)
		return;
	atomic_long_dec(&allocated);
	free((void *)mem);
}

/* ---- caches ---- */

struct kmem_cache {
	size_t size;
	atomic_long_t objects;
};

struct kmem_cache *host_cache_create_size(const char *name, size_t size)
{
	struct kmem_cache *cache = kzalloc(sizeof(*cache), GFP_KERNEL);

	if (cache)
		cache->size = size;
	return cache;
}

void kmem_cache_destroy(struct kmem_cache *cache)
{
	if (!cache)
		return;
	WARN_ON(atomic_long_read(&cache->objects));
	kfree(cache);
}

void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	void *object = host_alloc(cache->size, gfp);

	if (object)
		atomic_long_inc(&cache->objects);
	return object;
}

void kmem_cache_free(struct kmem_cache *cache, void *object)
{
	if (!object)
		return;
	atomic_long_dec(&cache->objects);
	kfree(object);
}

/* ---- frames ---- */

struct frame *frame_alloc(void)
{
	static atomic_t count;
	struct frame *frame = kzalloc(sizeof(*frame), GFP_POOL);

	if (!frame)
		return NULL;
	frame->page = atomic_inc_return(&count) % 3 ? NULL : FRAME_ZEROED;
	frame->data = host_alloc(PAGE_SIZE, frame->page ? GFP_POOL | __GFP_ZERO : GFP_POOL);
	if (!frame->data) {
		kfree(frame);
		return NULL;
	}
	INIT_LIST_HEAD(&frame->lru);
	atomic_set(&frame->refs, 1);
	return frame;
}

unsigned int frame_alloc_bulk(struct frame **frames, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		frames[i] = frame_alloc();
		if (!frames[i])
			break;
	}
	return i;
}

void frame_free(struct frame *frame)
{
	WARN_ON(!list_empty(&frame->lru));
	WARN_ON(atomic_read(&frame->maps));
	WARN_ON(atomic_read(&frame->refs) != 1);
	kfree(frame->data);
	kfree(frame);
}
