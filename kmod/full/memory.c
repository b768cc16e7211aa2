// SPDX-License-Identifier: GPL-2.0
/*
 * A guest's memory: frames of the host's, all taken at the start, and one mapping of them.
 *
 *	base, a multiple of 4 MiB	guest-physical memory
 *	base + size			a gap of up to 16 MiB, and the guest's vmalloc: nothing
 *	end				until the guest maps something there
 */
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/smp.h>
#include <linux/vmalloc.h>
#include <asm/tlbflush.h>

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

/* ---- the guest's vmalloc ---- */

static bool is_room(struct lodge_instance *inst, unsigned long address, unsigned long length)
{
	const struct lodge_memory *m = &inst->memory;

	return address >= m->base + m->size && address <= m->end && length <= m->end - address &&
	       !((address | length) & ~PAGE_MASK);
}

/** lodge_kernel_map - see lodge-host.h */
int lodge_kernel_map(struct lodge_instance *inst, unsigned long address, unsigned long physical,
		     unsigned long length)
{
	unsigned long i, first = physical >> PAGE_SHIFT;
	bool stale = false;
	pte_t *pte;

	if (!is_room(inst, address, length) || first + (length >> PAGE_SHIFT) > inst->nr_pages)
		return -EINVAL;
	for (i = 0; i < length >> PAGE_SHIFT; i++) {
		pte = entry_of(address + i * PAGE_SIZE);
		if (!pte)
			return -EINVAL;
		stale |= pte_present(*pte);
		set_pte(pte, mk_pte(inst->pages[first + i], PAGE_KERNEL));
	}
	if (stale)
		flush();
	return 0;
}
EXPORT_SYMBOL_GPL(lodge_kernel_map);

static void unmap(unsigned long address, unsigned long length)
{
	unsigned long at;
	bool stale = false;
	pte_t *pte;

	for (at = address; at < address + length; at += PAGE_SIZE) {
		pte = entry_of(at);
		if (pte && pte_present(*pte)) {
			set_pte(pte, __pte(0));
			stale = true;
		}
	}
	if (stale)
		flush();
}

/** lodge_kernel_unmap - see lodge-host.h */
int lodge_kernel_unmap(struct lodge_instance *inst, unsigned long address, unsigned long length)
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
	/*
	 * Where the mapping comes to lie is the host's choice: what is before the first multiple of
	 * 4 MiB, and the room, is filled with what can be taken away.
	 */
	for (i = 0; i < n; i++)
		view[i] = inst->pages[0];
	inst->area = vmap(view, n, VM_MAP, PAGE_KERNEL);
	kvfree(view);
	if (!inst->area)
		return -ENOMEM;
	shift = ALIGN((unsigned long)inst->area, UNIT) - (unsigned long)inst->area;
	m->base = (unsigned long)inst->area + shift;
	m->size = size;
	m->end = m->base + size + room;
	unmap((unsigned long)inst->area, n << PAGE_SHIFT);
	for (i = 0; i < inst->nr_pages; i++)
		set_pte(entry_of(m->base + i * PAGE_SIZE), mk_pte(inst->pages[i], PAGE_KERNEL));
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
	unsigned long n = size >> PAGE_SHIFT;

	inst->pages = kvmalloc_array(n, sizeof(*inst->pages), GFP_KERNEL);
	if (!inst->pages)
		return -ENOMEM;
	for (inst->nr_pages = 0; inst->nr_pages < n; inst->nr_pages++) {
		inst->pages[inst->nr_pages] = alloc_page(GFP_GUEST);
		if (!inst->pages[inst->nr_pages] || fatal_signal_pending(current))
			break;
		cond_resched();
	}
	return inst->nr_pages < n ? -ENOMEM : map_all(inst, size);
}

/** memory_free - take it back; nobody is on a stack in it, no program sees it */
void memory_free(struct lodge_instance *inst)
{
	if (inst->area)
		vunmap(inst->area);
	while (inst->nr_pages)
		__free_page(inst->pages[--inst->nr_pages]);
	kvfree(inst->pages);
	inst->area = NULL;
	inst->pages = NULL;
	memset(&inst->memory, 0, sizeof(inst->memory));
}
