// SPDX-License-Identifier: GPL-2.0
/*
 * TL, two lists by time of last use: the idea of LIRS (Jiang and Zhang, SIGMETRICS 2002)
 * for a VM that sees faults and accessed bits but no accesses.
 *
 * S, a FIFO of a tenth of the frames, is where pages prove themselves; M, a clock, holds
 * the others.  Time is counted in faults.  A page that comes back from a tier sooner after
 * its last use than the page that M would part with next belongs to M in its stead: in a
 * loop larger than the pool that keeps a part of the loop resident, where a policy by
 * recency alone keeps nothing.  No page is remembered but in its own vpage.
 *
 * The policy cannot look at accessed bits itself.  It asks for them in ->young_batch():
 * those of pages that came in LAG faults ago are cleared, so that the burst of use that
 * brought a page in does not count as a second use; and those of M's last pages are looked
 * at when pages came back, so that the comparison above is with a page really unused.
 */
#include "guest-mm/policy.h"
#include "guest-mm/tier.h"

#define LAG		64	/* faults from arrival until the accessed bit is cleared */
#define S_SHARE		10	/* S is 1/10 of the frames */
#define M_FULL		97	/* percent of M's share from which on pages must qualify for it */
#define PROBES		4	/* accessed bits of M's last pages looked at per returning page */
#define PROBES_MAX	256U	/* how many such looks may be owing */
#define COPY_MIN	16	/* frames that kept copies may always cost */
#define COPY_START	10	/* 1/10 of the frames at first, at most 1/2 */

/**
 * struct tl - the state of the policy
 * @policy: common part
 * @fresh: pages younger than LAG or not aged yet, newest first; those with VP_LIST_M will go to M
 * @s: the aged rest of S, newest first
 * @m: the aged pages of M, most recently used first
 * @nr_s: pages of S, with those on @fresh
 * @nr_m: pages of M, with those on @fresh
 * @frames: how many pages are resident when the pool is full; learned, as the store takes its part
 * @probes: accessed bits of M that should be looked at
 * @m_hot: M's last pages were all in use when last looked at
 * @copies: pages of S that keep a copy
 * @copy_bias: what experience added to the start value of the copies' budget, in frames
 * @taken: pages of the last batch of victims
 * @busy: pages that came back because they could not be evicted, since then
 * @barren: batches in a row of which none could
 */
struct tl {
	struct policy policy;
	struct list_head fresh, s, m;
	unsigned long nr_s, nr_m;
	unsigned long frames;
	unsigned int probes;
	bool m_hot;
	unsigned long copies;
	long copy_bias;
	unsigned int taken, busy, barren;
};

static struct tl *to_tl(struct policy *policy)
{
	return container_of(policy, struct tl, policy);
}

static struct vpage *tail_of(struct list_head *list)
{
	return list_entry(list->prev, struct vpage, lru);
}

/* Faults since the page that @list would part with next was used. */
static u32 tail_age(struct list_head *list, u32 now)
{
	return list_empty(list) ? 0 : now - tail_of(list)->last_use;
}

static struct policy *tl_create(unsigned long frames)
{
	struct tl *tl = kzalloc(sizeof(*tl), GFP_KERNEL);

	if (!tl)
		return NULL;
	INIT_LIST_HEAD(&tl->fresh);
	INIT_LIST_HEAD(&tl->s);
	INIT_LIST_HEAD(&tl->m);
	tl->policy.frames = frames;
	tl->frames = frames;
	return &tl->policy;
}

static void tl_destroy(struct policy *policy)
{
	kfree(to_tl(policy));
}

static void tl_resize(struct policy *policy, unsigned long frames)
{
	policy->frames = frames;
	to_tl(policy)->frames = frames;
}

/* ---- copies kept beside resident pages ---- */

/* Frames that the copies cost: a compressed page takes somewhat less than half of one. */
static unsigned long copies_cost(const struct tl *tl)
{
	return tl->copies / 2;
}

static long copies_budget(const struct tl *tl)
{
	long most = max(tl->frames / 2, (unsigned long)COPY_MIN);

	return clamp((long)(tl->frames / COPY_START) + tl->copy_bias, (long)COPY_MIN, most);
}

static void copies_adjust(struct tl *tl, int by)
{
	long start = tl->frames / COPY_START;
	long most = max(tl->frames / 2, (unsigned long)COPY_MIN);

	tl->copy_bias = clamp(tl->copy_bias + by, (long)COPY_MIN - start, most - start);
}

