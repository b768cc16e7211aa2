/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The pool: the memory that one guest holds, and the VM that manages it.
 *
 * Accounting is in pages and is kept ahead of use: what is charged may not be used
 * yet (per-CPU caches, a store about to grow), but nothing is used uncharged, so the
 * pool never holds more than its limit.  Frames, the store, and the metadata (tables
 * and vpages, which also pages without a frame have) are charged.
 *
 * Lock order: mmap_lock (host) > vpage lock > frame lock > i_mmap_rwsem (host) > page-table lock
 *	(host); space->leaf lock > policy lock; caches[].lock and tier locks are innermost.
 * Who holds a vpage's lock takes another's by vpage_trylock() only (eviction, reading ahead).
 */
#ifndef LODGE_POOL_H
#define LODGE_POOL_H

#include "guest-core/host.h"
#include "guest-mm/policy.h"
#include "guest-mm/tier.h"
#include "guest-mm/vpage.h"

#define POOL_CACHE	32	/* frames and list changes that one CPU may hold back */
#define RECLAIM_BATCH	32

enum pool_stat {
	PS_PGFAULT, PS_PGMAJFAULT, PS_REFAULT, PS_COW,
	PS_PGSCAN, PS_PGSTEAL_KSWAPD, PS_PGSTEAL_DIRECT,
	PS_ZSWPIN, PS_ZSWPOUT, PS_ZSWPWB, PS_PSWPIN, PS_PSWPOUT, PS_SWAP_RA, PS_SWAP_RA_HIT,
	PS_SAME_IN, PS_SAME_OUT, PS_CLEAN_DROP, PS_WAITS,
	PS_RESIDENT,	/* frames that hold pages; a level, not a count of events */
	PS_CACHED,	/* free frames that CPUs hold back; a level */
	PS_METADATA,	/* bytes of vpages and tables; a level */
	PS_COUNT
};

enum pool_event { PE_LOW, PE_HIGH, PE_MAX, PE_OOM, PE_OOM_KILL, PE_COUNT };

/**
 * struct pool_cpu - what one CPU holds back
 * @lock: innermost; taken by the CPU itself, and by others to drain
 * @frames: free, charged frames
 * @batch: vpages that the policy has yet to see
 * @spare: free vpages
 * @credit: bytes that are charged and may be used for metadata
 * @stat: this CPU's part of the figures
 */
struct pool_cpu {
	spinlock_t lock;
	unsigned int nr_frames;
	unsigned int nr_batch;
	unsigned int nr_spare;
	long credit;
	struct frame *frames[POOL_CACHE];
	struct vpage *batch[POOL_CACHE];
	struct vpage *spare[POOL_CACHE];
	atomic_long_t stat[PS_COUNT];
};

/**
 * struct pool - see the head of this file
 * @name: of the guest, for the log
 * @owner: the host side's object (the module's struct mm_guest)
 * @charged: pages charged: frames in use, cached or set aside, the store, metadata
 * @peak: the most that @charged was
 * @limit: memory.max in pages
 * @ceiling: the old limit while a lower one is being met: what eviction itself may charge up to
 * @max_pages: upper bound of @limit: the machine's memory
 * @min_pages: memory.min in pages
 * @limit_lock: serialises changes of @limit and @min_pages
 * @store_room: pages below the limit that only eviction may use
 * @store_max: memory.zswap.max in pages, ULONG_MAX: none
 * @refill: frames that a CPU takes at once
 * @reserve_lock: protects @reserve and @nr_reserve
 * @reserve: frames of memory.min that are not in use
 * @nr_reserve: how many they are
 * @policy_lock: held around the policy's operations
 * @policy_ops: the replacement policy
 * @policy: its data
 * @clock: faults so far, the policy's time
 * @tiers: by enum tier_id; NULL if not built in
 * @in_tier: pages that have a copy there
 * @stored_lock: protects @stored
 * @stored: vpages whose only copy is in the store, oldest first
 * @limbo_lock: protects @limbo
 * @limbo: frames without a page that someone else still holds
 * @nr_cpus: entries of @cpus
 * @cpus: what each CPU holds back
 * @worker: the thread that evicts in the background
 * @low: free pages below which it starts
 * @high: free pages at which it stops
 * @events: memory.events, by enum pool_event
 * @wait_max_us: the longest that a fault waited for a frame
 * @dry_batches: evictions in a row that freed nothing
 * @reclaimers: threads in the middle of an eviction
 * @ahead: pages that are being read ahead
 * @asked: pages that the host wants back and that only the worker may write to the swap file
 * @granted: times that a frame was had, but for those from a CPU's cache
 * @stuck_steals: pages evicted when a fault last got no frame
 * @stuck_since: the time since which that has not changed, in microseconds
 * @stuck_granted: @granted when a fault last got no frame
 * @starved_since: the time since which that has not changed
 * @stuck_last: the last time a fault got no frame
 * @bounce_lock: protects @bounce
 * @bounce: pages on their way from the store to the swap file
 */
