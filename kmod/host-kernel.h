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

#define host_cache_create(name, type) kmem_cache_create(name, sizeof(type), __alignof__(type), 0, NULL)

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

/*
 * Is it on its way out?  No signal is pending any more then, but memory of its own is still
 * touched (robust futexes, clear_child_tid) before it is freed: a wait for memory would be for ever.
 */
static inline bool host_dying(void)
{
	return fatal_signal() || current->flags & PF_EXITING || current->signal->flags & SIGNAL_GROUP_EXIT;
}

/* ---- threads (host-thread.c) ---- */

struct host_thread;

/**
 * host_thread_start() - start a worker thread
 * @step: called whenever host_thread_wake() was called; may sleep
 * @arg: for @step
 * @name: shown in ps
 * Return: the thread or an ERR_PTR
 */
struct host_thread *host_thread_start(void (*step)(void *arg), void *arg, const char *name);

/** host_thread_wake() - have @step run once more; any context */
void host_thread_wake(struct host_thread *thread);

/** host_thread_stop() - wait for the running step, then end the thread and free it */
void host_thread_stop(struct host_thread *thread);

/* ---- files (host-file.c) ---- */

struct host_file;

/**
 * host_file_open() - open a regular file or block device for a guest's own use
 * @path: in the running thread's name space, opened with its credentials
 * Direct I/O is used where the file system has it.
 * Nobody else can open it for writing until it is closed.
 * Return: the file or an ERR_PTR: -EINVAL for anything but a regular file or block device, -EBUSY if it is in
 * use (open for writing, mounted, swap, another guest's), open(2)'s errors
 */
struct host_file *host_file_open(const char *path);

/** host_file_size() - in bytes */
u64 host_file_size(struct host_file *file);

/** host_file_reserve() - make sure that the first @size bytes have space; 0, -ENOSPC, -EOPNOTSUPP, -EIO, -EINTR */
int host_file_reserve(struct host_file *file, u64 size);

/* The pages of both are in the kernel's direct mapping: of frame_data(), or kmalloc()ed. */
/** host_file_write() - write @n whole pages at byte @pos; 0, -EIO, -ENOSPC */
int host_file_write(struct host_file *file, const void *const *pages, unsigned int n, u64 pos);

/** host_file_read() - read @n whole pages at byte @pos; 0, -EIO */
int host_file_read(struct host_file *file, void *const *pages, unsigned int n, u64 pos);

/** host_file_same() - do two files share their inode? */
bool host_file_same(struct host_file *a, struct host_file *b);

void host_file_close(struct host_file *file);

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
