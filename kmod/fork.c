// SPDX-License-Identifier: GPL-2.0
/*
 * fork: the child gets a space of its own that shares the parent's pages.
 *
 * 1. The handler makes the child's space, so that lack of memory is an errno of fork.
 * 2. While the host copies the VMAs, our open operation shares the table and makes the
 *    parent's page-table entries read-only; the host flushes the parent's TLB when it is done.
 *    The copied VMA gets linked among the parent's, because the host does that behind our back.
 * 3. Before the child runs for the first time (wake_up_new_task), its VMAs move to its own file.
 */
#include <linux/file.h>
#include <linux/interval_tree_generic.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>

#include "kmod/compat/mm.h"
#include "kmod/hooks.h"
#include "kmod/mm-guest.h"

/* How often a page that someone does I/O on asks for a frame for its copy. */
#define COPY_TRIES	64

/**
 * struct fork_ticket - a fork under way
 * @child: the child's space
 * @file: its file
 * @mm: the child's mm, once its first VMA was copied
 * @err: what went wrong in the open operation, which cannot fail
 * @woken: the child was about to run
 * @first: first page of the leaf at hand
 * @nr_pinned: entries of @pinned
 * @pinned: pages of the leaf, counted from @first, that someone does I/O on
 */
struct fork_ticket {
	struct mm_space *child;
	struct file *file;
	struct mm_struct *mm;
	int err;
	bool woken;
	u64 first;
	unsigned int nr_pinned;
	u16 pinned[LEAF_SLOTS];
};

/*
 * That of the running task; NULL if it has none.  A clone3() whose flags were changed after our
 * handler read them forks without a ticket, beside another thread whose ticket may go at any time.
 */
static struct fork_ticket *my_ticket(struct mm_space *parent)
{
	return READ_ONCE(parent->forker) == current ? parent->ticket : NULL;
}

static void ticket_begin(struct mm_space *parent, struct fork_ticket *t)
{
	parent->ticket = t;
	WRITE_ONCE(parent->forker, current);
}

static void ticket_end(struct mm_space *parent)
{
	WRITE_ONCE(parent->forker, NULL);
	parent->ticket = NULL;
	mutex_unlock(&parent->layout);
}

/* ---- step 2: sharing ---- */

static int protect_pte(pte_t *pte, unsigned long addr, void *data)
{
	struct fork_ticket *t = data;
	pte_t old = *pte;

	if (!pte_present(old))
		return 0;
	/* Also clean: mprotect may make a dirty entry writable again without asking us. */
	if (pte_write(old) || pte_dirty(old)) {
		set_pte(pte, pte_mkclean(pte_wrprotect(old)));
		/* get_user_pages_fast() takes its reference, and then looks at the entry again. */
		smp_mb();
	}
	/* What folio_maybe_dma_pinned() says of a single page. */
	if (page_ref_count(pte_page(old)) >= GUP_PIN_COUNTING_BIAS)
		t->pinned[t->nr_pinned++] = (addr >> PAGE_SHIFT) - t->first;
	return 0;
}

/* Direct I/O goes on into the parent's frame, so the child cannot share it. */
static int copy_pinned(struct fork_ticket *t, u64 vpn)
{
	int tries = COPY_TRIES, err;

	do {
		err = space_copy_now(&t->child->space, vpn);
	} while ((err == -EBUSY || err == -EAGAIN) && tries-- && !fatal_signal());
	return err;
}

/* At most a leaf, which the child shares already. */
static void protect_range(void *arg, u64 vpn, u64 n)
{
	struct fork_ticket *t = arg;
	unsigned int i;

	t->first = vpn;
	t->nr_pinned = 0;
	apply_to_existing_page_range(current->mm, vpn << PAGE_SHIFT, n << PAGE_SHIFT,
				     protect_pte, t);
	for (i = 0; i < t->nr_pinned && !t->err; i++)
		t->err = copy_pinned(t, vpn + t->pinned[i]);
}

void fork_open(struct vm_area_struct *vma)
{
	struct mm_space *parent = vma->vm_file->private_data;
	struct fork_ticket *t = my_ticket(parent);
	int err;

	/* Without a ticket the child is killed before it runs. */
	if (!t)
		return;
	t->mm = vma->vm_mm;
	/* UFFD_FEATURE_EVENT_FORK: the host would copy the page-table entries. */
	if (vma->vm_flags & VM_UFFD_WP)
		compat_vm_flags_clear(vma, VM_UFFD_WP);
	err = space_fork(&parent->space, &t->child->space, vma->vm_pgoff, vma_pages(vma),
			 protect_range, t);
	if (err)
		t->err = err;
}

