// SPDX-License-Identifier: GPL-2.0
/* exec: the private memory that the host gave to a new program goes into the pool before its first instruction. */
#include <linux/file.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "kmod/hooks.h"
#include "kmod/mm-guest.h"

/* A stack without a limit of its own gets this much room. */
#define STACK_UNLIMITED	(256UL << 20)

/* The host's default distance between a stack and the mapping below it. */
#define STACK_GUARD	(256UL << PAGE_SHIFT)

/* How often adoption asks for a frame that the pool does not have at once. */
#define FILL_TRIES	64

/* A mapping to take over. */
struct part {
	unsigned long start, end;
	unsigned long prot;
	struct file *file;	/* NULL for anonymous memory */
	unsigned long pgoff;
	bool stack;
};

struct present {
	unsigned long *addr;
	unsigned int n, max;
};

/* ---- what there is ---- */

static bool wanted(struct vm_area_struct *vma)
{
	if ((vma->vm_flags & (VM_WRITE | VM_SHARED)) != VM_WRITE)
		return false;
	if (vma->vm_flags & (VM_IO | VM_PFNMAP | VM_MIXEDMAP | VM_HUGETLB))
		return false;
	return vma_is_anonymous(vma) || (vma->vm_file && S_ISREG(file_inode(vma->vm_file)->i_mode));
}

static unsigned long vma_prot(struct vm_area_struct *vma)
{
	return (vma->vm_flags & VM_READ ? PROT_READ : 0) | (vma->vm_flags & VM_WRITE ? PROT_WRITE : 0) |
	       (vma->vm_flags & VM_EXEC ? PROT_EXEC : 0);
}

/* Where the stack of a program may begin: as low as its limit says and its neighbour below allows. */
static unsigned long stack_start(unsigned long below, unsigned long start, unsigned long end)
{
	unsigned long size = PAGE_ALIGN(min(rlimit(RLIMIT_STACK), STACK_UNLIMITED));
	unsigned long lowest = below + STACK_GUARD;

	if (size > end - PAGE_SIZE)
		size = end - PAGE_SIZE;
	return min(start, max(end - size, lowest));
}

/* List the mappings to take over; Return: their number or -ENOMEM.  The caller frees the list and puts the files. */
static int list_parts(struct part **list)
{
	struct mm_struct *mm = current->mm;
	unsigned long below = 0;
	struct vm_area_struct *vma;
	struct part *parts;
	int n = 0;
	VMA_ITERATOR(vmi, mm, 0);

	mmap_read_lock(mm);
	parts = kvmalloc_array(mm->map_count, sizeof(*parts), GFP_KERNEL | __GFP_NOWARN);
	if (!parts) {
		mmap_read_unlock(mm);
		return -ENOMEM;
	}
	for_each_vma(vmi, vma) {
		if (wanted(vma)) {
			struct part *p = &parts[n++];

			p->start = vma->vm_start;
			p->end = vma->vm_end;
			p->prot = vma_prot(vma);
			p->file = vma->vm_file ? get_file(vma->vm_file) : NULL;
			p->pgoff = vma->vm_pgoff;
			p->stack = vma->vm_flags & VM_GROWSDOWN;
			if (p->stack)
				p->start = stack_start(below, p->start, p->end);
		}
		below = vma->vm_end;
	}
	mmap_read_unlock(mm);
	*list = parts;
	return n;
}

/* Remember pages that have content of their own: not untouched, and not the file's. */
static int note_present(pte_t *pte, unsigned long addr, void *data)
{
	struct present *p = data;

	if (pte_present(*pte) && (pte_special(*pte) || !PageAnon(pte_page(*pte))))
		return 0;
	if (p->n == p->max)
		return -ENOSPC;
	p->addr[p->n++] = addr;
	return 0;
}

/* ---- taking over ---- */

static int fill(struct mm_space *ms, unsigned long addr, const void *data)
{
	int tries = FILL_TRIES, err;

	do {
		err = space_fill(&ms->space, addr >> PAGE_SHIFT, data);
	} while (err == -EAGAIN && tries--);
	return err == -EAGAIN ? -ENOMEM : err;
}

