/* SPDX-License-Identifier: GPL-2.0 */
/* Memory management interfaces that differ between the kernels we serve. */
#ifndef LODGE_COMPAT_MM_H
#define LODGE_COMPAT_MM_H

#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/security.h>
#include <linux/shrinker.h>
#include <linux/version.h>

/* Where the host would map @len bytes; the mmap_lock is held. */
static inline unsigned long compat_unmapped_area(unsigned long addr, unsigned long len,
						 unsigned long flags)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
	if (len > TASK_SIZE)
		return -ENOMEM;
	return mm_get_unmapped_area(current->mm, NULL, addr, len, 0, flags);
#else
	return get_unmapped_area(NULL, addr, len, 0, flags);
#endif
}

/* The mmap_lock is held for writing. */
static inline void compat_vm_flags_clear(struct vm_area_struct *vma, unsigned long flags)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_clear(vma, flags);
#else
	vma->vm_flags &= ~flags;
#endif
}

/* The mmap_lock is held for writing, or nobody knows of it yet. */
static inline void compat_vm_flags_set(struct vm_area_struct *vma, unsigned long flags)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_set(vma, flags);
#else
	vma->vm_flags |= flags;
#endif
}

/* What mseal() did, from 6.10 on. */
static inline bool compat_vma_is_sealed(const struct vm_area_struct *vma)
{
#ifdef VM_SEALED
	return vma->vm_flags & VM_SEALED;
#else
	return false;
#endif
}

/* Private anonymous memory of the kernels from 6.11 on that they may drop. */
#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE	0x08
#endif

/* arch_prctl(2), from 6.6 on: a shadow stack for the thread. */
#define COMPAT_SHSTK_ENABLE	0x5001

/* A shrinker with two functions and a pointer of our own. */
struct compat_shrinker {
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	struct shrinker *shrinker;
#else
	struct shrinker shrinker;
#endif
};

typedef unsigned long (*compat_shrink_fn)(struct shrinker *shrinker, struct shrink_control *sc);

static inline int compat_shrinker_register(struct compat_shrinker *s, const char *name,
					   compat_shrink_fn count, compat_shrink_fn scan)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	s->shrinker = shrinker_alloc(0, "%s", name);
	if (!s->shrinker)
		return -ENOMEM;
	s->shrinker->count_objects = count;
	s->shrinker->scan_objects = scan;
	shrinker_register(s->shrinker);
	return 0;
#else
	s->shrinker.count_objects = count;
	s->shrinker.scan_objects = scan;
	s->shrinker.seeks = DEFAULT_SEEKS;
	return register_shrinker(&s->shrinker, "%s", name);
#endif
}

static inline void compat_shrinker_unregister(struct compat_shrinker *s)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	shrinker_free(s->shrinker);
#else
	unregister_shrinker(&s->shrinker);
#endif
}

#endif /* LODGE_COMPAT_MM_H */
