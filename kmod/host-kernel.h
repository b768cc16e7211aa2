/* SPDX-License-Identifier: GPL-2.0 */
/* guest-core/host.h in the kernel: mostly the kernel's own names, and a few of ours. */
#ifndef LODGE_HOST_KERNEL_H
#define LODGE_HOST_KERNEL_H

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/cpumask.h>
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/wait_bit.h>

/* ---- memory ---- */

/* Fails rather than calling the host's OOM killer. */
#define GFP_POOL	(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN | __GFP_NOMEMALLOC)

#define host_cache_create(name, type) \
	kmem_cache_create(name, sizeof(type), __alignof__(type), 0, NULL)

/* ---- CPUs and time ---- */

static inline unsigned int host_cpus(void)
{
	return nr_cpu_ids;
}

static inline unsigned int host_cpu(void)
{
	return raw_smp_processor_id();
}

static inline u64 host_time_us(void)
{
	return ktime_to_us(ktime_get());
}

/* Pages that the host could give without going short. */
static inline unsigned long host_pages_available(void)
{
	return max(si_mem_available(), 0L);
}

static inline void host_sleep_ms(unsigned int ms)
{
	schedule_timeout_killable(msecs_to_jiffies(ms));
}

/* Has the running thread been killed, so that it should give up what it does? */
static inline bool fatal_signal(void)
{
	return fatal_signal_pending(current);
}

/* Does it have a signal to look after, so that it should give up what may take long? */
static inline bool interrupted(void)
{
	return signal_pending(current);
}

/**
 * host_no_io() - may the running thread not write files?  It is in the host's own reclaim, or holds
 * what a file system may want (memalloc_noio_save()).
 */
static inline bool host_no_io(void)
{
	return current->flags & (PF_MEMALLOC | PF_MEMALLOC_NOIO);
}

/*
 * Is it on its way out?  No signal is pending any more then, but memory of its own is still
 * touched (robust futexes, clear_child_tid) before it is freed: a wait for memory would be for
 * ever.
 */
static inline bool host_dying(void)
{
	return fatal_signal() || current->flags & PF_EXITING ||
	       current->signal->flags & SIGNAL_GROUP_EXIT;
}

#include "guest-core/host-calls.h"

/* ---- frames: struct frame is the kernel's struct page ---- */

struct frame;

static inline struct page *frame_page(struct frame *frame)
{
	return (struct page *)frame;
}

/* A frame of undefined content and one reference; NULL rather than the host's OOM killer. */
static inline struct frame *frame_alloc(void)
{
	return (struct frame *)alloc_page(GFP_POOL);
}

#define FRAME_ZEROED	1UL

/* Up to @n frames at once; Return: how many there are. */
static inline unsigned int frame_alloc_bulk(struct frame **frames, unsigned int n)
{
	unsigned int i;

	/* The array must be NULL where it is to be filled. */
	memset(frames, 0, n * sizeof(*frames));
	n = alloc_pages_bulk_array(GFP_POOL, n, (struct page **)frames);
	/* A host that clears all memory it hands out need not be outdone. */
	if (want_init_on_alloc(0))
		for (i = 0; i < n; i++)
			set_page_private(frame_page(frames[i]), FRAME_ZEROED);
	return n;
}

/* Is a frame that holds no page known to be zero? */
static inline bool frame_zeroed(struct frame *frame)
{
	return page_private(frame_page(frame)) == FRAME_ZEROED;
}

/* Give a frame back to the host; nobody else may hold it. */
static inline void frame_free(struct frame *frame)
{
	set_page_private(frame_page(frame), 0);
	__free_page(frame_page(frame));
}

static inline void *frame_data(struct frame *frame)
{
	return page_address(frame_page(frame));
}

static inline void frame_clear(struct frame *frame)
{
	clear_page(frame_data(frame));
}

static inline void frame_copy(struct frame *to, struct frame *from)
{
	copy_page(frame_data(to), frame_data(from));
}

/* For the pool's own lists of free frames. */
static inline struct list_head *frame_lru(struct frame *frame)
{
	return &frame_page(frame)->lru;
}

static inline struct frame *frame_of_lru(struct list_head *lru)
{
	return (struct frame *)container_of(lru, struct page, lru);
}

#endif /* LODGE_HOST_KERNEL_H */
