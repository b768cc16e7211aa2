/* SPDX-License-Identifier: GPL-2.0 */
/* host.h in user space: memory and frames, with failures on demand. */
#ifndef LODGE_HOST_MEMORY_H
#define LODGE_HOST_MEMORY_H

#include "userland/host/host-list.h"
#include "userland/host/host-lock.h"

typedef unsigned int gfp_t;

#define __GFP_SLEEP	0x01u
#define __GFP_ZERO	0x02u
#define __GFP_NOWARN	0x04u
#define GFP_KERNEL	__GFP_SLEEP
#define GFP_POOL	(__GFP_SLEEP | __GFP_NOWARN)
#define GFP_ATOMIC	0u
#define GFP_NOWAIT	0u

/* ---- failures and counts, for tests ---- */

/** host_fail_nth() - let the @nth allocation from now on fail, counted from 1; 0: none */
void host_fail_nth(unsigned long nth);

/** host_fail_every() - let every @nth allocation fail; 0: none */
void host_fail_every(unsigned long nth);

/** host_fail_happened() - has one failed since the last host_fail_...()? */
bool host_fail_happened(void);

/** host_allocated() - objects and frames that are allocated now */
long host_allocated(void);

/** host_alloc_fails() - count an allocation; should it fail?  For those that are made elsewhere. */
bool host_alloc_fails(void);

/* ---- allocation (host-memory.c) ---- */

void *host_alloc(size_t size, gfp_t gfp);
void kfree(const void *mem);

static inline void *kmalloc(size_t size, gfp_t gfp)
{
	return host_alloc(size, gfp);
}

static inline void *kzalloc(size_t size, gfp_t gfp)
{
	return host_alloc(size, gfp | __GFP_ZERO);
}

static inline void *kcalloc(size_t n, size_t size, gfp_t gfp)
{
	return n && size > SIZE_MAX / n ? NULL : host_alloc(n * size, gfp | __GFP_ZERO);
}

static inline void *kmalloc_array(size_t n, size_t size, gfp_t gfp)
{
	return n && size > SIZE_MAX / n ? NULL : host_alloc(n * size, gfp);
}

#define kvmalloc	kmalloc
#define kvzalloc	kzalloc
#define kvcalloc	kcalloc
#define kvfree		kfree

struct kmem_cache;

struct kmem_cache *host_cache_create_size(const char *name, size_t size);
void kmem_cache_destroy(struct kmem_cache *cache);
void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp);
void kmem_cache_free(struct kmem_cache *cache, void *object);

static inline void *kmem_cache_zalloc(struct kmem_cache *cache, gfp_t gfp)
{
	return kmem_cache_alloc(cache, gfp | __GFP_ZERO);
}

#define host_cache_create(name, type) host_cache_create_size(name, sizeof(type))

/* ---- frames ---- */

/**
 * struct frame - what struct page is in the kernel
 * @data: PAGE_SIZE bytes
 * @lru: for lists of frames
 * @locked: bit 0 is the frame's lock
 * @refs: references
 * @maps: page tables that map it
 * @pins: users that do I/O on it; they are among @refs
 * @key: frame_set_key()
 * @page: backend_frame_init(), or FRAME_ZEROED
 */
struct frame {
	void *data;
	struct list_head lru;
	unsigned long locked;
	atomic_t refs;
	atomic_t maps;
	atomic_t pins;
	u64 key;
	void *page;
};

struct frame *frame_alloc(void);
/** frame_alloc_bulk() - up to @n frames; Return: how many there are */
unsigned int frame_alloc_bulk(struct frame **frames, unsigned int n);
void frame_free(struct frame *frame);

/* There is always enough, but for host_fail_nth(). */
static inline unsigned long host_pages_available(void)
{
	return LONG_MAX;
}

/* As on a host that clears memory: some frames are handed out zeroed. */
#define FRAME_ZEROED	((void *)1)

static inline bool frame_zeroed(struct frame *frame)
{
	return READ_ONCE(frame->page) == FRAME_ZEROED;
}

static inline void *frame_data(struct frame *frame)
{
	return frame->data;
}

static inline void frame_clear(struct frame *frame)
{
	memset(frame->data, 0, PAGE_SIZE);
}

static inline void frame_copy(struct frame *to, struct frame *from)
{
	memcpy(to->data, from->data, PAGE_SIZE);
}

static inline struct list_head *frame_lru(struct frame *frame)
{
	return &frame->lru;
}

static inline struct frame *frame_of_lru(struct list_head *lru)
{
	return container_of(lru, struct frame, lru);
}

#endif /* LODGE_HOST_MEMORY_H */
