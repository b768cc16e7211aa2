/* SPDX-License-Identifier: GPL-2.0 */
/* A pool of frames that a replacement policy alone manages, driven by page references. */
#ifndef LODGE_UNIT_POLICY_SIM_H
#define LODGE_UNIT_POLICY_SIM_H

#include "guest-mm/policy.h"

/**
 * struct policy_sim - the pool
 * @frames: its size
 * @resident: pages in frames
 * @now: faults so far
 * @refaults: faults of pages that had been evicted
 * @looked: accessed bits tested
 * @vp: pages 0..@pages - 1
 * @young: their accessed bits
 * @in: are they resident?
 * @seen: were they ever?
 */
struct policy_sim {
	const struct policy_ops *ops;
	struct policy *policy;
	unsigned long pages, frames, resident;
	u32 now;
	unsigned long refaults, looked, evictions;
	struct vpage *vp;
	bool *young, *in, *seen;
};

/** policy_sim_init() - a pool of @frames for @pages pages under the policy called @name */
void policy_sim_init(struct policy_sim *sim, const char *name, unsigned long pages,
		     unsigned long frames);

/** policy_sim_exit() - free all; fails the test if the policy kept a page */
void policy_sim_exit(struct policy_sim *sim);

/** policy_sim_use() - a reference to a page; true if it was resident */
bool policy_sim_use(struct policy_sim *sim, unsigned long page);

/** policy_sim_evict() - one batch; Return: pages evicted */
unsigned int policy_sim_evict(struct policy_sim *sim, unsigned int max);

/** policy_sim_free() - the page is dropped */
void policy_sim_free(struct policy_sim *sim, unsigned long page);

/** policy_sim_check() - is each resident page, and no other, on the policy's lists? */
void policy_sim_check(struct policy_sim *sim);

#endif /* LODGE_UNIT_POLICY_SIM_H */
