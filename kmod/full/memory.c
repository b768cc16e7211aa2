// SPDX-License-Identifier: GPL-2.0
/*
 * A guest's memory: frames of the host's, each taken when it is touched first, and one mapping of
 * them.
 *
 *	base, a multiple of 4 MiB	guest-physical memory
 *	base + size			a gap of up to 16 MiB, and the guest's vmalloc: nothing
 *	end				until the guest maps something there
 *
 * A stack has to be there before it is one: the processor cannot report a fault on a stack that
 * is not. The guest's kernel touches new ones; the host touches the first.
 */
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/smp.h>
#include <linux/vmalloc.h>
#include <asm/tlbflush.h>

#include "kmod/full/host-call.h"
#include "kmod/full/instance.h"

#define UNIT		(4UL << 20)
#define GAP		(16UL << 20)
#define VMALLOC_MIN	(32UL << 20)

/* It fails rather than calling the host's OOM killer. */
#define GFP_GUEST	(GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NORETRY | __GFP_NOWARN)

static pte_t *entry_of(unsigned long address)
{
	unsigned int level;
	pte_t *pte = lookup_address(address, &level);

	return pte && level == PG_LEVEL_4K ? pte : NULL;
}

static void flush_local(void *unused)
{
	__flush_tlb_all();
}

static void flush(void)
{
	on_each_cpu(flush_local, NULL, 1);
}

/* ---- frames ---- */

/** memory_has - Return: whether an address is in the guest's memory, there or not */
bool memory_has(struct lodge_instance *inst, unsigned long address)
{
	return address - inst->memory.base < inst->memory.size;
}

/*
 * May this be called twice at a time, for it is: by workers and who has the token. Neither may be
 * refused the charge for the page that the other one has it for.
 */
static struct page *get_frame(struct lodge_instance *inst, unsigned long n, gfp_t gfp)
{
	struct page *page = READ_ONCE(inst->pages[n]), *new;
	unsigned long flags;

	if (page)
		return page;
	new = alloc_page(gfp);
	if (!new)
		return NULL;
	spin_lock_irqsave(&inst->frames_lock, flags);
	page = inst->pages[n];
	if (!page && guest_charge(inst)) {
		page = new;
		set_pte(entry_of(inst->memory.base + n * PAGE_SIZE), mk_pte(page, PAGE_KERNEL));
		/* Who sees the page, above, finds it in the tables. */
		smp_store_release(&inst->pages[n], page);
	}
	spin_unlock_irqrestore(&inst->frames_lock, flags);
	if (page != new)
		__free_page(new);
	if (!page) {
		guest_exceeded(inst);
		return NULL;
	}
	return page;
}

/**
 * memory_frame - the frame of a guest-physical page
 * @inst: the guest
 * @n: number of the page
 *
 * Return: NULL if there is no such page, or no memory: if that is for memory.max, the guest ends;
 * may sleep.
 */
struct page *memory_frame(struct lodge_instance *inst, unsigned long n)
{
	return n < inst->nr_pages ? get_frame(inst, n, GFP_GUEST) : NULL;
}

/**
 * memory_touch - see to it that a range is there, if it is the guest's memory
 * @inst: the guest
 * @start: of the range
 * @length: bytes
 *
 * Return: 0 or -ENOMEM; may sleep.
 */
int memory_touch(struct lodge_instance *inst, const void *start, unsigned long length)
{
	unsigned long at = (unsigned long)start & PAGE_MASK;

	for (; at < (unsigned long)start + length; at += PAGE_SIZE)
		if (memory_has(inst, at) &&
		    !memory_frame(inst, (at - inst->memory.base) >> PAGE_SHIFT))
			return -ENOMEM;
	return 0;
}

/** host_memory_fault - see host-call.h */
long host_memory_fault(struct lodge_instance *inst, unsigned long address)
{
	return memory_frame(inst, (address - inst->memory.base) >> PAGE_SHIFT) ? 0 : -ENOMEM;
}

/**
 * memory_fault - a page of the guest's memory is not there
 * @inst: the guest of the running thread
 * @regs: who has touched it; interrupts are off
 * @address: what
 *
 * Return: true if it is there now.
 */
bool memory_fault(struct lodge_instance *inst, struct pt_regs *regs, unsigned long address)
{
	bool done;

	if (!memory_has(inst, address))
		return false;
	/* In code that cannot sleep there is no other way than what is free. */
	if (preempt_count() || !(regs->flags & X86_EFLAGS_IF))
		return get_frame(inst, (address - inst->memory.base) >> PAGE_SHIFT,
				 GFP_ATOMIC | __GFP_ZERO | __GFP_NOWARN);
	local_irq_enable();
	if (memory_has(inst, regs->sp))
		done = !lodge_memory_fault(inst, address);
	else
		done = !host_memory_fault(inst, address);
	local_irq_disable();
	return done;
}

