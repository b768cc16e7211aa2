/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Replacement policies: which page goes next.  A new policy is one file with a
 * struct policy_ops and a line in policies[] (policy.c).
 *
 * The pool holds pool->policy_lock around every call but create and destroy, and calls in batches.
 * A page is on the policy's lists from ->add() to ->remove() or ->isolate().
 */
#ifndef LODGE_POLICY_H
#define LODGE_POLICY_H

#include "guest-core/host.h"
#include "guest-mm/vpage.h"

/**
 * struct policy - what all policies begin with
 * @frames: the pool's size in frames, for shares
 * @count: pages on the policy's lists
 */
struct policy {
	unsigned long frames;
	unsigned long count;
};

/**
 * struct policy_ops - a replacement policy
 * @name: as chosen in Kconfig and shown in the control tree's version file
 * @create: 0, -ENOMEM.  @frames: the size of the pool in frames, for shares (may change: @resize)
 * @destroy: all pages have been removed
 * @resize: the pool's size in frames changed
 * @add: resident pages enter: first touches, or refaults (VP_REFAULT set; the policy clears it).
 *	Sets VP_LISTED.  @now is the pool's clock in faults.
 * @remove: a listed page goes away (freed); clears VP_LISTED
 * @isolate: take up to @n candidates for eviction off the lists, coldest first (clears VP_LISTED).
 *	A page whose vpage lock cannot be had (vpage_trylock()) is passed over.  The pages come back
 *	locked.
 * @putback: a candidate that was not evicted returns; @referenced says that its accessed bit was
 *	set, otherwise it was busy (pinned, under I/O) and belongs where it will be looked at again
 *	soon.
 * @young_batch: up to @n listed pages whose accessed bit should be cleared now (ageing), locked as
 *	for @isolate but staying listed; 0 if none.  Asked again after @aged when it returned @n.
 *	Optional, with @aged.
 * @aged: what became of them, still locked: young[i] says that the accessed bit of page i was set.
 * @keep_copy: may a clean page keep its compressed copy while resident?  Called at a refault,
 *	before ->add(), with the page locked.  A promotion (putback with @referenced) ends it.
 *	Optional: no page may.
 * @count: pages on the lists
 */
struct policy_ops {
	const char *name;
	struct policy *(*create)(unsigned long frames);
	void (*destroy)(struct policy *policy);
	void (*resize)(struct policy *policy, unsigned long frames);
	void (*add)(struct policy *policy, struct vpage **vps, unsigned int n, u32 now);
	void (*remove)(struct policy *policy, struct vpage *vp);
	unsigned int (*isolate)(struct policy *policy, struct vpage **vps, unsigned int n, u32 now);
	void (*putback)(struct policy *policy, struct vpage *vp, bool referenced, u32 now);
	unsigned int (*young_batch)(struct policy *policy, struct vpage **vps, unsigned int n,
				    u32 now);
	void (*aged)(struct policy *policy, struct vpage **vps, const bool *young, unsigned int n,
		     u32 now);
	bool (*keep_copy)(struct policy *policy, struct vpage *vp, u32 now);
	unsigned long (*count)(struct policy *policy);
};

/** policy_at() - the built-in policies, Kconfig's default first; NULL behind the last */
const struct policy_ops *policy_at(unsigned int n);

/** policy_find() - a built-in policy by name, NULL if unknown; NULL finds Kconfig's default */
const struct policy_ops *policy_find(const char *name);

extern const struct policy_ops policy_tl_ops;		/* policy-tl.c */
extern const struct policy_ops policy_clock_ops;	/* policy-clock.c */

#endif /* LODGE_POLICY_H */
