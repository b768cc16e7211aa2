// SPDX-License-Identifier: GPL-2.0
/*
 * Address spaces of a guest's programs: one mapping in each host thread's mm, of which the guest's
 * page tables say what is in it.
 *
 * A space has its own part of the instance's file, so that all mms that show it are found by the
 * offset. Only who has the token changes a space, and a fault of who is in user mode without it
 * goes to the guest: page tables do not change under one.
 */
#include <linux/cred.h>
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <asm/trap_pf.h>

#include "kmod/compat/mm.h"
#include "kmod/full/host-call.h"
#include "kmod/full/instance.h"
#include "kmod/full/trap.h"

#define PAGES_PER_SPACE	(FULL_SPACE_SIZE >> PAGE_SHIFT)

/* What apply_to_page_range() is to do with one entry. */
struct entry_change {
	pte_t new;
	bool in_the_way;	/* there is another page, or this one with more rights */
};

static int change_entry(pte_t *pte, unsigned long address, void *data)
{
	struct entry_change *change = data;
	pte_t old = *pte;

	if (!pte_none(old) && (pte_pfn(old) != pte_pfn(change->new) ||
			       (pte_write(old) && !pte_write(change->new)))) {
		change->in_the_way = true;
		return 0;
	}
	/* More rights than before need no flush: the processor looks again before it faults. */
	set_pte(pte, change->new);
	return 0;
}

/*
 * Return: false if what is mapped there has to be zapped first, there is no memory, or @pte says
 * that nothing is to be mapped.
 */
static bool insert(struct lodge_thread *ht, unsigned long address, unsigned long pte)
{
	unsigned long frame = (pte & PAGE_MASK) >> PAGE_SHIFT;
	unsigned long flags = VM_SHARED | VM_READ | VM_EXEC;
	struct entry_change change = { 0 };
	struct page *page;

	/* Nothing is not guest-physical page 0. */
	page = pte & LODGE_PTE_READ ? memory_frame(ht->inst, frame) : NULL;
	if (!page)
		return false;
	if (pte & LODGE_PTE_WRITE)
		flags |= VM_WRITE;
	/* The entry is nobody's but ours: no reference, no reverse mapping. */
	change.new = pte_mkspecial(mk_pte(page, vm_get_page_prot(flags)));
	if (pte & LODGE_PTE_WRITE)
		change.new = pte_mkdirty(change.new);
	return !apply_to_page_range(current->mm, address & PAGE_MASK, PAGE_SIZE, change_entry,
				    &change) && !change.in_the_way;
}

/* ---- faults ---- */

static void note_fault(struct lodge_thread *ht, struct vm_fault *vmf)
{
	ht->cr2 = vmf->real_address;
	ht->error_code = X86_PF_USER;
	if (vmf->flags & FAULT_FLAG_WRITE)
		ht->error_code |= X86_PF_WRITE;
	if (vmf->flags & FAULT_FLAG_INSTRUCTION)
		ht->error_code |= X86_PF_INSTR;
	set_bit(THREAD_FAULT, &ht->flags);
	thread_queue_work(ht);
}

/* Return: what the guest's page table has for a fault; 0 if that does not do. */
static unsigned long look_up(struct lodge_thread *ht, struct vm_fault *vmf)
{
	unsigned long needed = vmf->flags & FAULT_FLAG_WRITE ? LODGE_PTE_WRITE : LODGE_PTE_READ;
	unsigned long pte;

	/* Without the token, it may be changing them. */
	if (READ_ONCE(ht->inst->in_user) != ht)
		return 0;
	pte = ht->inst->ops->lookup(ht->pgd, vmf->real_address);
	return pte & needed ? pte : 0;
}

/* Others that look into the process's memory find none: the guest may be changing it. */
static bool is_own(struct vm_fault *vmf, struct lodge_thread *ht)
{
	return ht && vmf->flags & FAULT_FLAG_USER && ht == thread_current();
}

static vm_fault_t space_fault(struct vm_fault *vmf)
{
	struct lodge_thread *ht = vmf->vma->vm_private_data;
	unsigned long pte;

	if (!is_own(vmf, ht))
		return VM_FAULT_SIGBUS;
	pte = look_up(ht, vmf);
	if (!pte)
		note_fault(ht, vmf);
	else if (!insert(ht, vmf->real_address, pte))
		return VM_FAULT_OOM;
	return VM_FAULT_NOPAGE;
}

/* The page is there, and was not to be written when it was inserted. */
static vm_fault_t space_write_fault(struct vm_fault *vmf)
{
	struct lodge_thread *ht = vmf->vma->vm_private_data;

	if (!is_own(vmf, ht))
		return VM_FAULT_SIGBUS;
	if (look_up(ht, vmf))
		return 0;
	note_fault(ht, vmf);
	return VM_FAULT_NOPAGE;
}

/* ---- the mapping ---- */

static void space_close(struct vm_area_struct *vma)
{
	struct lodge_thread *ht = vma->vm_private_data;

	/* Unless it is we who unmap it, its process has ended without a word to us: an oops. */
	if (ht && !test_bit(THREAD_REBIND, &ht->flags))
		thread_lost(ht);
}

