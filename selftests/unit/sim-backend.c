// SPDX-License-Identifier: GPL-2.0
/* guest-mm/backend.h over simulated page tables. */
#include <sched.h>

#include "guest-mm/backend.h"
#include "selftests/unit/sim.h"

static struct sim *sim_of(struct pool *pool)
{
	return pool->owner;
}

/* ---- frames ---- */

void backend_frame_init(struct pool *pool, struct frame *frame, struct vpage *vp)
{
	WRITE_ONCE(frame->page, vp);
	WRITE_ONCE(frame->key, 0);
}

bool backend_frame_fini(struct pool *pool, struct frame *frame)
{
	WRITE_ONCE(frame->page, NULL);
	WARN_ON(frame_mapcount(frame));
	return atomic_read_acquire(&frame->refs) == 1;
}

void frame_set_key(struct frame *frame, u64 mapper)
{
	WRITE_ONCE(frame->key, mapper);
}

u64 frame_key(struct frame *frame)
{
	return READ_ONCE(frame->key);
}

struct vpage *frame_vpage(struct frame *frame)
{
	return READ_ONCE(frame->page);
}

void frame_detach(struct frame *frame)
{
	WRITE_ONCE(frame->page, NULL);
}

bool frame_trylock(struct frame *frame)
{
	return !test_and_set_bit_lock(0, &frame->locked);
}

void frame_lock(struct frame *frame)
{
	wait_var_event(&frame->locked, frame_trylock(frame));
}

void frame_unlock(struct frame *frame)
{
	WARN_ON(!test_bit(0, &frame->locked));
	clear_bit_unlock(0, &frame->locked);
	smp_mb__after_atomic();
	wake_up_var(&frame->locked);
}

void frame_get(struct frame *frame)
{
	WARN_ON(atomic_inc_return(&frame->refs) < 2);
}

void frame_put(struct frame *frame)
{
	int refs = atomic_dec_return(&frame->refs);

	WARN_ON(refs < 0);
	/* The pool gave up its own reference before the last user did. */
	if (!refs) {
		atomic_set(&frame->refs, 1);
		frame_free(frame);
	}
}

int frame_mapcount(struct frame *frame)
{
	return atomic_read(&frame->maps);
}

bool frame_busy(struct frame *frame)
{
	return atomic_read_acquire(&frame->refs) > 1 + atomic_read(&frame->maps);
}

/* ---- page tables ---- */

static struct sim_space *space_by_id(struct sim *sim, u32 id)
{
	unsigned int i;

	for (i = 0; i < SIM_SPACES; i++)
		if (sim->spaces[i] && sim->spaces[i]->space.id == id)
			return sim->spaces[i];
	return NULL;
}

/* @ptl held. */
static void clear_pte(struct pte *pte)
{
	struct frame *frame = pte->frame;

	if (!frame)
		return;
	memset(pte, 0, sizeof(*pte));
	/* In this order the frame looks busy for a moment where it is not, which is harmless. */
	atomic_dec(&frame->maps);
	frame_put(frame);
}

static void unmap_pages(struct sim_space *ss, u64 vpn, u64 n)
{
	u64 i;

	spin_lock(&ss->ptl);
	for (i = vpn; i < vpn + n && i < ss->pages; i++)
		clear_pte(&ss->pte[i]);
	spin_unlock(&ss->ptl);
}

void backend_unmap(struct pool *pool, u64 *mappers, unsigned int n)
{
	struct sim *sim = sim_of(pool);
	unsigned int i;

	host_may_sleep();
	pthread_rwlock_rdlock(&sim->lock);
	for (i = 0; i < n; i++) {
		struct sim_space *ss = space_by_id(sim, mapper_space(mappers[i]));

		if (ss)
			unmap_pages(ss, mapper_vpn(mappers[i]), 1);
	}
	pthread_rwlock_unlock(&sim->lock);
}

