// SPDX-License-Identifier: GPL-2.0
/* Virtual pages: birth, death, their way to the policy, and who maps them. */
#include "guest-mm/vpage.h"
#include "guest-mm/backend.h"
#include "guest-mm/pool.h"

/**
 * struct mappers - places that may map a page besides vpage.mapper
 * @n: places noted
 * @cap: places that fit
 * @at: the places
 *
 * Places are added when they map the page and all leave together when it is unmapped
 * everywhere; one that stopped mapping it alone stays until then and does no harm.
 */
struct mappers {
	unsigned int n, cap;
	u64 at[];
};

static struct kmem_cache *vpage_cache;
static struct kmem_cache *file_cache;

int vpage_module_init(void)
{
	vpage_cache = host_cache_create("lodge_vpage", struct vpage);
	file_cache = host_cache_create("lodge_file_vpage", struct file_vpage);
	if (vpage_cache && file_cache)
		return 0;
	vpage_module_exit();
	return -ENOMEM;
}

void vpage_module_exit(void)
{
	kmem_cache_destroy(file_cache);
	kmem_cache_destroy(vpage_cache);
}

static struct vpage *take_spare(struct pool *pool)
{
	struct pool_cpu *cpu = &pool->cpus[host_cpu() % pool->nr_cpus];
	struct vpage *vp = NULL;

	if (!READ_ONCE(cpu->nr_spare))
		return NULL;
	spin_lock(&cpu->lock);
	if (cpu->nr_spare)
		vp = cpu->spare[--cpu->nr_spare];
	spin_unlock(&cpu->lock);
	return vp;
}

static size_t size_of(const struct origin *origin)
{
	return origin ? sizeof(struct file_vpage) : sizeof(struct vpage);
}

/* A charged object, or an ERR_PTR. */
static struct vpage *charged_vpage(struct pool *pool, const struct origin *origin)
{
	int err = pool_charge_metadata(pool, size_of(origin));
	struct vpage *vp;

	if (err)
		return ERR_PTR(err);
	vp = kmem_cache_alloc(origin ? file_cache : vpage_cache, GFP_POOL);
	if (vp)
		return vp;
	pool_uncharge_metadata(pool, size_of(origin));
	return ERR_PTR(-ENOMEM);
}

struct vpage *vpage_alloc(struct pool *pool, struct frame *frame, const struct origin *origin)
{
	struct vpage *vp = origin ? NULL : take_spare(pool);

	if (!vp)
		vp = charged_vpage(pool, origin);
	if (IS_ERR(vp))
		return vp;
	vp->flags = BIT(VP_LOCKED) | BIT(VP_DIRTY);
	if (origin) {
		vp->flags |= BIT(VP_FILE);
		backing_get_n(origin->backing, 1);
		container_of(vp, struct file_vpage, vp)->origin = *origin;
	}
	atomic_set(&vp->slots, 1);
	vp->last_use = 0;
	vp->frame = frame;
	vp->copy = 0;
	vp->mapper = 0;
	vp->more = NULL;
	INIT_LIST_HEAD(&vp->lru);
	return vp;
}

static void vpage_release(struct pool *pool, struct vpage *vp)
{
	const struct origin *origin = vpage_origin(vp);
	size_t size = size_of(origin);

	kmem_cache_free(origin ? file_cache : vpage_cache, vp);
	pool_uncharge_metadata(pool, size);
}

static void vpage_free(struct pool *pool, struct vpage *vp)
{
	struct pool_cpu *cpu = &pool->cpus[host_cpu() % pool->nr_cpus];
	bool kept;

	if (vpage_origin(vp)) {
		vpage_release(pool, vp);
		return;
	}
	spin_lock(&cpu->lock);
	kept = cpu->nr_spare < POOL_CACHE;
	if (kept)
		cpu->spare[cpu->nr_spare++] = vp;
	spin_unlock(&cpu->lock);
	if (!kept)
		vpage_release(pool, vp);
}