static int space_may_split(struct vm_area_struct *vma, unsigned long address)
{
	return -EINVAL;
}

static const struct vm_operations_struct space_ops = {
	.fault = space_fault,
	.pfn_mkwrite = space_write_fault,
	.close = space_close,
	.may_split = space_may_split,
};

/** space_mmap - the device's mmap: for ourselves only */
int space_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct lodge_instance *inst = file->private_data;
	struct lodge_thread *ht = thread_current();

	if (!trap_is_marked(current) || ht->inst != inst || !test_bit(THREAD_REBIND, &ht->flags))
		return -EINVAL;
	vma->vm_ops = &space_ops;
	vma->vm_private_data = ht;
	/* A clone begins with nothing, and says itself what it shows. */
	compat_vm_flags_set(vma, VM_PFNMAP | VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP |
				 VM_EXEC | VM_MAYEXEC);
	ht->vma = vma;
	return 0;
}

/* Who else shows the same cannot be left out when something there changes. */
static void note_sharing(struct lodge_thread *ht, int space)
{
	struct lodge_instance *inst = ht->inst;
	struct lodge_thread *other;

	clear_bit(THREAD_SHARES, &ht->flags);
	spin_lock(&inst->lock);
	list_for_each_entry(other, &inst->threads, list)
		if (other != ht && other->space == space) {
			set_bit(THREAD_SHARES, &other->flags);
			set_bit(THREAD_SHARES, &ht->flags);
		}
	ht->space = space;
	spin_unlock(&inst->lock);
}

/**
 * space_bind - the running thread's mm shows an address space, and nothing else
 * @ht: the running thread
 * @space: the address space; it is new to it, as after exec
 *
 * Return: 0, or an error: the thread has to end.
 */
int space_bind(struct lodge_thread *ht, int space)
{
	const struct cred *old = override_creds(ht->inst->cred);
	unsigned long address;
	int err;

	set_bit(THREAD_REBIND, &ht->flags);
	err = vm_munmap(0, ht->space ? FULL_SPACE_SIZE : TASK_SIZE);
	if (!err) {
		/* At 0, so that programs find there what the guest has. Its owner may do that. */
		address = vm_mmap(ht->inst->file, 0, FULL_SPACE_SIZE, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_FIXED, (unsigned long)space << FULL_SPACE_SHIFT);
		if (IS_ERR_VALUE(address))
			err = address;
	}
	clear_bit(THREAD_REBIND, &ht->flags);
	revert_creds(old);
	if (err)
		return err;
	if (ht->space || test_and_clear_bit(THREAD_FRESH, &ht->flags))
		fpu_reset();
	note_sharing(ht, space);
	return 0;
}

/**
 * space_leave - the running thread's mm shows nothing of the guest any more, or ever again
 * @ht: the running thread, which is about to end
 */
void space_leave(struct lodge_thread *ht)
{
	if (!ht->space)
		return;
	/* The mapping goes with the mm: who was killed is not given the lock to unmap it. */
	WRITE_ONCE(ht->vma->vm_private_data, NULL);
	host_space_unmap(ht->inst, ht->space, 0, FULL_SPACE_SIZE);
}

static bool is_shown(struct lodge_instance *inst, int space)
{
	struct lodge_thread *ht;
	bool shown = false;

	spin_lock(&inst->lock);
	list_for_each_entry(ht, &inst->threads, list)
		shown |= ht->space == space;
	spin_unlock(&inst->lock);
	return shown;
}

/** lodge_space_new - see lodge-host.h */
int lodge_space_new(struct lodge_instance *inst)
{
	/* After 16 million of them, one for each exec and fork, those that are still there. */
	do {
		if (++inst->last_space >> (63 - FULL_SPACE_SHIFT))
			inst->last_space = 2;
	} while (is_shown(inst, inst->last_space));
	return inst->last_space;
}
EXPORT_SYMBOL_GPL(lodge_space_new);

/** lodge_space_free - see lodge-host.h */
void lodge_space_free(struct lodge_instance *inst, int space)
{
	lodge_space_unmap(inst, space, 0, FULL_SPACE_SIZE);
}
EXPORT_SYMBOL_GPL(lodge_space_free);

/** host_space_unmap - see lodge-host.h */
void host_space_unmap(struct lodge_instance *inst, int space, unsigned long address,
		      unsigned long length)
{
	unmap_mapping_pages(&inst->mapping, space * PAGES_PER_SPACE + (address >> PAGE_SHIFT),
			    length >> PAGE_SHIFT, false);
}
EXPORT_SYMBOL_GPL(lodge_space_unmap);

/** lodge_space_map - see lodge-host.h */
int lodge_space_map(struct lodge_instance *inst, int space, unsigned long address,
		    unsigned long pte)
{
	struct lodge_thread *ht = thread_current();

	/* Only in one's own mm, and if no other has it: who needs it elsewhere will fault. */
	return ht->space != space || test_bit(THREAD_SHARES, &ht->flags) ||
	       !insert(ht, address, pte);
}
EXPORT_SYMBOL_GPL(lodge_space_map);