static void copy_forget(struct tl *tl, struct vpage *vp)
{
	if (!test_bit(VP_KEPT, &vp->flags))
		return;
	clear_bit(VP_KEPT, &vp->flags);
	tl->copies--;
}

/* Would the page still be there if the copies' frames had held pages of its list? */
static bool copies_cost_fault(struct tl *tl, struct vpage *vp, u32 now)
{
	bool was_m = test_bit(VP_LIST_M, &vp->flags);
	u64 nr = was_m ? tl->nr_m : tl->nr_s;
	u64 age = tail_age(was_m ? &tl->m : &tl->s, now);

	return (u64)(now - vp->last_use) * nr < age * (nr + copies_cost(tl));
}

/* ---- S or M? ---- */

/* Does a page that comes back belong to M? */
static bool qualifies(struct tl *tl, struct vpage *vp, u32 now)
{
	unsigned long share = tl->frames - tl->frames / S_SHARE;

	if (tl->nr_m * 100 < share * M_FULL)
		return true;
	if (tl->m_hot || list_empty(&tl->m))
		return false;
	return (u64)(now - vp->last_use) * 4 < (u64)tail_age(&tl->m, now) * 3;
}

static bool tl_keep_copy(struct policy *policy, struct vpage *vp, u32 now)
{
	struct tl *tl = to_tl(policy);

	if ((long)copies_cost(tl) >= copies_budget(tl) || qualifies(tl, vp, now))
		return false;
	/* Counted when it is added: until then it may be freed unseen. */
	set_bit(VP_KEPT, &vp->flags);
	return true;
}

/* ---- the lists ---- */

static void tl_insert(struct tl *tl, struct vpage *vp, struct list_head *list, bool in_m)
{
	set_bit(VP_LISTED, &vp->flags);
	if (in_m) {
		set_bit(VP_LIST_M, &vp->flags);
		tl->nr_m++;
	} else {
		clear_bit(VP_LIST_M, &vp->flags);
		tl->nr_s++;
	}
	list_add(&vp->lru, list);
	tl->policy.count++;
}

/* VP_LIST_M stays: it tells where the page was. */
static void tl_take(struct tl *tl, struct vpage *vp)
{
	list_del_init(&vp->lru);
	clear_bit(VP_LISTED, &vp->flags);
	if (test_bit(VP_LIST_M, &vp->flags))
		tl->nr_m--;
	else
		tl->nr_s--;
	tl->policy.count--;
}

static void tl_add_one(struct tl *tl, struct vpage *vp, u32 now)
{
	bool in_m = false;

	if (test_bit(VP_REFAULT, &vp->flags)) {
		/* Nobody waited for a page that was read ahead. */
		bool fault = !test_bit(VP_AHEAD, &vp->flags);

		clear_bit(VP_REFAULT, &vp->flags);
		if (fault && copies_cost_fault(tl, vp, now))
			copies_adjust(tl, -1);
		if (test_bit(VP_KEPT, &vp->flags))
			tl->copies++;
		else
			in_m = qualifies(tl, vp, now);
		if (fault)
			tl->probes = min(tl->probes + PROBES, PROBES_MAX);
	}
	vp->last_use = now;
	clear_bit(VP_AGED, &vp->flags);
	tl_insert(tl, vp, &tl->fresh, in_m);
}

static void tl_add(struct policy *policy, struct vpage **vps, unsigned int n, u32 now)
{
	struct tl *tl = to_tl(policy);
	unsigned int i;

	for (i = 0; i < n; i++)
		tl_add_one(tl, vps[i], now);
	tl->frames = max(tl->frames, policy->count);
}

static void tl_remove(struct policy *policy, struct vpage *vp)
{
	struct tl *tl = to_tl(policy);

	copy_forget(tl, vp);
	tl_take(tl, vp);
}

/*
 * The list that the next victim comes from; the policy has pages.  S and M hold only what was aged:
 * in a small pool or at a fast turnover that may be nothing.  @passed_over pages were locked: look
 * elsewhere too, then.
 */
static struct list_head *victim_list(struct tl *tl, unsigned int passed_over)
{
	bool from_s = tl->nr_s && (tl->nr_s >= tl->frames / S_SHARE || !tl->nr_m);
	struct list_head *lists[] = {
		from_s ? &tl->s : &tl->m, &tl->fresh, from_s ? &tl->m : &tl->s,
	};
	unsigned int i = passed_over;

	while (list_empty(lists[i % ARRAY_SIZE(lists)]))
		i++;
	return lists[i % ARRAY_SIZE(lists)];
}