void backend_unmap_range(struct pool *pool, u32 space_id, u64 vpn, u64 n)
{
	struct sim *sim = sim_of(pool);
	struct sim_space *ss;

	host_may_sleep();
	pthread_rwlock_rdlock(&sim->lock);
	ss = space_by_id(sim, space_id);
	if (ss)
		unmap_pages(ss, vpn, n);
	pthread_rwlock_unlock(&sim->lock);
}

void backend_test_young(struct pool *pool, const u64 *mappers, unsigned int n, bool *young)
{
	struct sim *sim = sim_of(pool);
	unsigned int i;

	host_may_sleep();
	pthread_rwlock_rdlock(&sim->lock);
	for (i = 0; i < n; i++) {
		struct sim_space *ss = space_by_id(sim, mapper_space(mappers[i]));
		u64 vpn = mapper_vpn(mappers[i]);

		young[i] = false;
		if (!ss || vpn >= ss->pages)
			continue;
		spin_lock(&ss->ptl);
		young[i] = ss->pte[vpn].young;
		ss->pte[vpn].young = false;
		spin_unlock(&ss->ptl);
	}
	pthread_rwlock_unlock(&sim->lock);
}

/* ---- files ---- */

struct backing {
	atomic_t refs;
	u64 seed;	/* of the page that would be at page number 0 */
};

int backing_read(struct backing *backing, u64 vpn, void *data)
{
	sim_pattern(data, backing->seed + vpn);
	return 0;
}

void backing_get_n(struct backing *backing, unsigned int n)
{
	atomic_add(n, &backing->refs);
}

void backing_put_n(struct backing *backing, unsigned int n)
{
	int left = atomic_sub_return(n, &backing->refs);

	WARN_ON(left < 0);
	if (!left)
		kfree(backing);
}

static struct backing *backing_new(u64 seed)
{
	struct backing *backing = kzalloc(sizeof(*backing), GFP_POOL);

	if (backing) {
		atomic_set(&backing->refs, 1);
		backing->seed = seed;
	}
	return backing;
}

struct backing *backing_moved(struct backing *backing, s64 delta)
{
	return backing_new(backing->seed - delta);
}

int sim_map_file(struct sim_space *ss, u64 vpn, u64 n, u64 seed)
{
	struct backing *backing = backing_new(seed - vpn);
	int err;

	if (!backing)
		return -ENOMEM;
	pthread_rwlock_wrlock(&ss->mmap_lock);
	unmap_pages(ss, vpn, n);
	err = space_drop(&ss->space, vpn, n);
	if (!err)
		err = space_back(&ss->space, vpn, n, backing);
	pthread_rwlock_unlock(&ss->mmap_lock);
	backing_put_n(backing, 1);
	return err;
}

/* ---- the rest of backend.h ---- */

/* No space can exit meanwhile. */
struct space *backend_space_next(struct pool *pool, u32 *id)
{
	struct sim *sim = sim_of(pool);
	struct sim_space *next = NULL;
	unsigned int i;

	pthread_rwlock_rdlock(&sim->lock);
	for (i = 0; i < SIM_SPACES; i++) {
		struct sim_space *ss = sim->spaces[i];

		if (ss && ss->space.id >= *id && (!next || ss->space.id < next->space.id))
			next = ss;
	}
	if (!next) {
		pthread_rwlock_unlock(&sim->lock);
		return NULL;
	}
	*id = next->space.id;
	return &next->space;
}

void backend_space_put(struct pool *pool, struct space *space)
{
	pthread_rwlock_unlock(&sim_of(pool)->lock);
}

