// SPDX-License-Identifier: GPL-2.0
/* mremap of private memory: the pages are indexed by address, so moving them is ours. */
#include <linux/mman.h>
#include <linux/sched/signal.h>

#include "kmod/compat/mm.h"
#include "kmod/hooks.h"
#include "kmod/mm-guest.h"
#include "kmod/syscalls.h"

static bool ranges_overlap(unsigned long a, unsigned long alen, unsigned long b, unsigned long blen)
{
	return a < b + blen && b < a + alen;
}

/*
 * The old place stays, empty but for what threads touched since.  Mapped anew, it has lost what
 * faults that began before the move put into its page table.
 */
static long map_again(struct mm_space *ms, unsigned long addr, unsigned long len,
		      unsigned long prot, unsigned long flags)
{
	unsigned long done = vm_mmap(ms->file, addr, len, prot,
				     MAP_SHARED | MAP_FIXED | (flags & MAP_LOCKED), addr);

	if (!IS_ERR_VALUE(done))
		return 0;
	/* Its pages are the new place's already. */
	force_sig(SIGKILL);
	return done;
}

/* Move to a new place: map there, move the slots, unmap here. */
static long move_pages_to(struct mm_space *ms, unsigned long old, unsigned long old_len,
			  unsigned long new, unsigned long new_len, unsigned long mflags)
{
	unsigned long n = min(old_len, new_len) >> PAGE_SHIFT;
	unsigned long prot, flags, done;
	int err;

	if (!mapping_is_pool(old, old_len, &prot, &flags))
		return -EFAULT;
	if (mapping_is_sealed(old, old_len, 0))
		return -EPERM;
	err = mapping_keep_anchor(ms, old, old_len);
	if (err)
		return err;
	done = mapping_map(ms, new, new_len, prot,
			   flags | (mflags & MREMAP_FIXED ? MAP_FIXED : 0), NULL);
	if (IS_ERR_VALUE(done))
		return done;
	unmap_mapping_pages(&ms->mapping, old >> PAGE_SHIFT, old_len >> PAGE_SHIFT, false);
	err = space_move(&ms->space, old >> PAGE_SHIFT, done >> PAGE_SHIFT, n);
	if (err) {
		/* Neither place has all of it: the process cannot go on. */
		force_sig(SIGKILL);
		return err;
	}
	if (mflags & MREMAP_DONTUNMAP)
		return map_again(ms, old, old_len, prot, flags) ?: done;
	if (!vm_munmap(old, old_len))
		space_drop(&ms->space, old >> PAGE_SHIFT, old_len >> PAGE_SHIFT);
	return done;
}

static long do_mremap(struct mm_space *ms, struct pt_regs *regs, unsigned long ip, struct args *c,
		      void (*set_flags)(struct pt_regs *regs, unsigned long flags))
{
	unsigned long old = c->a[0], old_len = PAGE_ALIGN(c->a[1]);
	unsigned long new_len = PAGE_ALIGN(c->a[2]), mflags = c->a[3];
	unsigned long prot, flags;
	long ret;

	if (offset_in_page(old) || !new_len || !old_len || !mapping_is_pool(old, 1, &prot, &flags))
		return hooks_call_original(regs, ip);
	if (mflags & ~(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP) ||
	    (mflags & (MREMAP_FIXED | MREMAP_DONTUNMAP) && !(mflags & MREMAP_MAYMOVE)) ||
	    (mflags & MREMAP_DONTUNMAP && old_len != new_len))
		return -EINVAL;
	if (mflags & MREMAP_FIXED) {
		if (offset_in_page(c->a[4]) || ranges_overlap(old, old_len, c->a[4], new_len))
			return -EINVAL;
		return move_pages_to(ms, old, old_len, c->a[4], new_len, mflags);
	}
	if (mflags & MREMAP_DONTUNMAP)
		return move_pages_to(ms, old, old_len, 0, new_len, mflags);
	if (new_len < old_len) {
		ret = mapping_keep_anchor(ms, old + new_len, old_len - new_len);
		if (!ret)
			ret = hooks_call_original(regs, ip);
		if (!IS_ERR_VALUE((unsigned long)ret))
			space_drop(&ms->space, (old + new_len) >> PAGE_SHIFT,
				   (old_len - new_len) >> PAGE_SHIFT);
		return ret;
	}
	/* The host grows it in place if it can; moving is ours. */
	set_flags(regs, 0);
	ret = hooks_call_original(regs, ip);
	set_flags(regs, mflags);
	if (ret != -ENOMEM || !(mflags & MREMAP_MAYMOVE)) {
		if (!IS_ERR_VALUE((unsigned long)ret) && new_len > old_len)
			space_drop(&ms->space, (old + old_len) >> PAGE_SHIFT,
				   (new_len - old_len) >> PAGE_SHIFT);
		return ret;
	}
	return move_pages_to(ms, old, old_len, 0, new_len, mflags);
}

static long guest_mremap(struct pt_regs *regs, unsigned long ip, struct args c,
			 void (*set_flags)(struct pt_regs *regs, unsigned long flags))
{
	struct mm_space *ms = call_enter();
	long ret;

	if (!ms)
		return -EINTR;
	ret = do_mremap(ms, regs, ip, &c, set_flags);
	call_leave(ms);
	return ret;
}

static void set_flags64(struct pt_regs *regs, unsigned long flags)
{
	regs->r10 = flags;
}

static void set_flags32(struct pt_regs *regs, unsigned long flags)
{
	regs->si = flags;
}

long mremap_64(struct pt_regs *regs, unsigned long ip)
{
	return guest_mremap(regs, ip, args64(regs), set_flags64);
}

long mremap_32(struct pt_regs *regs, unsigned long ip)
{
	return guest_mremap(regs, ip, args32(regs), set_flags32);
}
