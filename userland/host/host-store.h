/* SPDX-License-Identifier: GPL-2.0 */
/*
 * guest-core/host-store.h in user space: liblz4, and an allocator that groups objects
 * by size class in blocks of several pages as zsmalloc does, so that it grows and
 * shrinks as zsmalloc does.  The contracts are in kmod/host-store.h.
 */
#ifndef LODGE_HOST_STORE_H
#define LODGE_HOST_STORE_H

#include <lz4.h>

#include "userland/host/host-user.h"

#define HOST_COMPRESS_WORK	sizeof(LZ4_stream_t)

static inline int host_compress(const void *page, void *out, int max, void *work)
{
	return LZ4_compress_fast_extState(work, page, out, PAGE_SIZE, max, 1);
}

static inline int host_decompress(const void *in, int len, void *page)
{
	return LZ4_decompress_safe(in, page, len, PAGE_SIZE) == (int)PAGE_SIZE ? 0 : -EIO;
}

#define STORE_ALLOC_OVERHEAD	8

struct store_alloc;

struct store_alloc *store_alloc_create(const char *name);
void store_alloc_destroy(struct store_alloc *alloc);
unsigned long store_alloc_get(struct store_alloc *alloc, size_t size, bool wait);
void store_alloc_put(struct store_alloc *alloc, unsigned long handle);
void *store_alloc_map_new(struct store_alloc *alloc, unsigned long handle);
const void *store_alloc_map(struct store_alloc *alloc, unsigned long handle);
void store_alloc_unmap(struct store_alloc *alloc, unsigned long handle);
unsigned long store_alloc_pages(struct store_alloc *alloc);

#endif /* LODGE_HOST_STORE_H */