/** host_memory_drop - see lodge-host.h */
long host_memory_drop(struct lodge_instance *inst, unsigned long address, unsigned long length)
{
	unsigned long n = (address - inst->memory.base) >> PAGE_SHIFT, at, dropped = 0;
	struct page *page;

	if (!length || (address | length) & ~PAGE_MASK || !memory_has(inst, address) ||
	    !memory_has(inst, address + length - 1))
		return -EINVAL;
	for (at = address; at < address + length; at += PAGE_SIZE)
		set_pte(entry_of(at), __pte(0));
	flush();
	for (at = address; at < address + length; at += PAGE_SIZE, n++) {
		page = xchg(&inst->pages[n], NULL);
		if (!page)
			continue;
		__free_page(page);
		dropped++;
	}
	guest_uncharge(inst, dropped);
	return 0;
}
EXPORT_SYMBOL_GPL(lodge_memory_drop);

/* ---- the guest's vmalloc ---- */

static bool is_room(struct lodge_instance *inst, unsigned long address, unsigned long length)
{
	const struct lodge_memory *m = &inst->memory;

	return address >= m->base + m->size && address <= m->end && length <= m->end - address &&
	       !((address | length) & ~PAGE_MASK);
}

/** host_kernel_map - see lodge-host.h */
int host_kernel_map(struct lodge_instance *inst, unsigned long address, unsigned long physical,
		    unsigned long length)
{
	unsigned long i, first = physical >> PAGE_SHIFT;
	struct page *page;
	bool stale = false;
	int err = 0;
	pte_t *pte;

	if (!is_room(inst, address, length) || first + (length >> PAGE_SHIFT) > inst->nr_pages)
		return -EINVAL;
	for (i = 0; i < length >> PAGE_SHIFT; i++) {
		pte = entry_of(address + i * PAGE_SIZE);
		page = memory_frame(inst, first + i);
		if (!pte || !page) {
			err = pte ? -ENOMEM : -EINVAL;
			break;
		}
		stale |= pte_present(*pte);
		set_pte(pte, mk_pte(page, PAGE_KERNEL));
	}
	if (stale)
		flush();
	return err;
}
EXPORT_SYMBOL_GPL(lodge_kernel_map);

static void unmap(unsigned long address, unsigned long length)
{
	unsigned long at;
	pte_t *pte = NULL;
	bool stale = false;

	for (at = address; at < address + length; at += PAGE_SIZE) {
		/* Those of one table lie side by side. */
		pte = pte && at & ~PMD_MASK ? pte + 1 : entry_of(at);
		if (pte && pte_present(*pte)) {
			set_pte(pte, __pte(0));
			stale = true;
		}
	}
	if (stale)
		flush();
}

/** host_kernel_unmap - see lodge-host.h */
int host_kernel_unmap(struct lodge_instance *inst, unsigned long address, unsigned long length)
{
	if (!is_room(inst, address, length))
		return -EINVAL;
	unmap(address, length);
	return 0;
}
EXPORT_SYMBOL_GPL(lodge_kernel_unmap);

/* ---- all of it ---- */

static int map_all(struct lodge_instance *inst, unsigned long size)
{
	unsigned long room = GAP + max(size / 4, VMALLOC_MIN);
	unsigned long n = (UNIT + size + room) >> PAGE_SHIFT, i;
	struct page **view = kvmalloc_array(n, sizeof(*view), GFP_KERNEL);
	struct lodge_memory *m = &inst->memory;
	unsigned long shift;

	if (!view)
		return -ENOMEM;
	/* Where the mapping comes to lie is the host's choice, and what is mapped is taken away. */
	for (i = 0; i < n; i++)
		view[i] = ZERO_PAGE(0);
	inst->area = vmap(view, n, VM_MAP, PAGE_KERNEL_RO);
	kvfree(view);
	if (!inst->area)
		return -ENOMEM;
	unmap((unsigned long)inst->area, n << PAGE_SHIFT);
	shift = ALIGN((unsigned long)inst->area, UNIT) - (unsigned long)inst->area;
	m->base = (unsigned long)inst->area + shift;
	m->size = size;
	m->end = m->base + size + room;
	return 0;
}

/**
 * memory_alloc - give a guest its memory
 * @inst: the guest
 * @size: bytes, a multiple of 4 MiB
 *
 * Return: 0 or -ENOMEM; memory_free() has to be called in either case.
 */
int memory_alloc(struct lodge_instance *inst, unsigned long size)
{
	int err;

	inst->nr_pages = size >> PAGE_SHIFT;
	inst->pages = kvcalloc(inst->nr_pages, sizeof(*inst->pages), GFP_KERNEL);
	if (!inst->pages)
		return -ENOMEM;
	err = map_all(inst, size);
	/* The first stack, and what it overflows into. */
	return err ?: memory_touch(inst, (void *)inst->memory.base, 2 * inst->ops->stack_size);
}

/** memory_free - take it back; nobody is on a stack in it, no program sees it */
void memory_free(struct lodge_instance *inst)
{
	unsigned long i, freed = 0;

	if (inst->area)
		vunmap(inst->area);
	for (i = 0; inst->pages && i < inst->nr_pages; i++) {
		if (!inst->pages[i])
			continue;
		__free_page(inst->pages[i]);
		freed++;
	}
	guest_uncharge(inst, freed);
	kvfree(inst->pages);
	inst->area = NULL;
	inst->pages = NULL;
	inst->nr_pages = 0;
	memset(&inst->memory, 0, sizeof(inst->memory));
}
