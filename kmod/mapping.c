// SPDX-License-Identifier: GPL-2.0
/*
 * Private memory as a mapping of the space's file,
 * and guest-mm/backend.h over the kernel's page tables.
 */
#include <linux/mman.h>
#include <linux/pagemap.h>
#include <linux/pkeys.h>
#include <linux/rmap.h>
#include <linux/sched/mm.h>
#include <linux/sort.h>

#include "kmod/compat/mm.h"
#include "kmod/mm-guest.h"

/* How often a debugger's access tries to get a frame. */
#define ACCESS_TRIES	100

/* ---- faults ---- */

static vm_fault_t fault_result(struct vm_area_struct *vma, int err)
{
	switch (err) {
	case -EBUSY:
		/*
		 * Who looks into another's memory (ptrace) may not be the guest's,
		 * so no kill would end its trying.
		 */
		return current->mm == vma->vm_mm ? VM_FAULT_NOPAGE : VM_FAULT_SIGBUS;
	case -EAGAIN:
		return VM_FAULT_NOPAGE;
	case -ENOMEM:
		/* No memory for tables.  VM_FAULT_OOM would loop, or call the host's OOM killer. */
		if (host_dying())
			return VM_FAULT_SIGBUS;
		host_sleep_ms(1);
		return VM_FAULT_NOPAGE;
	default:
		/* Also for a task that dies: so that a copy to user space ends. */
		return VM_FAULT_SIGBUS;
	}
}

/* A copied VMA whose fork went wrong: its process is about to be killed. */
static bool is_orphan(struct vm_area_struct *vma)
{
	struct mm_space *ms = vma->vm_file->private_data;

	return unlikely(ms->mm != vma->vm_mm);
}

/*
 * The kernel's own access to a process's memory may come with locks of a file: reading with
 * O_DIRECT holds the inode's, which may be that of the guest's swap file.  Such a fault writes no
 * file.
 */
static unsigned int io_stop(const struct vm_fault *vmf)
{
	return vmf->flags & FAULT_FLAG_USER ? 0 : memalloc_noio_save();
}

static void io_go_on(const struct vm_fault *vmf, unsigned int flags)
{
	if (!(vmf->flags & FAULT_FLAG_USER))
		memalloc_noio_restore(flags);
}

static vm_fault_t mapping_fault(struct vm_fault *vmf)
{
	struct mm_space *ms = vmf->vma->vm_file->private_data;
	struct frame *frame;
	unsigned int noio;
	int err;

	if (is_orphan(vmf->vma))
		return VM_FAULT_SIGBUS;
	noio = io_stop(vmf);
	err = space_fault(&ms->space, vmf->pgoff, vmf->flags & FAULT_FLAG_WRITE, &frame);
	io_go_on(vmf, noio);
	if (err < 0)
		return fault_result(vmf->vma, err);
	vmf->page = frame_page(frame);
	return VM_FAULT_LOCKED | (err ? VM_FAULT_MAJOR : 0);
}

static vm_fault_t mapping_mkwrite(struct vm_fault *vmf)
{
	struct mm_space *ms = vmf->vma->vm_file->private_data;
	unsigned int noio;
	int err;

	if (is_orphan(vmf->vma))
		return VM_FAULT_SIGBUS;
	noio = io_stop(vmf);
	err = space_mkwrite(&ms->space, vmf->pgoff, (struct frame *)vmf->page);
	io_go_on(vmf, noio);
	return err ? fault_result(vmf->vma, err) : VM_FAULT_LOCKED;
}

/* Having this operation is what keeps faults under the per-VMA lock. */
static vm_fault_t mapping_map_pages(struct vm_fault *vmf, pgoff_t start, pgoff_t end)
{
	return 0;
}

static void mapping_open(struct vm_area_struct *vma)
{
	struct mm_space *ms = vma->vm_file->private_data;

	if (ms->mm != vma->vm_mm)
		fork_open(vma);
}

/*
 * Moving a VMA keeps its page offset, which must be its address:
 * our mremap handler does it otherwise.
 */
static int mapping_mremap(struct vm_area_struct *vma)
{
	return vma->vm_pgoff == vma->vm_start >> PAGE_SHIFT ? 0 : -EINVAL;
}

/*
 * A debugger writes into memory that the process itself may not write: get_user_pages() does that
 * to private mappings only, and ours are shared ones to the host.  @addr .. @addr + @len may go
 * beyond the page, of which alone is done what there is.
 */
