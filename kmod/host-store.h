/* SPDX-License-Identifier: GPL-2.0 */
/* What the compressed store is made of, in the kernel: LZ4 and zsmalloc. */
#ifndef LODGE_HOST_STORE_H
#define LODGE_HOST_STORE_H

#include <linux/lz4.h>
#include <linux/zsmalloc.h>
#include "kmod/host-kernel.h"

/* ---- compression ---- */

#define HOST_COMPRESS_WORK	LZ4_MEM_COMPRESS

/* Compress a page; Return: bytes written to @out, 0 if they would be more than @max. */
static inline int host_compress(const void *page, void *out, int max, void *work)
{
	return LZ4_compress_fast(page, out, PAGE_SIZE, max, 1, work);
}

/* Return: 0, or -EIO if @in is not a whole compressed page. */
static inline int host_decompress(const void *in, int len, void *page)
{
	return LZ4_decompress_safe(in, page, len, PAGE_SIZE) == PAGE_SIZE ? 0 : -EIO;
}

/* ---- room for objects smaller than a page ---- */

/* Bytes that an object takes beyond its size. */
#define STORE_ALLOC_OVERHEAD	sizeof(unsigned long)

struct store_alloc;

static inline struct zs_pool *store_zs_pool(struct store_alloc *alloc)
{
	return (struct zs_pool *)alloc;
}

static inline struct store_alloc *store_alloc_create(const char *name)
{
	return (struct store_alloc *)zs_create_pool(name);
}

/* No object may be left. */
static inline void store_alloc_destroy(struct store_alloc *alloc)
{
	zs_destroy_pool(store_zs_pool(alloc));
}

/* Return: a handle, never 0; 0 if there is no memory.  Without @wait it never sleeps. */
static inline unsigned long store_alloc_get(struct store_alloc *alloc, size_t size, bool wait)
{
	gfp_t gfp = __GFP_NOWARN | __GFP_NOMEMALLOC | __GFP_HIGHMEM | __GFP_MOVABLE;
	unsigned long handle;

	gfp |= wait ? GFP_POOL : __GFP_KSWAPD_RECLAIM;
	handle = zs_malloc(store_zs_pool(alloc), size, gfp);
	return IS_ERR_VALUE(handle) ? 0 : handle;
}

/* Does not sleep. */
static inline void store_alloc_put(struct store_alloc *alloc, unsigned long handle)
{
	zs_free(store_zs_pool(alloc), handle);
}

/* Between map and unmap the caller may not sleep, and may map nothing else. */
static inline void *store_alloc_map_new(struct store_alloc *alloc, unsigned long handle)
{
	return zs_map_object(store_zs_pool(alloc), handle, ZS_MM_WO);
}

static inline const void *store_alloc_map(struct store_alloc *alloc, unsigned long handle)
{
	return zs_map_object(store_zs_pool(alloc), handle, ZS_MM_RO);
}

static inline void store_alloc_unmap(struct store_alloc *alloc, unsigned long handle)
{
	zs_unmap_object(store_zs_pool(alloc), handle);
}

/* Pages of memory held; can shrink at any time, grows only in store_alloc_get(). */
static inline unsigned long store_alloc_pages(struct store_alloc *alloc)
{
	return zs_get_total_pages(store_zs_pool(alloc));
}

#endif /* LODGE_HOST_STORE_H */