bool backend_oom(struct pool *pool)
{
	struct sim *sim = sim_of(pool);
	struct sim_space *victim = NULL;
	unsigned int i;

	pthread_rwlock_rdlock(&sim->lock);
	for (i = 0; i < SIM_SPACES; i++) {
		struct sim_space *ss = sim->spaces[i];

		if (ss && !READ_ONCE(ss->dying) &&
		    (!victim ||
		     atomic_long_read(&ss->space.pages) > atomic_long_read(&victim->space.pages)))
			victim = ss;
	}
	if (victim) {
		pr_info("sim: out of memory: limit %lu charged %ld resident %lu cached %lu store %lu holding %ld\n",
			pool->limit, atomic_long_read(&pool->charged), pool_stat(pool, PS_RESIDENT),
			pool_stat(pool, PS_CACHED), tier_store_pages(pool->tiers[TIER_STORE]),
			atomic_long_read(&pool->in_tier[TIER_STORE]));
		WRITE_ONCE(victim->dying, true);
		atomic_long_inc(&sim->oom_kills);
		pool_event(pool, PE_OOM_KILL);
	}
	pthread_rwlock_unlock(&sim->lock);
	return victim;
}

void backend_event(struct pool *pool)
{
}

/* ---- accesses ---- */

/* Map a frame that space_fault() handed out, as the kernel does; consumes lock and reference. */
static void finish_fault(struct sim_space *ss, u64 vpn, struct frame *frame, bool write)
{
	struct pte *pte = &ss->pte[vpn];
	bool mapped = false;

	spin_lock(&ss->ptl);
	if (!pte->frame) {
		atomic_inc(&frame->maps);
		*pte = (struct pte){ .frame = frame, .writable = write, .young = true };
		mapped = true;
	}
	spin_unlock(&ss->ptl);
	frame_unlock(frame);
	if (!mapped)
		frame_put(frame);
}

static int fault(struct sim_space *ss, u64 vpn, bool write)
{
	struct frame *frame;
	int err;

	atomic_long_inc(&ss->sim->faults);
	err = space_fault(&ss->space, vpn, write, &frame);
	if (err < 0)
		return err;
	if (write) {
		/* A shared mapping's write fault asks twice. */
		frame_unlock(frame);
		err = space_mkwrite(&ss->space, vpn, frame);
		if (err) {
			frame_put(frame);
			return err;
		}
	}
	finish_fault(ss, vpn, frame, write);
	return 0;
}

/* A write to a page that is mapped read-only; consumes the reference. */
static int write_fault(struct sim_space *ss, u64 vpn, struct frame *frame)
{
	int err = space_mkwrite(&ss->space, vpn, frame);

	if (!err) {
		spin_lock(&ss->ptl);
		if (ss->pte[vpn].frame == frame)
			ss->pte[vpn].writable = true;
		spin_unlock(&ss->ptl);
		frame_unlock(frame);
	}
	frame_put(frame);
	return err;
}

/* Let @use touch the page as the CPU does, with the page mapped; mmap_lock held shared. */
static int access_page(struct sim_space *ss, u64 vpn, bool write,
		       void (*use)(void *arg, struct frame *frame), void *arg)
{
	int err;

	do {
		struct pte *pte = &ss->pte[vpn];
		struct frame *frame;

		if (READ_ONCE(ss->dying))
			return -EINTR;
		spin_lock(&ss->ptl);
		frame = pte->frame;
		if (frame && (pte->writable || !write)) {
			pte->young = true;
			use(arg, frame);
			spin_unlock(&ss->ptl);
			return 0;
		}
		if (frame)
			frame_get(frame);
		spin_unlock(&ss->ptl);
		err = frame ? write_fault(ss, vpn, frame) : fault(ss, vpn, write);
		if (err == -ENOMEM || err == -EBUSY) {
			sched_yield();
			err = -EAGAIN;
		}
	} while (!err || err == -EAGAIN);
	return err;
}

struct copy {
	unsigned int offset, len;
	const void *from;
	void *to;
};

static void use_read(void *arg, struct frame *frame)
{
	struct copy *copy = arg;

	memcpy(copy->to, frame->data + copy->offset, copy->len);
}

static void use_write(void *arg, struct frame *frame)
{
	struct copy *copy = arg;

	memcpy(frame->data + copy->offset, copy->from, copy->len);
}

