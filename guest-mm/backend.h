/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What guest-mm needs of the host's page tables.  Implemented by kmod/mapping.c, and by
 * a simulation in the unit tests.
 *
 * A frame is mapped by the host after space_fault() or space_mkwrite() handed it out
 * locked; holding the frame's lock keeps new mappings of it away.
 */
#ifndef LODGE_BACKEND_H
#define LODGE_BACKEND_H

#include "guest-core/host.h"
#include "guest-mm/vpage.h"

struct pool;
struct space;
struct backing;

/* A page number within a space, in one word: what vpage.mapper holds. */
#define MAPPER_VPN_BITS	36
static inline u64 mapper_pack(u32 space_id, u64 vpn)
{
	return ((u64)space_id << MAPPER_VPN_BITS) | vpn;
}

static inline u32 mapper_space(u64 mapper)
{
	return mapper >> MAPPER_VPN_BITS;
}

static inline u64 mapper_vpn(u64 mapper)
{
	return mapper & ((1ULL << MAPPER_VPN_BITS) - 1);
}

/* ---- frames ---- */

/** backend_frame_init() - a frame begins to hold page @vp */
void backend_frame_init(struct pool *pool, struct frame *frame, struct vpage *vp);

/** backend_frame_fini() - it holds none any more; true if the frame is free, false if someone
 * (direct I/O, ptrace) still holds a reference: then it must go to limbo until frame_busy() says no
 */
bool backend_frame_fini(struct pool *pool, struct frame *frame);

/** frame_set_key() - the identity that shared futexes see: called when a page becomes exclusive */
void frame_set_key(struct frame *frame, u64 mapper);

/**
 * frame_key() - what frame_set_key() said last,
 * or something that is no key since backend_frame_init()
 */
u64 frame_key(struct frame *frame);

/** frame_vpage() - the page that a frame holds, or NULL; frame locked, and held by the caller */
struct vpage *frame_vpage(struct frame *frame);

/** frame_detach() - from now on frame_vpage() is NULL; frame locked */
void frame_detach(struct frame *frame);

bool frame_trylock(struct frame *frame);
void frame_lock(struct frame *frame);
void frame_unlock(struct frame *frame);

/** frame_get() - take the reference that the host's fault path consumes */
void frame_get(struct frame *frame);
void frame_put(struct frame *frame);

/** frame_mapcount() - page tables that map the frame now */
int frame_mapcount(struct frame *frame);

/**
 * frame_busy() - does anyone but the pool and the page tables hold the frame?
 * Frame locked by the caller
 */
bool frame_busy(struct frame *frame);

/* ---- page tables ---- */

/**
 * backend_unmap() - take pages out of the page tables of their spaces
 * @mappers: mapper_pack()ed places; places of spaces that are gone are passed over.  Gets sorted.
 */
void backend_unmap(struct pool *pool, u64 *mappers, unsigned int n);

/**
 * backend_test_young() - test and clear the accessed bits of places; sets young[i];
 * unknown counts as not young
 */
void backend_test_young(struct pool *pool, const u64 *mappers, unsigned int n, bool *young);

/** backend_unmap_range() - take a whole range of one space out of its page tables */
void backend_unmap_range(struct pool *pool, u32 space_id, u64 vpn, u64 n);

/* ---- file backing of writable private mappings ---- */

/**
 * backing_read() - fill a page of a private file mapping; -EFAULT past the end of the file, -EIO
 */
int backing_read(struct backing *backing, u64 vpn, void *data);
/** backing_get_n(), backing_put_n() - references, one per slot; put may not sleep */
void backing_get_n(struct backing *backing, unsigned int n);
void backing_put_n(struct backing *backing, unsigned int n);
/**
 * backing_moved() - the backing for pages that move by @delta pages; holds one reference; NULL:
 * no memory
 */
struct backing *backing_moved(struct backing *backing, s64 delta);

/**
 * backend_space_next() - the pool's space with the least id from *@id on, which *@id then is
 * Held until backend_space_put(), which may sleep, even if its process exits.  NULL: there is none.
 */
struct space *backend_space_next(struct pool *pool, u32 *id);
void backend_space_put(struct pool *pool, struct space *space);

/** backend_oom() - kill the largest process of the pool; false if there is none left to kill */
bool backend_oom(struct pool *pool);

/** backend_event() - pollers of memory.events have news */
void backend_event(struct pool *pool);

#endif /* LODGE_BACKEND_H */
