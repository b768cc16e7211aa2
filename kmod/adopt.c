// SPDX-License-Identifier: GPL-2.0
/*
 * Adoption: mappings that the host made become the pool's, with what they hold.
 *
 * After exec these are the program's data, heap and stack; later, private mappings of
 * files that mprotect makes writable.
 */
#include <linux/file.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>

#include "kmod/compat/mm.h"
#include "kmod/mm-guest.h"

/* A stack without a limit of its own gets this much room. */
#define STACK_UNLIMITED	(256UL << 20)

/* Arguments and environment longer than this go into the pool with the rest of the stack. */
#define ARGUMENTS_MAX	(64UL << 10)

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

/* Of the pages that one page table maps, those to copy; and a buffer for one. */
struct present {
	unsigned int n;
	u16 index[PTRS_PER_PTE];
	u8 data[PAGE_SIZE];
};

/* ---- what there is ---- */

/* Private memory that can be written or, with @later, that cannot, but is about to be. */
static bool wanted(struct vm_area_struct *vma, bool later)
{
	unsigned long write = vma->vm_flags & (VM_WRITE | VM_MAYWRITE);

	if (vma->vm_flags & VM_SHARED || (later ? write != VM_MAYWRITE : !(write & VM_WRITE)))
		return false;
	if (vma->vm_flags & (VM_IO | VM_PFNMAP | VM_MIXEDMAP | VM_HUGETLB))
		return false;
	return vma_is_anonymous(vma) || (vma->vm_file && S_ISREG(file_inode(vma->vm_file)->i_mode));
}

/*
 * Where the stack of a program may begin: as low as its limit says and its neighbour below allows.
 */
static unsigned long stack_start(unsigned long below, unsigned long start, unsigned long end)
{
	unsigned long size = PAGE_ALIGN(min(rlimit(RLIMIT_STACK), STACK_UNLIMITED));
	unsigned long lowest = below + STACK_GUARD;

	if (size > end - PAGE_SIZE)
		size = end - PAGE_SIZE;
	return min(start, max(end - size, lowest));
}

/*
 * Where the part of the stack that the pool takes ends.  The host reads a process's arguments and
 * environment, for ps and top, from anonymous memory only: those few pages stay the host's.
 */
static unsigned long stack_end(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	unsigned long arguments = mm->arg_start & PAGE_MASK;

	return arguments > start && arguments < end && end - arguments <= ARGUMENTS_MAX ?
	       arguments : end;
}

/* What is left of the host's stack must not grow: that would be memory outside the pool. */
static void stop_growth(unsigned long addr)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;

	mmap_write_lock(mm);
	vma = find_vma(mm, addr);
	if (vma && vma->vm_start <= addr && vma->vm_flags & VM_GROWSDOWN) {
		mm->stack_vm -= vma_pages(vma);
		mm->data_vm += vma_pages(vma);
		compat_vm_flags_clear(vma, VM_GROWSDOWN);
	}
	mmap_write_unlock(mm);
}

/*
 * List the mappings to take over between @start and @end; Return: their number or -ENOMEM.
 * The caller frees the list and puts the files.
 */
static int list_parts(struct part **list, unsigned long start, unsigned long end,
		      unsigned long prot)
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
		if (vma->vm_start < end && vma->vm_end > start && wanted(vma, prot & PROT_WRITE)) {
			struct part *p = &parts[n++];

			p->start = max(start, vma->vm_start);
			p->end = min(end, vma->vm_end);
			p->prot = vma_prot(vma) | prot;
			p->file = vma->vm_file ? get_file(vma->vm_file) : NULL;
			p->pgoff = vma->vm_pgoff + ((p->start - vma->vm_start) >> PAGE_SHIFT);
			p->stack = !prot && vma->vm_flags & VM_GROWSDOWN;
			if (p->stack) {
				p->start = stack_start(below, p->start, p->end);
				p->end = stack_end(mm, p->start, p->end);
			}
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

	if (!pte_present(*pte) || (!pte_special(*pte) && PageAnon(pte_page(*pte))))
		p->index[p->n++] = pte_index(addr);
	return 0;
}

