// SPDX-License-Identifier: GPL-2.0
/* A pool that a replacement policy alone manages: the calls are those of guest-mm/reclaim.c. */
#include "selftests/unit/policy-sim.h"

#define BATCH		32U
#define AGE_BATCHES	8

void policy_sim_init(struct policy_sim *sim, const char *name, unsigned long pages,
		     unsigned long frames)
{
	unsigned long i;

	memset(sim, 0, sizeof(*sim));
	sim->ops = policy_find(name);
	WARN_ON(!sim->ops);
	sim->policy = sim->ops->create(frames);
	sim->pages = pages;
	sim->frames = frames;
	sim->vp = kcalloc(pages, sizeof(*sim->vp), GFP_KERNEL);
	sim->young = kcalloc(pages, sizeof(bool), GFP_KERNEL);
	sim->in = kcalloc(pages, sizeof(bool), GFP_KERNEL);
	sim->seen = kcalloc(pages, sizeof(bool), GFP_KERNEL);
	for (i = 0; i < pages; i++)
		INIT_LIST_HEAD(&sim->vp[i].lru);
}

void policy_sim_exit(struct policy_sim *sim)
{
	unsigned long i;

	for (i = 0; i < sim->pages; i++)
		policy_sim_free(sim, i);
	WARN_ON(sim->ops->count(sim->policy));
	sim->ops->destroy(sim->policy);
	kfree(sim->vp);
	kfree(sim->young);
	kfree(sim->in);
	kfree(sim->seen);
}

static bool test_young(struct policy_sim *sim, struct vpage *vp)
{
	bool *young = &sim->young[vp - sim->vp];
	bool was = *young;

	sim->looked++;
	*young = false;
	return was;
}

static unsigned int age_batch(struct policy_sim *sim)
{
	struct vpage *vps[BATCH];
	bool young[BATCH];
	unsigned int i, n = sim->ops->young_batch(sim->policy, vps, BATCH, sim->now);

	for (i = 0; i < n; i++)
		young[i] = test_young(sim, vps[i]);
	if (n)
		sim->ops->aged(sim->policy, vps, young, n, sim->now);
	for (i = 0; i < n; i++)
		vpage_unlock(vps[i]);
	return n;
}

static void age(struct policy_sim *sim)
{
	unsigned int batches = sim->ops->young_batch ? AGE_BATCHES : 0;

	while (batches-- && age_batch(sim) == BATCH)
		;
}

unsigned int policy_sim_evict(struct policy_sim *sim, unsigned int max)
{
	struct vpage *vps[BATCH];
	unsigned int i, n, evicted = 0;

	age(sim);
	n = sim->ops->isolate(sim->policy, vps, min(max, BATCH), sim->now);
	for (i = 0; i < n; i++) {
		struct vpage *vp = vps[i];

		WARN_ON(test_bit(VP_LISTED, &vp->flags) || !test_bit(VP_LOCKED, &vp->flags));
		if (test_young(sim, vp)) {
			sim->ops->putback(sim->policy, vp, true, sim->now);
		} else {
			sim->in[vp - sim->vp] = false;
			sim->resident--;
			evicted++;
		}
		vpage_unlock(vp);
	}
	sim->evictions += evicted;
	return evicted;
}

bool policy_sim_use(struct policy_sim *sim, unsigned long page)
{
	struct vpage *vp = &sim->vp[page];
	unsigned int tries;

	if (sim->in[page]) {
		sim->young[page] = true;
		return true;
	}
	for (tries = 0; sim->resident >= sim->frames && tries < 100000; tries++)
		policy_sim_evict(sim, BATCH);
	WARN_ON(sim->resident >= sim->frames);
	sim->now++;
	if (sim->seen[page]) {
		sim->refaults++;
		set_bit(VP_REFAULT, &vp->flags);
		if (sim->ops->keep_copy)
			sim->ops->keep_copy(sim->policy, vp, sim->now);
	}
	sim->ops->add(sim->policy, &vp, 1, sim->now);
	sim->young[page] = true;
	sim->in[page] = true;
	sim->seen[page] = true;
	sim->resident++;
	return false;
}

void policy_sim_free(struct policy_sim *sim, unsigned long page)
{
	struct vpage *vp = &sim->vp[page];

	if (!sim->in[page])
		return;
	WARN_ON(!vpage_trylock(vp));
	sim->ops->remove(sim->policy, vp);
	vpage_unlock(vp);
	sim->in[page] = false;
	sim->young[page] = false;
	sim->resident--;
}

void policy_sim_check(struct policy_sim *sim)
{
	unsigned long i, resident = 0;

	for (i = 0; i < sim->pages; i++) {
		WARN_ON(sim->in[i] != test_bit(VP_LISTED, &sim->vp[i].flags));
		WARN_ON(sim->in[i] == list_empty(&sim->vp[i].lru));
		WARN_ON(test_bit(VP_LOCKED, &sim->vp[i].flags));
		resident += sim->in[i];
	}
	WARN_ON(resident != sim->resident);
	WARN_ON(sim->ops->count(sim->policy) != resident);
}
