/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A space: one address space as the guest's VM sees it.
 *
 * A four-level table leads from page numbers to slots.  A slot is empty, or points to
 * a vpage, or to the backing of a private file mapping whose page was not touched yet.
 * Leaves (512 slots, 2 MiB) are reference counted: fork shares them, and the first
 * change to a shared leaf copies it.  A page belongs to a space alone when its leaf does
 * and only one slot points to it.
 *
 * Locking: the table's upper nodes only grow while the space lives.  Leaves are replaced under
 * space->unshare_lock and freed by RCU; leaf->lock protects the slots.  The caller of every
 * function but space_fault() and space_mkwrite() makes sure that no mapping changes meanwhile
 * (it holds the mmap_lock for writing, or the range is not mapped any more), except where said
 * otherwise.
 */
#ifndef LODGE_SPACE_H
#define LODGE_SPACE_H

#include "guest-core/host.h"
#include "guest-mm/backend.h"
#include "guest-mm/pool.h"

#define LEAF_BITS	9
#define LEAF_SLOTS	(1 << LEAF_BITS)

struct node;
struct leaf;

/**
 * struct read_ahead - what the next read in the swap file is guessed from; without a lock
 * @pages: how many the last one had
 * @used: how many pages read ahead were used since
 * @next: the page number behind it
 */
struct read_ahead {
	unsigned int pages;
	atomic_t used;
	u64 next;
};

/**
 * struct space - one address space
 * @id: unique among the pool's spaces, never 0
 * @pages: slots in use; what an out-of-memory decision goes by
 * @unshare_lock: serialises the replacement of shared leaves
 * @ahead: for read-ahead.c
 */
struct space {
	u32 id;
	struct pool *pool;
	struct node *root;
	atomic_long_t pages;
	struct mutex unshare_lock;
	struct read_ahead ahead;
};

/** space_init() - make an empty space; 0, -ENOMEM */
int space_init(struct space *space, struct pool *pool, u32 id);

/** space_exit() - drop all pages and free the table; nobody uses the space any more */
void space_exit(struct space *space);

/**
 * space_fault() - the page at @vpn is needed
 * @write: it is going to be written
 * @out: the frame, locked and with a reference for the caller
 *
 * Brings the page in, copies it if it is shared and @write, records that @space maps it.
 * Bounded: when there is no frame to be had it gives up with -EAGAIN, to be called again.
 *
 * Return: 0; 1: it came from a tier; -EAGAIN: nothing was done, fault again; -EBUSY: the same, for
 * there is no frame now; -EINTR: the caller is dying; -EIO, -EFAULT: the page's content cannot be
 * had (swap or file error; past the end of a file); -ENOMEM: no memory for tables.
 */
int space_fault(struct space *space, u64 vpn, bool write, struct frame **out);

/**
 * space_mkwrite() - a page that is mapped read-only, or about to be mapped, is written
 * @frame: what is (about to be) mapped
 * Return: 0 with @frame locked: it may be made writable; -EAGAIN: fault again; -EINTR, -ENOMEM,
 * -EIO as above
 */
int space_mkwrite(struct space *space, u64 vpn, struct frame *frame);

/**
 * space_fork() - let @child share the pages of a range of @parent
 * @protect is called with the ranges of pages whose page-table entries must become read-only
 * (and clean: the host lets mprotect make a dirty entry writable again without asking).
 * Return: 0, -ENOMEM (the child lacks pages and must not run)
 */
int space_fork(struct space *parent, struct space *child, u64 vpn, u64 n,
	       void (*protect)(void *arg, u64 vpn, u64 n), void *arg);

/**
 * space_copy_now() - give @child a copy of its own of a page that it shares (one that
 * is pinned for I/O); 0, -ENOMEM
 */
int space_copy_now(struct space *child, u64 vpn);

/** space_drop() - forget the pages of a range that is not mapped any more; 0, -ENOMEM */
int space_drop(struct space *space, u64 vpn, u64 n);

/**
 * space_replace() - forget what was in a range before the mapping that is there now; 0, -ENOMEM
 * May run beside faults.
 */
int space_replace(struct space *space, u64 vpn, u64 n);

/**
 * space_discard() - forget the pages of a mapped range (MADV_DONTNEED)
 * May run beside faults.
 * Pages of private file mappings have the file's content again.  Return: 0, -ENOMEM
 */
int space_discard(struct space *space, u64 vpn, u64 n);

/** space_free() - the same for anonymous memory only (MADV_FREE): pages of files stay */
int space_free(struct space *space, u64 vpn, u64 n);

/**
 * space_move() - move the pages of a range to another place of the space (mremap)
 * The caller took both ranges out of the page tables and keeps fork away.
 * What is at the destination goes.
 * @stays: the old place stays mapped: where pages of a file were, the file's content is again
 * Return: 0, -ENOMEM (some pages are moved, some are not, one may be lost: the process must be
 * killed)
 */
int space_move(struct space *space, u64 from, u64 to, u64 n, bool stays);

/**
 * space_back() - the untouched pages of a range come from @backing; takes a reference per page; 0,
 * -ENOMEM
 */
int space_back(struct space *space, u64 vpn, u64 n, struct backing *backing);

/**
 * space_backing() - where the content of a private file mapping's page comes from, touched or not
 * Return: a backing that knows the page by @vpn, with a reference; NULL: none, the page is
 * anonymous memory; ERR_PTR(-ENOMEM).  May sleep.
 */
struct backing *space_backing(struct space *space, u64 vpn);

/**
 * space_fill() - put a page with content into an empty or backed slot (adoption at exec)
 * Nothing else changes the slot.
 * @data: PAGE_SIZE bytes in kernel memory
 * Return: 0, -ENOMEM, -EBUSY, -EINTR; -EEXIST: there is a page already
 */
int space_fill(struct space *space, u64 vpn, const void *data);

/** space_module_init() - once, before any space; 0, -ENOMEM */
int space_module_init(void);
void space_module_exit(void);

#endif /* LODGE_SPACE_H */