static unsigned int tl_isolate(struct policy *policy, struct vpage **vps, unsigned int n, u32 now)
{
	struct tl *tl = to_tl(policy);
	unsigned long tries = min_t(unsigned long, policy->count, 2UL * n);
	unsigned int got = 0, passed_over;

	tl->frames = policy->count;
	/* A list may be full of pinned pages: look at another one then. */
	tl->barren = tl->taken && tl->busy >= tl->taken ? tl->barren + 1 : 0;
	passed_over = tl->barren;
	while (got < n && tries--) {
		struct list_head *list = victim_list(tl, passed_over);
		struct vpage *vp = tail_of(list);

		if (!vpage_trylock(vp)) {
			list_move(&vp->lru, list);
			passed_over++;
			continue;
		}
		tl_take(tl, vp);
		/* It came in, but was not used. */
		if (test_bit(VP_AHEAD, &vp->flags))
			vp->last_use = now - (~0U >> 1);
		if (test_bit(VP_KEPT, &vp->flags)) {
			copy_forget(tl, vp);
			/* The copy goes when the page is written. */
			if (vpage_tier(vp) == TIER_STORE)
				copies_adjust(tl, 1);
		}
		vps[got++] = vp;
	}
	tl->taken = got;
	tl->busy = 0;
	return got;
}

static void tl_putback(struct policy *policy, struct vpage *vp, bool referenced, u32 now)
{
	struct tl *tl = to_tl(policy);

	/* Evicting it was looked into, so its accessed bit is clear. */
	set_bit(VP_AGED, &vp->flags);
	if (!referenced)
		tl->busy++;
	if (referenced) {
		/* Its copy made nothing free: it goes. */
		if (vpage_tier(vp) == TIER_STORE && !test_bit(VP_LIST_M, &vp->flags))
			copies_adjust(tl, -1);
		vp->last_use = now;
		tl_insert(tl, vp, &tl->m, true);
	} else if (test_bit(VP_LIST_M, &vp->flags)) {
		tl_insert(tl, vp, &tl->m, true);
	} else {
		tl_insert(tl, vp, &tl->s, false);
	}
}

/* ---- ageing ---- */

static unsigned int tl_young_batch(struct policy *policy, struct vpage **vps, unsigned int n,
				   u32 now)
{
	struct tl *tl = to_tl(policy);
	unsigned int got = 0, tries;
	struct list_head *pos;

	for (pos = tl->fresh.prev, tries = 2 * n; pos != &tl->fresh && got < n && tries--;
	     pos = pos->prev) {
		struct vpage *vp = list_entry(pos, struct vpage, lru);

		if (now - vp->last_use < LAG)
			break;
		if (vpage_trylock(vp))
			vps[got++] = vp;
	}
	for (pos = tl->m.prev; pos != &tl->m && got < n && tl->probes;
	     pos = pos->prev, tl->probes--) {
		struct vpage *vp = list_entry(pos, struct vpage, lru);

		if (vpage_trylock(vp))
			vps[got++] = vp;
	}
	return got;
}

static void tl_aged(struct policy *policy, struct vpage **vps, const bool *young, unsigned int n,
		    u32 now)
{
	struct tl *tl = to_tl(policy);
	unsigned int i, probed = 0, hot = 0;

	for (i = 0; i < n; i++) {
		struct vpage *vp = vps[i];

		if (!test_bit(VP_AGED, &vp->flags)) {
			set_bit(VP_AGED, &vp->flags);
			list_move(&vp->lru, test_bit(VP_LIST_M, &vp->flags) ? &tl->m : &tl->s);
			continue;
		}
		probed++;
		if (young[i]) {
			hot++;
			vp->last_use = now;
			list_move(&vp->lru, &tl->m);
		}
	}
	if (!probed)
		return;
	tl->m_hot = hot == probed;
	/* A page really unused is what the looks were for. */
	if (!tl->m_hot)
		tl->probes = 0;
}

static unsigned long tl_count(struct policy *policy)
{
	return policy->count;
}

const struct policy_ops policy_tl_ops = {
	.name = "tl",
	.create = tl_create,
	.destroy = tl_destroy,
	.resize = tl_resize,
	.add = tl_add,
	.remove = tl_remove,
	.isolate = tl_isolate,
	.putback = tl_putback,
	.young_batch = tl_young_batch,
	.aged = tl_aged,
	.keep_copy = tl_keep_copy,
	.count = tl_count,
};