struct pool {
	char name[64];
	void *owner;

	atomic_long_t charged;
	atomic_long_t peak;
	unsigned long limit;
	unsigned long ceiling;
	unsigned long max_pages;
	unsigned long min_pages;
	struct mutex limit_lock;
	unsigned long store_room;
	unsigned long store_max;
	unsigned int refill;

	spinlock_t reserve_lock;
	struct list_head reserve;
	unsigned long nr_reserve;

	spinlock_t policy_lock;
	const struct policy_ops *policy_ops;
	struct policy *policy;
	atomic_t clock;
	unsigned int dry_batches;

	struct tier *tiers[TIER_COUNT];
	atomic_long_t in_tier[TIER_COUNT];

	spinlock_t stored_lock;
	struct list_head stored;

	spinlock_t limbo_lock;
	struct list_head limbo;

	unsigned int nr_cpus;
	struct pool_cpu *cpus;

	struct host_thread *worker;
	unsigned long low, high;
	atomic_long_t events[PE_COUNT];
	atomic_long_t wait_max_us;
	atomic_t reclaimers, ahead;
	atomic_long_t asked;
	atomic_long_t granted;
	unsigned long stuck_steals;
	long stuck_granted;
	s64 stuck_since, starved_since, stuck_last;
	struct mutex bounce_lock;
	void *bounce[RECLAIM_BATCH];
};

/* ---- life (pool.c) and limits (limits.c) ---- */

/**
 * pool_create() - make an empty pool with no limit
 * @name: the guest's, for the log and the worker's name
 * @owner: the host side's object, kept in pool->owner
 * @max_pages: upper bound of any limit: the machine's memory
 * Return: 0, -ENOMEM
 */
int pool_create(struct pool **pool, const char *name, void *owner, unsigned long max_pages);

/** pool_destroy() - free a pool whose spaces are all gone; gives every page back */
void pool_destroy(struct pool *pool);

/**
 * pool_set_limit() - change memory.max
 * Reclaims first when more is in use.  Return: 0; -EBUSY if that much could not be reclaimed (the
 * old limit holds again); -EINVAL if below memory.min; -EINTR on a fatal signal (rolled back).
 */
int pool_set_limit(struct pool *pool, unsigned long pages);

/**
 * pool_set_min() - change memory.min: take the frames from the host now; -ENOMEM,
 * -EINVAL (above memory.max)
 */
int pool_set_min(struct pool *pool, unsigned long pages);

/** pool_restore_min() - frames of memory.min that eviction used meanwhile are set aside again */
void pool_restore_min(struct pool *pool);

/**
 * pool_set_marks() - the limit, and the watermarks that follow from it; caller: pool_set_limit()
 */
void pool_set_marks(struct pool *pool, unsigned long limit);

/** pool_reclaim() - evict pages; Return: how many pages of memory were given back */
unsigned long pool_reclaim(struct pool *pool, unsigned long pages);

/**
 * pool_swapoff() - bring back all that is in the swap file, which takes no page any more
 * Gives up rather than have a process killed.  The caller keeps the pool's life going, and holds
 * no lock that a fault could want.
 * Return: 0: the file is empty, and stays so until it is detached; else all is as before: -EBUSY:
 * no room; -EALREADY: somebody else is at it; -EIO: a page cannot be read; -EINTR
 */
int pool_swapoff(struct pool *pool);

/** pool_current() - pages held now: resident, cached, reserved and store */
unsigned long pool_current(struct pool *pool);

/** pool_free() - pages that can be used without evicting: below the limit, or set aside */
unsigned long pool_free(struct pool *pool);

/** pool_stat() - a figure summed over the CPUs */
unsigned long pool_stat(struct pool *pool, enum pool_stat stat);

/**
 * pool_drain() - give back what CPUs hold, let the policy see all queued pages,
 * look after parked frames
 */
void pool_drain(struct pool *pool);

/* ---- charging (pool.c); for guest-mm's own files ---- */

/*
 * Who charges: users stop short of the limit, so that eviction has room for the store; the reserve
 * stops at it; eviction may take what is set aside or held back, too.
 */
enum charge_for { CHARGE_USER, CHARGE_RESERVE, CHARGE_EVICTION };

/** pool_try_charge() - charge @pages; false if the limit forbids.  Never sleeps. */
bool pool_try_charge(struct pool *pool, unsigned long pages, enum charge_for who);
void pool_uncharge(struct pool *pool, unsigned long pages);

static inline void pool_count(struct pool *pool, enum pool_stat stat, long n)
{
	atomic_long_add(n, &pool->cpus[host_cpu() % pool->nr_cpus].stat[stat]);
}

/* ---- frames (frames.c) ---- */

/**
 * pool_frame_get() - a charged frame of undefined content
 * Reclaims, waits and, as the last resort, has a process killed; all bounded.
 * Return: the frame; ERR_PTR(-EBUSY): none now, let go of all locks and come back;
 * ERR_PTR(-EINTR): the caller is dying
 */