/* The entry of an address in the lowest but one of the page tables; NULL if there is no table. */
static pmd_t *find_pmd(struct mm_struct *mm, unsigned long addr)
{
	pgd_t *pgd = pgd_offset(mm, addr);
	p4d_t *p4d;
	pud_t *pud;

	if (pgd_none(*pgd))
		return NULL;
	p4d = p4d_offset(pgd, addr);
	if (p4d_none(*p4d))
		return NULL;
	pud = pud_offset(p4d, addr);
	return pud_none(*pud) || pud_leaf(*pud) ? NULL : pmd_offset(pud, addr);
}

/* The same for all that one page table maps, between @addr and @end. */
static int list_present(struct mm_struct *mm, unsigned long addr, unsigned long end,
			struct present *present)
{
	int err = 0;
	pmd_t *pmd;

	present->n = 0;
	/* For writing, so that no huge page comes into being. */
	mmap_write_lock(mm);
	pmd = find_pmd(mm, addr);
	if (!pmd || pmd_none(*pmd))
		goto out;
	if (pmd_present(*pmd) && !pmd_leaf(*pmd)) {
		err = apply_to_existing_page_range(mm, addr, end - addr, note_present, present);
	} else if (!pmd_present(*pmd) || PageAnon(pmd_page(*pmd))) {
		for (; addr < end; addr += PAGE_SIZE)
			present->index[present->n++] = pte_index(addr);
	}
out:
	mmap_write_unlock(mm);
	return err;
}

/* ---- taking over ---- */

static int fill(struct mm_space *ms, unsigned long addr, const void *data)
{
	int tries = FILL_TRIES, err;

	do {
		err = space_fill(&ms->space, addr >> PAGE_SHIFT, data);
	} while (err == -EBUSY && tries--);
	return err == -EBUSY ? -ENOMEM : err;
}

static int copy_one(struct mm_space *ms, unsigned long addr, void *buffer)
{
	if (copy_from_user(buffer, (void __user *)addr, PAGE_SIZE))
		return -EFAULT;
	return fill(ms, addr, buffer);
}

static int copy_present(struct mm_space *ms, struct part *part, struct present *present)
{
	unsigned long addr, next;
	unsigned int i;
	int err = 0;

	for (addr = part->start; addr < part->end && !err; addr = next) {
		next = pmd_addr_end(addr, part->end);
		err = list_present(current->mm, addr, next, present);
		for (i = 0; i < present->n && !err; i++)
			err = copy_one(ms, (addr & PMD_MASK) + present->index[i] * PAGE_SIZE,
				       present->data);
		if (fatal_signal())
			err = -EINTR;
		cond_resched();
	}
	return err;
}

static int take_over(struct mm_space *ms, struct part *part, struct present *present)
{
	unsigned long n = (part->end - part->start) >> PAGE_SHIFT, done;
	struct backing *backing = NULL;
	u64 vpn = part->start >> PAGE_SHIFT;
	int err;

	err = space_drop(&ms->space, vpn, n);
	if (err)
		return err;
	if (part->file) {
		backing = backing_create(part->file, vpn, part->pgoff);
		if (!backing)
			return -ENOMEM;
		err = space_back(&ms->space, vpn, n, backing);
		backing_put_n(backing, 1);
	}
	if (!err)
		err = copy_present(ms, part, present);
	if (err)
		goto err_drop;
	/* Not mapping_map(): what it would forget is what we have just filled in. */
	done = vm_mmap(ms->file, part->start, part->end - part->start, part->prot,
		       MAP_SHARED | MAP_FIXED, part->start);
	if (!IS_ERR_VALUE(done)) {
		if (part->stack)
			stop_growth(part->end);
		return 0;
	}
	err = done;
err_drop:
	space_drop(&ms->space, vpn, n);
	return err;
}

int adopt_range(struct mm_space *ms, unsigned long start, unsigned long end, unsigned long prot)
{
	struct present *present = kvmalloc(sizeof(*present), GFP_KERNEL | __GFP_NOWARN);
	struct part *parts = NULL;
	int i, n, err = 0;

	if (!present)
		return -ENOMEM;
	n = list_parts(&parts, start, end, prot);
	for (i = 0; i < n && !err; i++)
		err = take_over(ms, &parts[i], present);
	for (i = 0; i < n; i++)
		if (parts[i].file)
			fput(parts[i].file);
	kvfree(parts);
	kvfree(present);
	return n < 0 ? n : err;
}
