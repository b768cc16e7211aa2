/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Replacement policies: which page goes next.  A new policy is one file with a
 * struct policy_ops and a line in policies[] (policy.c).
 *
 * The pool holds policy->lock around every call but create and destroy, and calls in batches.
 * A page is on the policy's lists from ->add() to ->remove() or ->isolate().
 */
#ifndef LODGE_POLICY_H
#define LODGE_POLICY_H

#include "guest-core/host.h"
#include "guest-mm/vpage.h"

struct pool;
struct policy;

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
 *	A page whose vpage lock cannot be had (vpage_trylock()) is passed over.  The pages come back locked.
 * @putback: a candidate that was not evicted returns; @referenced says that its accessed bit was set,
 *	otherwise it was busy (pinned, under I/O) and belongs where it will be looked at again soon.
 * @young_batch: up to @n listed pages whose accessed bit should be cleared now (ageing), locked as for @isolate
 *	but staying listed; 0 if none.  Optional.
 * @keep_copy: may a clean page keep its compressed copy while resident?  Called at a refault, before ->add().
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
	unsigned int (*young_batch)(struct policy *policy, struct vpage **vps, unsigned int n, u32 now);
	bool (*keep_copy)(struct policy *policy, struct vpage *vp, u32 now);
	unsigned long (*count)(struct policy *policy);
};

/** policy_find() - built-in policy by name, NULL if unknown; policy_find(NULL) is Kconfig's default */
const struct policy_ops *policy_find(const char *name);

#endif /* LODGE_POLICY_H */