void vpage_attach(struct pool *pool, struct vpage *vp, struct frame *frame)
{
	vp->frame = frame;
	backend_frame_init(pool, frame, vp);
	pool_count(pool, PS_RESIDENT, 1);
	vpage_queue(pool, vp);
}

/* ---- the way to the policy ---- */

static void drain_batch(struct pool *pool, struct vpage **vps, unsigned int n)
{
	struct vpage *freed[POOL_CACHE];
	unsigned int i, adds = 0, frees = 0;
	u32 now = atomic_add_return(n, &pool->clock);

	spin_lock(&pool->policy_lock);
	for (i = 0; i < n; i++) {
		struct vpage *vp = vps[i];

		clear_bit(VP_QUEUED, &vp->flags);
		if (test_bit(VP_FREED, &vp->flags))
			freed[frees++] = vp;
		else
			vps[adds++] = vp;
	}
	if (adds)
		pool->policy_ops->add(pool->policy, vps, adds, now);
	spin_unlock(&pool->policy_lock);
	for (i = 0; i < frees; i++)
		vpage_free(pool, freed[i]);
}

void vpage_queue(struct pool *pool, struct vpage *vp)
{
	struct pool_cpu *cpu = &pool->cpus[host_cpu() % pool->nr_cpus];
	struct vpage *batch[POOL_CACHE];
	unsigned int n = 0;

	set_bit(VP_QUEUED, &vp->flags);
	spin_lock(&cpu->lock);
	cpu->batch[cpu->nr_batch++] = vp;
	if (cpu->nr_batch == POOL_CACHE) {
		n = cpu->nr_batch;
		memcpy(batch, cpu->batch, sizeof(batch));
		cpu->nr_batch = 0;
	}
	spin_unlock(&cpu->lock);
	if (n)
		drain_batch(pool, batch, n);
}

static void drain_spare(struct pool *pool, struct pool_cpu *cpu)
{
	struct vpage *spare[POOL_CACHE];
	unsigned int i, n;

	spin_lock(&cpu->lock);
	n = cpu->nr_spare;
	memcpy(spare, cpu->spare, n * sizeof(*spare));
	cpu->nr_spare = 0;
	spin_unlock(&cpu->lock);
	for (i = 0; i < n; i++)
		vpage_release(pool, spare[i]);
}

void vpage_drain(struct pool *pool)
{
	struct vpage *batch[POOL_CACHE];
	unsigned int i, n;

	for (i = 0; i < pool->nr_cpus; i++) {
		struct pool_cpu *cpu = &pool->cpus[i];

		if (READ_ONCE(cpu->nr_batch)) {
			spin_lock(&cpu->lock);
			n = cpu->nr_batch;
			memcpy(batch, cpu->batch, n * sizeof(*batch));
			cpu->nr_batch = 0;
			spin_unlock(&cpu->lock);
			if (n)
				drain_batch(pool, batch, n);
		}
	}
	for (i = 0; i < pool->nr_cpus; i++)
		if (READ_ONCE(pool->cpus[i].nr_spare))
			drain_spare(pool, &pool->cpus[i]);
}

/* ---- who maps it ---- */

unsigned int vpage_mappers(const struct vpage *vp, u64 *out, unsigned int max)
{
	unsigned int i, n = 0;

	if (!vp->mapper)
		return 0;
	if (n < max)
		out[n] = vp->mapper;
	n++;
	for (i = 0; vp->more && i < vp->more->n; i++, n++)
		if (n < max)
			out[n] = vp->more->at[i];
	return n;
}

static void forget_mappers(struct vpage *vp)
{
	vp->mapper = 0;
	kfree(vp->more);
	vp->more = NULL;
}

void vpage_unmap(struct pool *pool, struct vpage *vp)
{
	if (frame_mapcount(vp->frame)) {
		backend_unmap(pool, &vp->mapper, 1);
		if (vp->more)
			backend_unmap(pool, vp->more->at, vp->more->n);
	}
	forget_mappers(vp);
}