static int mapping_access(struct vm_area_struct *vma, unsigned long addr, void *buf, int len,
			  int write)
{
	struct mm_space *ms = vma->vm_file->private_data;
	unsigned int tries = ACCESS_TRIES;
	struct frame *frame;
	int err;

	if (is_orphan(vma) || !(vma->vm_flags & (write ? VM_MAYWRITE : VM_MAYREAD)))
		return -EIO;
	len = min_t(unsigned int, len, PAGE_SIZE - offset_in_page(addr));
	do {
		err = space_fault(&ms->space, addr >> PAGE_SHIFT, write, &frame);
	} while ((err == -EAGAIN || err == -EBUSY) && --tries && !fatal_signal_pending(current));
	if (err < 0)
		return -EIO;
	if (write)
		memcpy(frame_data(frame) + offset_in_page(addr), buf, len);
	else
		memcpy(buf, frame_data(frame) + offset_in_page(addr), len);
	frame_unlock(frame);
	frame_put(frame);
	/*
	 * A page table that has another frame there, without the right to write, learns of this
	 * one.
	 */
	if (write)
		backend_unmap_range(ms->space.pool, ms->space.id, addr >> PAGE_SHIFT, 1);
	return len;
}

const struct vm_operations_struct mapping_vm_ops = {
	.open = mapping_open,
	.fault = mapping_fault,
	.page_mkwrite = mapping_mkwrite,
	.map_pages = mapping_map_pages,
	.mremap = mapping_mremap,
	.access = mapping_access,
};

static int mapping_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct mm_space *ms = file->private_data;

	/* Reachable through /proc/PID/map_files and remap_file_pages() too. */
	if (vma->vm_pgoff != vma->vm_start >> PAGE_SHIFT || !(vma->vm_flags & VM_SHARED) ||
	    (ms->mm && ms->mm != vma->vm_mm))
		return -EINVAL;
	vma->vm_ops = &mapping_vm_ops;
	return 0;
}

const struct file_operations mapping_file_ops = {
	.owner = THIS_MODULE,
	.fsync = noop_fsync,	/* msync of private memory does nothing */
	.mmap = mapping_mmap,
	.release = mm_space_release,
};

/* ---- mapping and unmapping ---- */

unsigned long vma_prot(const struct vm_area_struct *vma)
{
	return (vma->vm_flags & VM_READ ? PROT_READ : 0) |
	       (vma->vm_flags & VM_WRITE ? PROT_WRITE : 0) |
	       (vma->vm_flags & VM_EXEC ? PROT_EXEC : 0);
}

bool mapping_is_free(unsigned long addr, unsigned long len)
{
	bool taken;

	mmap_read_lock(current->mm);
	taken = find_vma_intersection(current->mm, addr, addr + len);
	mmap_read_unlock(current->mm);
	return !taken;
}

bool mapping_is_pool(unsigned long addr, unsigned long len, struct traits *traits)
{
	struct vm_area_struct *vma;
	bool pool;

	mmap_read_lock(current->mm);
	vma = find_vma(current->mm, addr);
	pool = vma && vma->vm_start <= addr && vma->vm_end - addr >= len && vma_is_pool(vma);
	if (pool) {
		traits->prot = vma_prot(vma);
		traits->flags = vma->vm_flags & VM_LOCKED ? MAP_LOCKED : 0;
		traits->vm_flags = vma->vm_flags & (VM_DONTCOPY | VM_DONTDUMP);
		traits->pkey = vma_pkey(vma);
	}
	mmap_read_unlock(current->mm);
	return pool;
}

bool mapping_is_sealed(unsigned long addr, unsigned long len, unsigned long but)
{
	struct vm_area_struct *vma;
	VMA_ITERATOR(vmi, current->mm, addr);
	bool sealed = false;

	mmap_read_lock(current->mm);
	for_each_vma_range(vmi, vma, addr + len)
		sealed |= compat_vma_is_sealed(vma) && vma_is_pool(vma) && !(vma->vm_flags & but);
	mmap_read_unlock(current->mm);
	return sealed;
}

unsigned long mapping_find_area(unsigned long addr, unsigned long len, unsigned long flags)
{
	unsigned long area;

	/*
	 * As the host rounds a hint; a lower mmap_min_addr than the kernel's own is not followed.
	 */
	addr &= PAGE_MASK;
	if (addr && addr < CONFIG_DEFAULT_MMAP_MIN_ADDR)
		addr = PAGE_ALIGN(CONFIG_DEFAULT_MMAP_MIN_ADDR);
	mmap_read_lock(current->mm);
	area = compat_unmapped_area(addr, len, flags & ~(MAP_FIXED | MAP_FIXED_NOREPLACE));
	mmap_read_unlock(current->mm);
	return area;
}

