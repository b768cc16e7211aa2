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

/* Give what stands at @addr those traits that mmap(2) has no flag for. */
static int set_traits(unsigned long addr, unsigned long len, const struct traits *traits)
{
	struct pt_regs regs = { .di = addr, .si = len };
	long err = 0;

	if (traits->vm_flags & VM_DONTCOPY) {
		regs.dx = MADV_DONTFORK;
		err = hooks_call("__x64_sys_madvise", &regs);
	}
	if (!err && traits->vm_flags & VM_DONTDUMP) {
		regs.dx = MADV_DONTDUMP;
		err = hooks_call("__x64_sys_madvise", &regs);
	}
	if (!err && traits->pkey) {
		regs.dx = traits->prot;
		regs.r10 = traits->pkey;
		err = hooks_call("__x64_sys_pkey_mprotect", &regs);
	}
	return err;
}

/*
 * The old place stays, empty but for what threads touched since.  Mapped anew, it has lost what
 * faults that began before the move put into its page table.
 */
static long map_again(struct mm_space *ms, unsigned long addr, unsigned long len,
		      const struct traits *traits)
{
	unsigned long done = vm_mmap(ms->file, addr, len, traits->prot,
				     MAP_SHARED | MAP_FIXED | traits->flags, addr);
	long err = IS_ERR_VALUE(done) ? (long)done : set_traits(addr, len, traits);

	/* Its pages are the new place's already. */
	if (err)
		force_sig(SIGKILL);
	return err;
}

/* A mapping that is about to grow behind @end: empty, or with the next pages of its file. */
static int prepare_growth(struct mm_space *ms, unsigned long end, unsigned long more,
			  struct backing *backing)
{
	int err = space_replace(&ms->space, end >> PAGE_SHIFT, more >> PAGE_SHIFT);

	if (!err && backing)
		err = space_back(&ms->space, end >> PAGE_SHIFT, more >> PAGE_SHIFT, backing);
	return err;
}

/* Where the pages behind the mapping come from when it has moved. */
static int prepare_moved_growth(struct mm_space *ms, unsigned long end, unsigned long more,
				struct backing *backing, unsigned long delta)
{
	struct backing *moved = backing_moved(backing, (long)delta >> PAGE_SHIFT);
	int err;

	if (!moved)
		return -ENOMEM;
	err = prepare_growth(ms, end, more, moved);
	backing_put_n(moved, 1);
	return err;
}

/*
 * Move to a new place: map there, move the slots, unmap here.  @backing: of the pages by which it
 * grows, NULL for none.
 */
static long move_pages_to(struct mm_space *ms, unsigned long old, unsigned long old_len,
			  unsigned long new, unsigned long new_len, unsigned long mflags,
			  struct backing *backing)
{
	unsigned long len = min(old_len, new_len), done;
	struct traits traits;
	int err;

	if (!mapping_is_pool(old, old_len, &traits))
		return -EFAULT;
	if (mapping_is_sealed(old, old_len, 0))
		return -EPERM;
	err = mapping_keep_anchor(ms, old, old_len);
	if (err)
		return err;
	done = mapping_map(ms, new, new_len, traits.prot,
			   traits.flags | (mflags & MREMAP_FIXED ? MAP_FIXED : 0), NULL);
	if (IS_ERR_VALUE(done))
		return done;
	err = set_traits(done, new_len, &traits);
	if (!err && backing)
		err = prepare_moved_growth(ms, done + old_len, new_len - old_len, backing,
					   done - old);
	if (err) {
		if (!vm_munmap(done, new_len))
			space_drop(&ms->space, done >> PAGE_SHIFT, new_len >> PAGE_SHIFT);
		return err;
	}
	unmap_mapping_pages(&ms->mapping, old >> PAGE_SHIFT, old_len >> PAGE_SHIFT, false);
	err = space_move(&ms->space, old >> PAGE_SHIFT, done >> PAGE_SHIFT, len >> PAGE_SHIFT,
			 mflags & MREMAP_DONTUNMAP);
	if (err) {
		/* Neither place has all of it: the process cannot go on. */
		force_sig(SIGKILL);
		return err;
	}
	if (mflags & MREMAP_DONTUNMAP)
		return map_again(ms, old, old_len, &traits) ?: done;
	if (!vm_munmap(old, old_len))
		space_drop(&ms->space, old >> PAGE_SHIFT, old_len >> PAGE_SHIFT);
	return done;
}