/* Room for one more place; false if there is no memory for it. */
static bool grow_mappers(struct vpage *vp)
{
	unsigned int n = vp->more ? vp->more->n : 0;
	unsigned int cap = vp->more ? vp->more->cap * 2 : 4;
	struct mappers *more;

	more = kmalloc(sizeof(*more) + cap * sizeof(more->at[0]), GFP_POOL);
	if (!more)
		return false;
	more->n = n;
	more->cap = cap;
	if (n)
		memcpy(more->at, vp->more->at, n * sizeof(more->at[0]));
	kfree(vp->more);
	vp->more = more;
	return true;
}

void vpage_add_mapper(struct pool *pool, struct vpage *vp, u64 mapper)
{
	int mapped;
	unsigned int i;

	if (vp->mapper == mapper)
		return;
	mapped = vp->mapper ? frame_mapcount(vp->frame) : 0;
	if (!mapped) {
		/* Whoever is noted does not map it (any more). */
		if (vp->more)
			forget_mappers(vp);
		vp->mapper = mapper;
		return;
	}
	for (i = 0; vp->more && i < vp->more->n; i++)
		if (vp->more->at[i] == mapper)
			return;
	if (!vp->more || vp->more->n == vp->more->cap) {
		bool stale = vp->more && vp->more->n / 2 > (unsigned int)mapped;

		/* Mostly places that no longer map the page: start afresh. */
		if (stale || !grow_mappers(vp)) {
			vpage_unmap(pool, vp);
			vp->mapper = mapper;
			return;
		}
	}
	vp->more->at[vp->more->n++] = mapper;
}

/* ---- death ---- */

void vpage_drop_copy(struct pool *pool, struct vpage *vp)
{
	unsigned int id = vpage_tier(vp);

	if (id == TIER_NONE)
		return;
	tier_ops_of(id)->drop(pool->tiers[id], vp->copy);
	vpage_set_tier(vp, TIER_NONE);
	vp->copy = 0;
	atomic_long_dec(&pool->in_tier[id]);
}

/* Free all that a page has but itself; no slot leads to it any more. */
static void empty(struct pool *pool, struct vpage *vp)
{
	struct frame *frame;

	/* Only an evictor can hold it, or a fault that is about to finish. */
	vpage_lock(vp);
	if (test_bit(VP_STORED, &vp->flags)) {
		spin_lock(&pool->stored_lock);
		list_del_init(&vp->lru);
		clear_bit(VP_STORED, &vp->flags);
		spin_unlock(&pool->stored_lock);
	}
	vpage_drop_copy(pool, vp);
	/* The vpage may be freed much later, and the file's file system unmounted before. */
	if (vpage_origin(vp))
		backing_put_n(vpage_origin(vp)->backing, 1);
	frame = vp->frame;
	if (frame) {
		/* Waits for a fault that was handed the frame until it has mapped it. */
		frame_lock(frame);
		vpage_unmap(pool, vp);
		vp->frame = NULL;
		frame_detach(frame);
		frame_unlock(frame);
		pool_count(pool, PS_RESIDENT, -1);
		pool_frame_retire(pool, frame);
	} else {
		forget_mappers(vp);
	}
}

void vpage_put_slots(struct pool *pool, struct vpage **vps, unsigned int n)
{
	struct vpage *dead[POOL_CACHE];
	unsigned int i, ndead = 0, nfree = 0;

	for (i = 0; i < n; i++) {
		if (!atomic_dec_and_test(&vps[i]->slots))
			continue;
		empty(pool, vps[i]);
		dead[ndead++] = vps[i];
	}
	if (!ndead)
		return;
	/* On a list or in a batch, but nobody evicts them: we hold their locks. */
	spin_lock(&pool->policy_lock);
	for (i = 0; i < ndead; i++) {
		struct vpage *vp = dead[i];

		if (test_bit(VP_QUEUED, &vp->flags)) {
			set_bit(VP_FREED, &vp->flags);
			continue;
		}
		if (test_bit(VP_LISTED, &vp->flags))
			pool->policy_ops->remove(pool->policy, vp);
		dead[nfree++] = vp;
	}
	spin_unlock(&pool->policy_lock);
	for (i = 0; i < nfree; i++)
		vpage_free(pool, dead[i]);
}