int mapping_keep_anchor(struct mm_space *ms, unsigned long addr, unsigned long len)
{
	unsigned long area;

	if (ms->anchor >= addr + len || ms->anchor + PAGE_SIZE <= addr)
		return 0;
	area = mapping_map(ms, 0, PAGE_SIZE, PROT_NONE, 0, NULL);
	if (IS_ERR_VALUE(area))
		return area;
	if (area >= addr && area < addr + len) {
		vm_munmap(area, PAGE_SIZE);
		return -ENOMEM;
	}
	ms->anchor = area;
	return 0;
}

int mapping_restore_anchor(struct mm_space *ms)
{
	struct vm_area_struct *vma;
	unsigned long area;
	bool there;

	mmap_read_lock(current->mm);
	vma = find_vma(current->mm, ms->anchor);
	there = vma && vma->vm_start <= ms->anchor && vma_is_pool(vma);
	mmap_read_unlock(current->mm);
	if (there)
		return 0;
	area = mapping_map(ms, 0, PAGE_SIZE, PROT_NONE, 0, NULL);
	if (IS_ERR_VALUE(area))
		return area;
	ms->anchor = area;
	return 0;
}

/* Pages that an unmapping left behind, or that the mapping replaced; other threads may fault. */
static int forget_old(struct mm_space *ms, unsigned long addr, unsigned long len)
{
	return space_replace(&ms->space, addr >> PAGE_SHIFT, len >> PAGE_SHIFT);
}

unsigned long mapping_map(struct mm_space *ms, unsigned long addr, unsigned long len,
			  unsigned long prot, unsigned long flags, struct backing *backing)
{
	bool fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);
	bool replace = flags & MAP_FIXED && !(flags & MAP_FIXED_NOREPLACE);
	unsigned long keep = flags & (MAP_LOCKED | MAP_NORESERVE | (backing ? 0 : MAP_POPULATE));
	unsigned long area, done;
	int err;

	if (!len)
		return -EINVAL;
	len = PAGE_ALIGN(len);
	if (!len || len > TASK_SIZE)
		return -ENOMEM;
	if (replace) {
		err = mapping_keep_anchor(ms, addr, len);
		if (err)
			return err;
	}
	for (;;) {
		area = fixed ? addr : mapping_find_area(addr, len, flags);
		if (IS_ERR_VALUE(area))
			return area;
		if (offset_in_page(area))
			return -EINVAL;
		/*
		 * The offset is the address: so neighbours merge,
		 * and the file needs no other index.
		 */
		done = vm_mmap(ms->file, area, len, prot,
			       MAP_SHARED | keep |
			       (replace ? MAP_FIXED : MAP_FIXED_NOREPLACE), area);
		if (!IS_ERR_VALUE(done))
			break;
		/*
		 * Somebody mapped something there meanwhile,
		 * or the hint is below what may be mapped.
		 */
		if (fixed || (done != (unsigned long)-EEXIST &&
			      !(done == (unsigned long)-EPERM && addr)) ||
		    fatal_signal())
			return done;
		addr = 0;
	}
	err = forget_old(ms, done, len);
	if (!err && backing)
		err = space_back(&ms->space, done >> PAGE_SHIFT, len >> PAGE_SHIFT, backing);
	if (err) {
		vm_munmap(done, len);
		return err;
	}
	return done;
}

void backend_unmap_range(struct pool *pool, u32 space_id, u64 vpn, u64 n)
{
	struct mm_space *ms = mm_space_find_id(pool->owner, space_id);

	if (!ms)
		return;
	unmap_mapping_pages(&ms->mapping, vpn, n, false);
	mm_space_put_later(ms);
}

