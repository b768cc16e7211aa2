// SPDX-License-Identifier: GPL-2.0
/*
 * CLOCK, or second chance: one list in the order of arrival; a page that was used
 * since it was last looked at goes round once more.
 */
#include "guest-mm/policy.h"

/**
 * struct clock - the state of the policy
 * @policy: common part
 * @hand: newest first; the hand points at the tail
 */
struct clock {
	struct policy policy;
	struct list_head hand;
};

static struct clock *to_clock(struct policy *policy)
{
	return container_of(policy, struct clock, policy);
}

static struct policy *clock_create(unsigned long frames)
{
	struct clock *clock = kzalloc(sizeof(*clock), GFP_KERNEL);

	if (!clock)
		return NULL;
	clock->policy.frames = frames;
	INIT_LIST_HEAD(&clock->hand);
	return &clock->policy;
}

static void clock_destroy(struct policy *policy)
{
	kfree(to_clock(policy));
}

static void clock_resize(struct policy *policy, unsigned long frames)
{
	policy->frames = frames;
}

static void clock_insert(struct clock *clock, struct vpage *vp)
{
	set_bit(VP_LISTED, &vp->flags);
	list_add(&vp->lru, &clock->hand);
	clock->policy.count++;
}

static void clock_remove(struct policy *policy, struct vpage *vp)
{
	list_del_init(&vp->lru);
	clear_bit(VP_LISTED, &vp->flags);
	policy->count--;
}

static void clock_add(struct policy *policy, struct vpage **vps, unsigned int n, u32 now)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		clear_bit(VP_REFAULT, &vps[i]->flags);
		vps[i]->last_use = now;
		clock_insert(to_clock(policy), vps[i]);
	}
}

static unsigned int clock_isolate(struct policy *policy, struct vpage **vps, unsigned int n,
				  u32 now)
{
	struct clock *clock = to_clock(policy);
	unsigned long tries = min_t(unsigned long, policy->count, 2UL * n);
	unsigned int got = 0;

	while (got < n && tries--) {
		struct vpage *vp = list_entry(clock->hand.prev, struct vpage, lru);

		if (!vpage_trylock(vp)) {
			list_move(&vp->lru, &clock->hand);
			continue;
		}
		clock_remove(policy, vp);
		vps[got++] = vp;
	}
	return got;
}

static void clock_putback(struct policy *policy, struct vpage *vp, bool referenced, u32 now)
{
	if (referenced)
		vp->last_use = now;
	clock_insert(to_clock(policy), vp);
}

static unsigned long clock_count(struct policy *policy)
{
	return policy->count;
}

const struct policy_ops policy_clock_ops = {
	.name = "clock",
	.create = clock_create,
	.destroy = clock_destroy,
	.resize = clock_resize,
	.add = clock_add,
	.remove = clock_remove,
	.isolate = clock_isolate,
	.putback = clock_putback,
	.count = clock_count,
};
