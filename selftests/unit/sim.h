/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A simulated machine for guest-mm: page tables, processes' accesses, fork, direct I/O,
 * all in user space.  It implements guest-mm/backend.h the way the kernel's fault path
 * behaves, with its races.
 */
#ifndef LODGE_UNIT_SIM_H
#define LODGE_UNIT_SIM_H

#include "guest-core/host.h"
#include "guest-mm/space.h"

#define SIM_SPACES	64

/**
 * struct pte - a page-table entry
 * @frame: NULL if nothing is mapped
 */
struct pte {
	struct frame *frame;
	bool writable, young;
};

/**
 * struct sim_space - an address space
 * @mmap_lock: as in the kernel: shared by accesses, exclusive for changes of mappings
 * @ptl: protects @pte
 * @dying: chosen by backend_oom()
 */
struct sim_space {
	struct space space;
	struct sim *sim;
	pthread_rwlock_t mmap_lock;
	spinlock_t ptl;		/* innermost */
	bool dying;
	u64 pages;
	struct pte pte[];
};

/**
 * struct sim - a machine with one guest
 * @lock: protects @spaces
 * @oom_kills: calls of backend_oom() that chose a space
 * @faults: calls of space_fault()
 */
struct sim {
	struct pool *pool;
	pthread_rwlock_t lock;
	struct sim_space *spaces[SIM_SPACES];
	atomic_t last_id;
	atomic_long_t oom_kills, faults;
};

/** sim_create() - a machine whose guest's pool has a limit of @pages; NULL: no memory */
struct sim *sim_create(unsigned long pages);

/**
 * sim_empties() - is nothing charged but what is set aside?
 * The worker is given five seconds to give back what it has in its hands.
 */
bool sim_empties(struct sim *sim);

/** sim_destroy() - all spaces are gone; fails the test unless every figure of the pool is zero */
void sim_destroy(struct sim *sim);

/** sim_swap() - give the guest a new swap file of @pages; the file, for sim_file faults */
struct host_file *sim_swap(struct sim *sim, unsigned long pages);

/** sim_space_create() - an address space of @pages; NULL: no memory */
struct sim_space *sim_space_create(struct sim *sim, u64 pages);

/** sim_space_exit() - the process exits */
void sim_space_exit(struct sim_space *ss);

/** sim_read(), sim_write() - access within one page; 0, or what the process would be killed by */
int sim_read(struct sim_space *ss, u64 vpn, unsigned int offset, void *to, unsigned int len);
int sim_write(struct sim_space *ss, u64 vpn, unsigned int offset, const void *from,
	      unsigned int len);

/** sim_pin() - begin direct I/O into a page; its frame, or an ERR_PTR */
struct frame *sim_pin(struct sim_space *ss, u64 vpn);
void sim_unpin(struct frame *frame);

/** sim_fork() - a child that shares everything; NULL: no memory */
struct sim_space *sim_fork(struct sim_space *parent);

/** sim_unmap() - munmap(); sim_discard() - MADV_DONTNEED; sim_move() - mremap() elsewhere */
int sim_unmap(struct sim_space *ss, u64 vpn, u64 n);
int sim_discard(struct sim_space *ss, u64 vpn, u64 n);
int sim_move(struct sim_space *ss, u64 from, u64 to, u64 n);

/** sim_map_file() - map @n pages of a file whose page i is sim_pattern(@seed + i) privately */
int sim_map_file(struct sim_space *ss, u64 vpn, u64 n, u64 seed);

/** sim_pattern() - fill a page with what @seed stands for: random, text, a word, zeroes */
void sim_pattern(void *page, u64 seed);

/** sim_write_pages() - write a range; each page has content of its own that does not compress */
void sim_write_pages(struct sim_space *ss, u64 from, u64 to, u64 seed);

/** sim_check_pages() - is that still there? */
void sim_check_pages(struct sim_space *ss, u64 from, u64 to, u64 seed);

/** sim_random() - a number below @below from a generator's state */
u64 sim_random(u64 *state, u64 below);

/** sim_check() - what must hold whenever nothing is going on; fails the test otherwise */
void sim_check(struct sim *sim);

#endif /* LODGE_UNIT_SIM_H */