static int access_locked(struct sim_space *ss, u64 vpn, bool write,
			 void (*use)(void *arg, struct frame *frame), void *arg)
{
	int err;

	pthread_rwlock_rdlock(&ss->mmap_lock);
	err = access_page(ss, vpn, write, use, arg);
	pthread_rwlock_unlock(&ss->mmap_lock);
	return err;
}

int sim_read(struct sim_space *ss, u64 vpn, unsigned int offset, void *to, unsigned int len)
{
	struct copy copy = { .offset = offset, .len = len, .to = to };

	return access_locked(ss, vpn, false, use_read, &copy);
}

int sim_write(struct sim_space *ss, u64 vpn, unsigned int offset, const void *from,
	      unsigned int len)
{
	struct copy copy = { .offset = offset, .len = len, .from = from };

	return access_locked(ss, vpn, true, use_write, &copy);
}

static void use_pin(void *arg, struct frame *frame)
{
	frame_get(frame);
	atomic_inc(&frame->pins);
	*(struct frame **)arg = frame;
}

struct frame *sim_pin(struct sim_space *ss, u64 vpn)
{
	struct frame *frame;
	int err = access_locked(ss, vpn, true, use_pin, &frame);

	return err ? ERR_PTR(err) : frame;
}

void sim_unpin(struct frame *frame)
{
	atomic_dec(&frame->pins);
	frame_put(frame);
}

/* ---- changes of mappings ---- */

struct ticket {
	struct sim_space *parent;
	unsigned int nr_pinned;
	u64 pinned[64];
};

static void protect(void *arg, u64 vpn, u64 n)
{
	struct ticket *t = arg;
	u64 i;

	spin_lock(&t->parent->ptl);
	for (i = vpn; i < vpn + n && i < t->parent->pages; i++) {
		struct pte *pte = &t->parent->pte[i];

		pte->writable = false;
		if (pte->frame && atomic_read(&pte->frame->pins) &&
		    t->nr_pinned < ARRAY_SIZE(t->pinned))
			t->pinned[t->nr_pinned++] = i;
	}
	spin_unlock(&t->parent->ptl);
}

struct sim_space *sim_fork(struct sim_space *parent)
{
	struct sim_space *child = sim_space_create(parent->sim, parent->pages);
	struct ticket t = { .parent = parent };
	unsigned int i;
	int err;

	if (!child)
		return NULL;
	pthread_rwlock_wrlock(&parent->mmap_lock);
	err = space_fork(&parent->space, &child->space, 0, parent->pages, protect, &t);
	for (i = 0; i < t.nr_pinned && !err; i++) {
		do {
			err = space_copy_now(&child->space, t.pinned[i]);
		} while (err == -EAGAIN || err == -EBUSY);
	}
	pthread_rwlock_unlock(&parent->mmap_lock);
	if (err) {
		sim_space_exit(child);
		return NULL;
	}
	return child;
}

int sim_unmap(struct sim_space *ss, u64 vpn, u64 n)
{
	int err;

	pthread_rwlock_wrlock(&ss->mmap_lock);
	unmap_pages(ss, vpn, n);
	err = space_drop(&ss->space, vpn, n);
	pthread_rwlock_unlock(&ss->mmap_lock);
	return err;
}

int sim_discard(struct sim_space *ss, u64 vpn, u64 n)
{
	int err;

	pthread_rwlock_rdlock(&ss->mmap_lock);
	unmap_pages(ss, vpn, n);
	err = space_discard(&ss->space, vpn, n);
	pthread_rwlock_unlock(&ss->mmap_lock);
	return err;
}

int sim_move(struct sim_space *ss, u64 from, u64 to, u64 n)
{
	int err;

	pthread_rwlock_wrlock(&ss->mmap_lock);
	unmap_pages(ss, from, n);
	unmap_pages(ss, to, n);
	err = space_drop(&ss->space, to, n);
	if (!err)
		err = space_move(&ss->space, from, to, n, false);
	pthread_rwlock_unlock(&ss->mmap_lock);
	return err;
}