static int copy_present(struct mm_space *ms, struct part *part, void *buffer, struct present *present)
{
	unsigned int i;
	int err;

	present->n = 0;
	mmap_read_lock(current->mm);
	err = apply_to_existing_page_range(current->mm, part->start, part->end - part->start,
					   note_present, present);
	mmap_read_unlock(current->mm);
	for (i = 0; i < present->n && !err; i++) {
		if (copy_from_user(buffer, (void __user *)present->addr[i], PAGE_SIZE))
			return -EFAULT;
		err = fill(ms, present->addr[i], buffer);
	}
	return err;
}

static int take_over(struct mm_space *ms, struct part *part, void *buffer, struct present *present)
{
	unsigned long n = (part->end - part->start) >> PAGE_SHIFT, done;
	struct backing *backing = NULL;
	u64 vpn = part->start >> PAGE_SHIFT;
	int err = 0;

	if (part->file) {
		backing = backing_create(part->file, vpn, part->pgoff);
		if (!backing)
			return -ENOMEM;
		err = space_back(&ms->space, vpn, n, backing);
		backing_put_n(backing, 1);
	}
	if (!err)
		err = copy_present(ms, part, buffer, present);
	if (err)
		return err;
	/* Not mapping_map(): what it would forget is what we have just filled in. */
	done = vm_mmap(ms->file, part->start, part->end - part->start, part->prot, MAP_SHARED | MAP_FIXED,
		       part->start);
	return IS_ERR_VALUE(done) ? (int)done : 0;
}

static int adopt_parts(struct mm_space *ms)
{
	struct present present = { .max = 0 };
	struct part *parts = NULL;
	void *buffer = (void *)__get_free_page(GFP_POOL);
	int i, n = 0, err = -ENOMEM;

	if (!buffer)
		return -ENOMEM;
	n = list_parts(&parts);
	if (n < 0)
		goto out;
	/* Right after exec, all of a program's own pages are resident or swapped: one list serves every part. */
	present.max = get_mm_counter(current->mm, MM_ANONPAGES) + get_mm_counter(current->mm, MM_SWAPENTS) + 64;
	present.addr = kvmalloc_array(present.max, sizeof(*present.addr), GFP_KERNEL | __GFP_NOWARN);
	err = present.addr ? 0 : -ENOMEM;
	for (i = 0; i < n && !err; i++)
		err = take_over(ms, &parts[i], buffer, &present);
out:
	for (i = 0; i < n; i++)
		if (parts[i].file)
			fput(parts[i].file);
	kvfree(parts);
	kvfree(present.addr);
	free_page((unsigned long)buffer);
	return err;
}

int exec_adopt(struct mm_guest *mg)
{
	struct mm_space *ms;
	struct file *file;
	unsigned long anchor;
	int err = 0;

	ms = mm_space_create(mg, &file);
	if (IS_ERR(ms))
		return PTR_ERR(ms);
	mm_space_publish(ms, current->mm);
	mutex_lock(&ms->layout);
	anchor = mapping_map(ms, 0, PAGE_SIZE, PROT_NONE, 0, NULL);
	if (IS_ERR_VALUE(anchor)) {
		err = anchor;
	} else {
		ms->anchor = anchor;
		err = adopt_parts(ms);
	}
	mutex_unlock(&ms->layout);
	fput(file);
	return err;
}

long exec_call(struct pt_regs *regs, unsigned long ip)
{
	struct mm_struct *old = current->mm;
	struct mm_space *ms = mm_space_find(old);
	struct mm_guest *mg;
	long ret;
	int err;

	if (!ms)
		return hooks_call_original(regs, ip);
	mg = ms->mg;
	/* Between the old mm and the new one, the guest must not look empty. */
	mm_guest_use(mg);
	/* The old mm keeps its address from being used again until we have compared. */
	mmgrab(old);
	mm_space_put(ms);
	ret = hooks_call_original(regs, ip);
	if (current->mm && current->mm != old && !fatal_signal()) {
		err = exec_adopt(mg);
		if (err) {
			pr_warn("lodge: %s: %s[%d] killed: no memory for its program (error %d)\n",
				mg->guest->name, current->comm, task_tgid_nr(current), err);
			pool_event(mg->pool, PE_OOM_KILL);
			force_sig(SIGKILL);
		}
	}
	mmdrop(old);
	mm_guest_unuse(mg);
	return ret;
}