static int compare_mappers(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

void backend_unmap(struct pool *pool, u64 *mappers, unsigned int n)
{
	unsigned int i, run;

	for (i = 1; i < n && mappers[i - 1] <= mappers[i]; i++)
		;
	if (i < n)
		sort(mappers, n, sizeof(*mappers), compare_mappers, NULL);
	/* Neighbours go in one call, and so with one flush of the TLB. */
	for (i = 0; i < n; i += run) {
		for (run = 1; i + run < n && mappers[i + run] == mappers[i] + run; run++)
			;
		backend_unmap_range(pool, mapper_space(mappers[i]), mapper_vpn(mappers[i]), run);
	}
}

/* ---- accessed bits ---- */

static int test_young(pte_t *pte, unsigned long addr, void *data)
{
	if (pte_present(*pte) && test_and_clear_bit(_PAGE_BIT_ACCESSED, (unsigned long *)&pte->pte))
		*(bool *)data = true;
	return 0;
}

/* The mm of a space, with its mmap_lock held for reading; NULL if it is gone or busy. */
static struct mm_struct *lock_mm(struct pool *pool, u32 id)
{
	struct mm_space *ms = mm_space_find_id(pool->owner, id);
	struct mm_struct *mm;

	if (!ms)
		return NULL;
	mm = ms->mm;
	/* Our caller may hold any lock but this mm's for writing: never wait. */
	if (mm && !mmget_not_zero(mm))
		mm = NULL;
	if (mm && !mmap_read_trylock(mm)) {
		mmput_async(mm);
		mm = NULL;
	}
	mm_space_put_later(ms);
	return mm;
}

void backend_test_young(struct pool *pool, const u64 *mappers, unsigned int n, bool *young)
{
	struct vm_area_struct *vma = NULL;
	struct mm_struct *mm = NULL;
	u32 id = 0;
	unsigned int i;

	for (i = 0; i < n; i++) {
		unsigned long addr = mapper_vpn(mappers[i]) << PAGE_SHIFT;

		young[i] = false;
		if (mapper_space(mappers[i]) != id) {
			if (mm) {
				mmap_read_unlock(mm);
				mmput_async(mm);
			}
			id = mapper_space(mappers[i]);
			mm = lock_mm(pool, id);
			vma = NULL;
		}
		if (!mm)
			continue;
		/*
		 * munmap frees page tables with the lock held for reading only: those below
		 * what is mapped stay.
		 */
		if (!vma || addr < vma->vm_start || addr >= vma->vm_end)
			vma = vma_lookup(mm, addr);
		if (vma)
			apply_to_existing_page_range(mm, addr, PAGE_SIZE, test_young, &young[i]);
	}
	if (mm) {
		mmap_read_unlock(mm);
		mmput_async(mm);
	}
}

/* ---- frames ---- */

void backend_frame_init(struct pool *pool, struct frame *frame, struct vpage *vp)
{
	struct page *page = frame_page(frame);
	struct mm_guest *mg = pool->owner;

	/*
	 * All frames belong to one mapping, whose life is the guest's, so that this never dangles.
	 */
	page->mapping = mg->inode->i_mapping;
	/* Unlike any key that frame_set_key() gives out. */
	page->index = page_to_pfn(page) | BIT(63);
	set_page_private(page, (unsigned long)vp);
	SetPageUptodate(page);
}

bool backend_frame_fini(struct pool *pool, struct frame *frame)
{
	struct page *page = frame_page(frame);

	page->mapping = NULL;
	page->index = 0;
	set_page_private(page, 0);
	ClearPageUptodate(page);
	ClearPageDirty(page);
	folio_clear_referenced(page_folio(page));
	return page_ref_count(page) == 1;
}

void frame_set_key(struct frame *frame, u64 mapper)
{
	frame_page(frame)->index = mapper;
}

u64 frame_key(struct frame *frame)
{
	return frame_page(frame)->index;
}

struct vpage *frame_vpage(struct frame *frame)
{
	return (struct vpage *)page_private(frame_page(frame));
}

void frame_detach(struct frame *frame)
{
	set_page_private(frame_page(frame), 0);
}

bool frame_trylock(struct frame *frame)
{
	return trylock_page(frame_page(frame));
}

void frame_lock(struct frame *frame)
{
	lock_page(frame_page(frame));
}

void frame_unlock(struct frame *frame)
{
	unlock_page(frame_page(frame));
}

void frame_get(struct frame *frame)
{
	get_page(frame_page(frame));
}

void frame_put(struct frame *frame)
{
	put_page(frame_page(frame));
}

int frame_mapcount(struct frame *frame)
{
	return atomic_read(&frame_page(frame)->_mapcount) + 1;
}

bool frame_busy(struct frame *frame)
{
	struct page *page = frame_page(frame);

	/* A page locked in memory stays, as on the host. */
	return page_ref_count(page) > 1 + frame_mapcount(frame) ||
	       folio_test_mlocked(page_folio(page));
}