/* Let the host grow a mapping where it stands. */
static long grow_in_place(struct mm_space *ms, struct pt_regs *regs, unsigned long ip,
			  unsigned long end, unsigned long more, struct backing *backing)
{
	long ret;
	int err;

	/* Before the host does, as others may touch it at once; who has the layout maps nothing. */
	if (more > TASK_SIZE - end || !mapping_is_free(end, more))
		return -ENOMEM;
	err = prepare_growth(ms, end, more, backing);
	ret = err ?: hooks_call_original(regs, ip);
	if (IS_ERR_VALUE((unsigned long)ret))
		space_drop(&ms->space, end >> PAGE_SHIFT, more >> PAGE_SHIFT);
	return ret;
}

static long shrink(struct mm_space *ms, struct pt_regs *regs, unsigned long ip,
		   unsigned long end, unsigned long less)
{
	long ret = mapping_keep_anchor(ms, end, less);

	if (!ret)
		ret = hooks_call_original(regs, ip);
	if (!IS_ERR_VALUE((unsigned long)ret))
		space_drop(&ms->space, end >> PAGE_SHIFT, less >> PAGE_SHIFT);
	return ret;
}

static long do_mremap(struct mm_space *ms, struct pt_regs *regs, unsigned long ip, struct args *c,
		      void (*set_flags)(struct pt_regs *regs, unsigned long flags))
{
	unsigned long old = c->a[0], old_len = PAGE_ALIGN(c->a[1]);
	unsigned long new_len = PAGE_ALIGN(c->a[2]), mflags = c->a[3];
	bool fixed = mflags & MREMAP_FIXED, stays = mflags & MREMAP_DONTUNMAP;
	struct backing *backing = NULL;
	struct traits traits;
	long ret;

	if (offset_in_page(old) || !new_len || !old_len || !mapping_is_pool(old, 1, &traits))
		return hooks_call_original(regs, ip);
	if (mflags & ~(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP) ||
	    ((fixed || stays) && !(mflags & MREMAP_MAYMOVE)) || (stays && old_len != new_len))
		return -EINVAL;
	if ((fixed || stays) &&
	    (offset_in_page(c->a[4]) || ranges_overlap(old, old_len, c->a[4], new_len)))
		return -EINVAL;
	if (!fixed && !stays && new_len <= old_len)
		return shrink(ms, regs, ip, old + new_len, old_len - new_len);
	if (!mapping_is_pool(old, old_len, &traits))
		return -EFAULT;
	if (new_len > old_len) {
		backing = space_backing(&ms->space, ((old + old_len) >> PAGE_SHIFT) - 1);
		if (IS_ERR(backing))
			return PTR_ERR(backing);
	}
	if (fixed || stays) {
		/* Without MREMAP_FIXED the new address is a hint. */
		ret = move_pages_to(ms, old, old_len, c->a[4], new_len, mflags, backing);
	} else {
		/* The host grows it in place if it can; moving is ours. */
		set_flags(regs, 0);
		ret = grow_in_place(ms, regs, ip, old + old_len, new_len - old_len, backing);
		set_flags(regs, mflags);
		if (ret == -ENOMEM && mflags & MREMAP_MAYMOVE)
			ret = move_pages_to(ms, old, old_len, 0, new_len, mflags, backing);
	}
	if (backing)
		backing_put_n(backing, 1);
	return ret;
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