/* ---- step 3: the child's own file ---- */

#define vma_first(vma)	((vma)->vm_pgoff)
#define vma_last(vma)	((vma)->vm_pgoff + vma_pages(vma) - 1)

/* The host's tree of the VMAs that map a file; its own functions for it are not for modules. */
INTERVAL_TREE_DEFINE(struct vm_area_struct, shared.rb, unsigned long, shared.rb_subtree_last,
		     vma_first, vma_last, static __maybe_unused, file_vmas)

static void move_vma(struct vm_area_struct *vma, struct mm_space *to)
{
	struct file *old = vma->vm_file;
	struct address_space *from = old->f_mapping;

	i_mmap_lock_write(from);
	file_vmas_remove(vma, &from->i_mmap);
	if ((vma->vm_flags & (VM_SHARED | VM_MAYWRITE)) == (VM_SHARED | VM_MAYWRITE))
		mapping_unmap_writable(from);
	i_mmap_unlock_write(from);

	vma->vm_file = get_file(to->file);

	i_mmap_lock_write(&to->mapping);
	if ((vma->vm_flags & (VM_SHARED | VM_MAYWRITE)) == (VM_SHARED | VM_MAYWRITE))
		mapping_allow_writable(&to->mapping);
	file_vmas_insert(vma, &to->mapping.i_mmap);
	i_mmap_unlock_write(&to->mapping);
	fput(old);
}

static void adopt_child(struct mm_space *parent, struct fork_ticket *t)
{
	struct mm_struct *mm = t->mm;
	struct vm_area_struct *vma;
	bool anchored = false;
	VMA_ITERATOR(vmi, mm, 0);

	mmap_write_lock(mm);
	for_each_vma(vmi, vma) {
		if (!vma_is_pool(vma) || vma->vm_file != parent->file)
			continue;
		move_vma(vma, t->child);
		if (vma->vm_start <= parent->anchor && parent->anchor < vma->vm_end)
			anchored = true;
	}
	/* Nobody but who tries to get out has the anchor left behind (MADV_DONTFORK). */
	if (!anchored)
		t->err = -EINVAL;
	t->child->anchor = parent->anchor;
	mm_space_publish(t->child, mm);
	mmap_write_unlock(mm);
}

long fork_wake(struct pt_regs *regs, unsigned long ip)
{
	struct task_struct *child = (struct task_struct *)regs;
	struct mm_space *parent = mm_space_find(current->mm);
	struct fork_ticket *t = parent ? my_ticket(parent) : NULL;

	if (child->mm && child->mm != current->mm) {
		if (t && t->mm == child->mm) {
			adopt_child(parent, t);
			t->woken = true;
		}
		/* A clone that our handler took for a thread, or one that ran out of memory. */
		if (parent && (!t || !t->woken || t->err))
			send_sig(SIGKILL, child, 1);
		if (t && t->woken)
			ticket_end(parent);
	}
	if (parent)
		mm_space_put(parent);
	return hooks_call_original(regs, ip);
}

/* ---- step 1 ---- */

long fork_call(struct pt_regs *regs, unsigned long ip, u64 flags)
{
	struct fork_ticket *t = NULL;
	struct mm_space *parent;
	long ret;

	if (flags & CLONE_VM)
		return hooks_call_original(regs, ip);
	parent = mm_space_current();
	if (!parent)
		return -EINTR;
	ret = -ENOMEM;
	t = kzalloc(sizeof(*t), GFP_POOL);
	if (!t)
		goto out;
	t->child = mm_space_create(parent->mg, &t->file);
	if (IS_ERR(t->child)) {
		ret = PTR_ERR(t->child);
		goto out;
	}
	if (mutex_lock_killable(&parent->layout)) {
		ret = -EINTR;
		goto out_file;
	}
	ticket_begin(parent, t);
	ret = hooks_call_original(regs, ip);
	if (!t->woken)
		ticket_end(parent);
out_file:
	/* The child's VMAs hold the file now, or nobody does. */
	fput(t->file);
out:
	kfree(t);
	mm_space_put(parent);
	return ret;
}