struct frame *pool_frame_get(struct pool *pool);

/**
 * pool_frame_try() - the same for one who can do without: nobody is killed for it
 * Return: the frame; ERR_PTR(-EBUSY): nothing more could be evicted
 */
struct frame *pool_frame_try(struct pool *pool);

/** pool_frame_spare() - a frame that costs no eviction, or NULL */
struct frame *pool_frame_spare(struct pool *pool);

/** pool_frame_put() - give back a frame that nobody else holds */
void pool_frame_put(struct pool *pool, struct frame *frame);

/**
 * pool_frame_retire() - the frame holds no page any more; frees it,
 * or parks it until the last other holder lets go
 */
void pool_frame_retire(struct pool *pool, struct frame *frame);

/** pool_drain_frames() - what CPUs hold back goes to the reserve or the host */
void pool_drain_frames(struct pool *pool);

/** pool_drain_limbo() - free the parked frames whose last other holder let go */
void pool_drain_limbo(struct pool *pool);

/** pool_abandon_limbo() - the pool goes: parked frames become those of whoever holds them */
void pool_abandon_limbo(struct pool *pool);

/**
 * pool_reserve_fill() - take frames from the host until the pool holds memory.min; 0, -ENOMEM,
 * -EINTR
 */
int pool_reserve_fill(struct pool *pool);

/**
 * pool_reserve_shrink() - free frames of the reserve until the pool holds @target pages or none
 * is left
 */
void pool_reserve_shrink(struct pool *pool, unsigned long target);

/**
 * pool_reserve_release() - free up to @pages frames of the reserve, so that something else has
 * room
 */
void pool_reserve_release(struct pool *pool, unsigned long pages);

/**
 * pool_charge_metadata() - charge @size bytes of tables or vpages, at most a page and a bit
 * Return: 0, or what pool_frame_get() answers
 */
int pool_charge_metadata(struct pool *pool, size_t size);
void pool_uncharge_metadata(struct pool *pool, size_t size);

/* ---- vpages (vpage.c) ---- */

/**
 * vpage_alloc() - a new vpage, locked, in one slot, dirty, holding @frame
 * @origin: where its content comes from, NULL for anonymous memory; its backing is held
 * Return: the vpage; ERR_PTR of -ENOMEM or of what pool_frame_get() answers
 */
struct vpage *vpage_alloc(struct pool *pool, struct frame *frame, const struct origin *origin);

/** vpage_attach() - give a page that is in a tier only a frame with its content; vpage locked */
void vpage_attach(struct pool *pool, struct vpage *vp, struct frame *frame);

/** vpage_queue() - a resident page on its way to the policy */
void vpage_queue(struct pool *pool, struct vpage *vp);

/**
 * vpage_put_slots() - of each of up to POOL_CACHE pages, one slot less points to it;
 * frees it with the last one.  May sleep.
 */
void vpage_put_slots(struct pool *pool, struct vpage **vps, unsigned int n);

static inline void vpage_put_slot(struct pool *pool, struct vpage *vp)
{
	vpage_put_slots(pool, &vp, 1);
}

/** vpage_drop_copy() - forget the copy in a tier; vpage locked */
void vpage_drop_copy(struct pool *pool, struct vpage *vp);

/** vpage_unmap() - take the frame out of all page tables; vpage locked */
void vpage_unmap(struct pool *pool, struct vpage *vp);

/**
 * vpage_add_mapper() - note that a place is about to map the frame; vpage locked.  Always succeeds:
 * without memory for the note, the others are unmapped.
 */
void vpage_add_mapper(struct pool *pool, struct vpage *vp, u64 mapper);

/**
 * vpage_mappers() - write up to @max places that may map the page to @out; Return:
 * how many there are
 */
unsigned int vpage_mappers(const struct vpage *vp, u64 *out, unsigned int max);

/** vpage_drain() - let the policy see all queued pages, free the spare ones */
void vpage_drain(struct pool *pool);

int vpage_module_init(void);
void vpage_module_exit(void);

/* ---- eviction (reclaim.c) ---- */

/** reclaim_batch() - evict up to RECLAIM_BATCH pages; Return: frames freed */
unsigned int reclaim_batch(struct pool *pool, bool direct);

/**
 * reclaim_load() - bring the content of a page that is not resident into @frame; vpage locked; 0,
 * -EIO
 */
int reclaim_load(struct pool *pool, struct vpage *vp, struct frame *frame);

/** reclaim_loaded() - the same where the content is in the frame already */
void reclaim_loaded(struct pool *pool, struct vpage *vp);

/** reclaim_used() - the page came back to be used: decide whether its copy stays; vpage locked */
void reclaim_used(struct pool *pool, struct vpage *vp);

/** reclaim_step() - the worker: evict up to the high watermark, write back from the store */
void reclaim_step(void *pool);

/** pool_event() - count an event and wake pollers of memory.events */
void pool_event(struct pool *pool, enum pool_event event);

#endif /* LODGE_POOL_H */
