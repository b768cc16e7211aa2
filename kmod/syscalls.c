// SPDX-License-Identifier: GPL-2.0
/* The hooked calls, and those of them that change mappings. */
#include <linux/file.h>
#include <linux/ipc.h>
#include <linux/magic.h>
#include <linux/major.h>
#include <linux/mman.h>
#include <linux/mount.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "kmod/compat/mm.h"
#include "kmod/hooks.h"
#include "kmod/mm-guest.h"
#include "kmod/syscalls.h"

struct mm_space *call_enter(void)
{
	struct mm_space *ms = mm_space_current();

	if (ms && mutex_lock_killable(&ms->layout)) {
		mm_space_put(ms);
		return NULL;
	}
	return ms;
}

void call_leave(struct mm_space *ms)
{
	mutex_unlock(&ms->layout);
	mm_space_put(ms);
}

/* ---- mmap ---- */

#define ZERO_MINOR	5	/* of /dev/zero */

static bool no_exec(struct file *file)
{
	return file->f_path.mnt->mnt_flags & MNT_NOEXEC ||
	       file_inode(file)->i_sb->s_iflags & SB_I_NOEXEC;
}

/* A private mapping of a regular file that can be written?  Return: the file, held, or NULL. */
static struct file *writable_private_file(unsigned long fd, unsigned long prot)
{
	struct file *file;

	if (!(prot & PROT_WRITE))
		return NULL;
	file = fget(fd);
	if (!file)
		return NULL;
	if (!S_ISREG(file_inode(file)->i_mode) ||
	    file_inode(file)->i_sb->s_magic == HUGETLBFS_MAGIC ||
	    !(file->f_mode & FMODE_READ) || !file->f_op->mmap ||
	    (prot & PROT_EXEC && no_exec(file))) {
		fput(file);
		return NULL;
	}
	return file;
}

/* A private mapping of it is anonymous memory. */
static bool is_zero_device(unsigned long fd)
{
	struct file *file = fget(fd);
	bool zero;

	if (!file)
		return false;
	zero = S_ISCHR(file_inode(file)->i_mode) && file->f_mode & FMODE_READ &&
	       file_inode(file)->i_rdev == MKDEV(MEM_MAJOR, ZERO_MINOR);
	fput(file);
	return zero;
}

/*
 * A call that may replace mappings in ways of its own: what it replaced is forgotten when something
 * of the pool is mapped there again.
 */
static long call_and_restore(struct mm_space *ms, struct pt_regs *regs, unsigned long ip)
{
	/* The anchor may go meanwhile, but not the space. */
	struct file *file = get_file(ms->file);
	long ret = hooks_call_original(regs, ip);

	if (mapping_restore_anchor(ms))
		send_sig(SIGKILL, current, 1);
	fput(file);
	return ret;
}

/* The host's own mmap; it may replace pool mappings, and rounds up to huge pages. */
static long host_mmap(struct mm_space *ms, struct pt_regs *regs, unsigned long ip,
		      unsigned long addr, unsigned long len, unsigned long flags)
{
	long ret;
	int err;

	if (!(flags & MAP_FIXED))
		return hooks_call_original(regs, ip);
	err = mapping_keep_anchor(ms, addr, PAGE_ALIGN(len));
	if (err)
		return err;
	ret = call_and_restore(ms, regs, ip);
	if (!IS_ERR_VALUE((unsigned long)ret))
		space_drop(&ms->space, addr >> PAGE_SHIFT, PAGE_ALIGN(len) >> PAGE_SHIFT);
	return ret;
}

/* What the host refuses for regular files. */
static bool beyond_files(unsigned long pgoff, unsigned long len)
{
	return len > MAX_LFS_FILESIZE || pgoff > (MAX_LFS_FILESIZE - len) >> PAGE_SHIFT;
}

static long file_mmap(struct mm_space *ms, struct file *file, struct args *c, unsigned long pgoff)
{
	struct backing *backing;
	long ret;

	if (beyond_files(pgoff, PAGE_ALIGN(c->a[1])))
		return -EOVERFLOW;
	/* backing_create() wants to know where the pages will be. */
	if (!(c->a[3] & (MAP_FIXED | MAP_FIXED_NOREPLACE))) {
		c->a[0] = mapping_find_area(c->a[0], PAGE_ALIGN(c->a[1]), c->a[3]);
		if (IS_ERR_VALUE(c->a[0]))
			return c->a[0];
		c->a[3] |= MAP_FIXED_NOREPLACE;
	}
	backing = backing_create(file, c->a[0] >> PAGE_SHIFT, pgoff);
	if (!backing)
		return -ENOMEM;
	ret = mapping_map(ms, c->a[0], c->a[1], c->a[2], c->a[3], backing);
	backing_put_n(backing, 1);
	return ret;
}

static long guest_mmap(struct pt_regs *regs, unsigned long ip, struct args c, unsigned long pgoff)
{
	unsigned long flags = c.a[3];
	struct mm_space *ms;
	struct file *file = NULL;
	bool ours;
	long ret;

	/* Memory that a fork empties: refused, as by older kernels; it would be the host's. */
	if ((flags & MAP_TYPE) == MAP_DROPPABLE)
		return -EINVAL;
	ms = call_enter();
	if (!ms)
		return -EINTR;
	ours = (flags & MAP_TYPE) == MAP_PRIVATE && !(flags & MAP_HUGETLB) && c.a[1];
	if (ours && !(flags & MAP_ANONYMOUS) && !is_zero_device(c.a[4])) {
		file = writable_private_file(c.a[4], c.a[2]);
		ours = file;
	}
	if (!ours) {
		ret = host_mmap(ms, regs, ip, c.a[0], c.a[1], flags);
	} else if (file) {
		bool fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);

		do {
			/* Each try looks for a place anew. */
			struct args attempt = c;

			ret = file_mmap(ms, file, &attempt, pgoff);
		} while (ret == -EEXIST && !fixed && !fatal_signal());
		fput(file);
	} else {
		ret = mapping_map(ms, c.a[0], c.a[1], c.a[2], flags, NULL);
	}
	call_leave(ms);
	return ret;
}

static long mmap_64(struct pt_regs *regs, unsigned long ip)
{
	struct args c = args64(regs);

	if (offset_in_page(c.a[5]))
		return hooks_call_original(regs, ip);
	return guest_mmap(regs, ip, c, c.a[5] >> PAGE_SHIFT);
}

static long mmap_pgoff_32(struct pt_regs *regs, unsigned long ip)
{
	struct args c = args32(regs);

	return guest_mmap(regs, ip, c, c.a[5]);
}

static long mmap_32(struct pt_regs *regs, unsigned long ip)
{
	struct args c = args32(regs);
	unsigned int i;
	u32 a[6];

	if (copy_from_user(a, (void __user *)c.a[0], sizeof(a)))
		return -EFAULT;
	for (i = 0; i < ARRAY_SIZE(a); i++)
		c.a[i] = a[i];
	if (offset_in_page(c.a[5]))
		return hooks_call_original(regs, ip);
	return guest_mmap(regs, ip, c, c.a[5] >> PAGE_SHIFT);
}

/* ---- munmap ---- */

static long guest_munmap(struct pt_regs *regs, unsigned long ip, struct args c)
{
	struct mm_space *ms = call_enter();
	unsigned long len = PAGE_ALIGN(c.a[1]);
	long ret;

	if (!ms)
		return -EINTR;
	ret = mapping_keep_anchor(ms, c.a[0], len);
	if (!ret)
		ret = hooks_call_original(regs, ip);
	/* Nobody can map something there before we are done: that takes the layout. */
	if (!ret)
		space_drop(&ms->space, c.a[0] >> PAGE_SHIFT, len >> PAGE_SHIFT);
	call_leave(ms);
	return ret;
}

/* ---- brk ---- */

static bool data_limit_forbids(struct mm_struct *mm, unsigned long brk)
{
	unsigned long limit = rlimit(RLIMIT_DATA);

	return limit < RLIM_INFINITY && brk - mm->start_brk + mm->end_data - mm->start_data > limit;
}

static void set_brk(struct mm_struct *mm, unsigned long brk)
{
	mmap_write_lock(mm);
	mm->brk = brk;
	mmap_write_unlock(mm);
}

static unsigned long change_brk(struct mm_space *ms, unsigned long brk)
{
	struct mm_struct *mm = current->mm;
	unsigned long old = mm->brk;
	unsigned long from = PAGE_ALIGN(old), to = PAGE_ALIGN(brk);
	bool exec = current->personality & READ_IMPLIES_EXEC;

	/* As brk(2) does, answer the old break when the new one cannot be. */
	if (brk < mm->start_brk || to < brk || data_limit_forbids(mm, brk))
		return old;
	if (to < from) {
		if (mapping_keep_anchor(ms, to, from - to) || vm_munmap(to, from - to))
			return old;
		space_drop(&ms->space, to >> PAGE_SHIFT, (from - to) >> PAGE_SHIFT);
	} else if (to > from) {
		/* Keep a page of distance to the next mapping, as the host does. */
		if (!mapping_is_free(from, to + PAGE_SIZE - from) ||
		    IS_ERR_VALUE(mapping_map(ms, from, to - from,
					     PROT_READ | PROT_WRITE | (exec ? PROT_EXEC : 0),
					     MAP_FIXED_NOREPLACE, NULL)))
			return old;
	}
	set_brk(mm, brk);
	return brk;
}

static long guest_brk(struct pt_regs *regs, unsigned long ip, struct args c)
{
	struct mm_space *ms = call_enter();
	long ret;

	if (!ms)
		return -EINTR;
	ret = change_brk(ms, c.a[0]);
	call_leave(ms);
	return ret;
}

/* ---- mprotect ---- */

/* Is there a private mapping of the host's in a range that is about to become writable? */
static bool host_private(unsigned long addr, unsigned long end)
{
	struct vm_area_struct *vma;
	VMA_ITERATOR(vmi, current->mm, addr);
	bool found = false;

	mmap_read_lock(current->mm);
	for_each_vma_range(vmi, vma, end)
		if ((vma->vm_flags & (VM_SHARED | VM_WRITE | VM_MAYWRITE)) == VM_MAYWRITE)
			found = true;
	mmap_read_unlock(current->mm);
	return found;
}

static long guest_mprotect(struct pt_regs *regs, unsigned long ip, struct args c)
{
	unsigned long addr = c.a[0], len = PAGE_ALIGN(c.a[1]);
	struct mm_space *ms;
	long ret = 0;

	if (!(c.a[2] & PROT_WRITE) || offset_in_page(addr) || !len || addr + len < addr)
		return hooks_call_original(regs, ip);
	ms = call_enter();
	if (!ms)
		return -EINTR;
	if (host_private(addr, addr + len))
		ret = adopt_range(ms, addr, addr + len,
				  c.a[2] & (PROT_READ | PROT_WRITE | PROT_EXEC));
	/* What could not be read or listed stays the host's. */
	if (ret != -ENOMEM && ret != -EINTR)
		ret = hooks_call_original(regs, ip);
	call_leave(ms);
	return ret;
}

/* ---- madvise ---- */

/* Does the pool map all of a range? */
static bool all_pool(unsigned long addr, unsigned long len)
{
	unsigned long end = addr + len;
	struct vm_area_struct *vma;
	VMA_ITERATOR(vmi, current->mm, addr);
	bool all = true;

	mmap_read_lock(current->mm);
	for_each_vma_range(vmi, vma, end) {
		if (vma->vm_start > addr || !vma_is_pool(vma)) {
			all = false;
			break;
		}
		addr = vma->vm_end;
	}
	all = all && addr >= end;
	mmap_read_unlock(current->mm);
	return all;
}

/* Advice that throws content away. */
static bool is_discard(int advice)
{
	return advice == MADV_DONTNEED || advice == MADV_DONTNEED_LOCKED || advice == MADV_FREE;
}

static void discard(struct mm_space *ms, unsigned long addr, unsigned long len, bool files)
{
	/* In one go; what is touched again meanwhile is unmapped page by page. */
	unmap_mapping_pages(&ms->mapping, addr >> PAGE_SHIFT, len >> PAGE_SHIFT, false);
	if (files)
		space_discard(&ms->space, addr >> PAGE_SHIFT, len >> PAGE_SHIFT);
	else
		space_free(&ms->space, addr >> PAGE_SHIFT, len >> PAGE_SHIFT);
}

static long guest_madvise(struct pt_regs *regs, unsigned long ip, struct args c)
{
	unsigned long addr = c.a[0], len = PAGE_ALIGN(c.a[1]);
	int advice = c.a[2];
	struct mm_space *ms;
	long ret;

	/* Nothing that a file could lose. */
	if (advice == MADV_REMOVE && len && all_pool(addr, len))
		return -EINVAL;
	/* Everything else is harmless for a shared mapping. */
	if (!is_discard(advice) || offset_in_page(addr) || !len || addr + len < addr)
		return hooks_call_original(regs, ip);
	ms = call_enter();
	if (!ms)
		return -EINTR;
	/* The host knows this of its own anonymous memory only. */
	if (mapping_is_sealed(addr, len, VM_WRITE)) {
		call_leave(ms);
		return -EPERM;
	}
	/* The host knows MADV_FREE for its own anonymous memory only. */
	if (advice == MADV_FREE && all_pool(addr, len))
		ret = 0;
	else
		ret = hooks_call_original(regs, ip);
	/* A hole in the range does not spare what is mapped. */
	if (!ret || ret == -ENOMEM)
		discard(ms, addr, len, advice != MADV_FREE);
	call_leave(ms);
	return ret;
}

/* ---- shmat (SHM_REMAP), remap_file_pages ---- */

static long replacing_call(struct pt_regs *regs, unsigned long ip)
{
	struct mm_space *ms = call_enter();
	long ret;

	if (!ms)
		return -EINTR;
	ret = call_and_restore(ms, regs, ip);
	call_leave(ms);
	return ret;
}

/* Of all that ipc(2) does only this maps something; of the rest, much waits for others. */
static long ipc_32(struct pt_regs *regs, unsigned long ip)
{
	if ((regs->bx & 0xffff) != SHMAT)
		return hooks_call_original(regs, ip);
	return replacing_call(regs, ip);
}

/* It is for shared mappings of files, which private memory is not, whatever the host sees. */
static long guest_remap_file_pages(struct pt_regs *regs, unsigned long ip, struct args c)
{
	struct traits traits;

	if (mapping_is_pool(c.a[0] & PAGE_MASK, 1, &traits))
		return -EINVAL;
	return replacing_call(regs, ip);
}

/* ---- shadow stacks ---- */

/* The kernel maps them itself, and they cannot be the pool's. */
static long no_shadow_stack(struct pt_regs *regs, unsigned long ip)
{
	return -EOPNOTSUPP;
}

static long arch_prctl_64(struct pt_regs *regs, unsigned long ip)
{
	return regs->di == COMPAT_SHSTK_ENABLE ? -EOPNOTSUPP : hooks_call_original(regs, ip);
}

/* ---- fork and clone ---- */

static long fork_any(struct pt_regs *regs, unsigned long ip)
{
	return fork_call(regs, ip, 0);
}

static long clone_64(struct pt_regs *regs, unsigned long ip)
{
	return fork_call(regs, ip, regs->di);
}

static long clone_32(struct pt_regs *regs, unsigned long ip)
{
	return fork_call(regs, ip, (u32)regs->bx);
}

/*
 * The flags are the first word of the structure.
 * A caller that changes them meanwhile loses its child.
 */
static long clone3(struct pt_regs *regs, unsigned long ip, unsigned long uargs)
{
	u64 flags;

	if (copy_from_user(&flags, (void __user *)uargs, sizeof(flags)))
		return -EFAULT;
	return fork_call(regs, ip, flags);
}

/* ---- the table ---- */

#define CALL64(fn)								\
	static long fn##_64(struct pt_regs *regs, unsigned long ip)		\
	{									\
		return guest_##fn(regs, ip, args64(regs));			\
	}
#define CALL32(fn)								\
	static long fn##_32(struct pt_regs *regs, unsigned long ip)		\
	{									\
		return guest_##fn(regs, ip, args32(regs));			\
	}

CALL64(munmap)
CALL32(munmap)
CALL64(brk)
CALL32(brk)
CALL64(mprotect)
CALL32(mprotect)
CALL64(remap_file_pages)
CALL32(remap_file_pages)
CALL64(madvise)
CALL32(madvise)

static long clone3_64(struct pt_regs *regs, unsigned long ip)
{
	return clone3(regs, ip, regs->di);
}

static long clone3_32(struct pt_regs *regs, unsigned long ip)
{
	return clone3(regs, ip, (u32)regs->bx);
}

static const struct hook hook_table[] = {
	{ "wake_up_new_task", fork_wake },
	{ "__x64_sys_mmap", mmap_64 },
	{ "__x64_sys_munmap", munmap_64 },
	{ "__x64_sys_brk", brk_64 },
	{ "__x64_sys_mremap", mremap_64 },
	{ "__x64_sys_mprotect", mprotect_64 },
	{ "__x64_sys_pkey_mprotect", mprotect_64 },
	{ "__x64_sys_madvise", madvise_64 },
	{ "__x64_sys_remap_file_pages", remap_file_pages_64 },
	{ "__x64_sys_map_shadow_stack", no_shadow_stack, true },
	{ "__x64_sys_arch_prctl", arch_prctl_64 },
	{ "__x64_sys_shmat", replacing_call },
	{ "__x64_sys_clone", clone_64 },
	{ "__x64_sys_clone3", clone3_64 },
	{ "__do_sys_fork", fork_any },
	{ "__x64_sys_execve", exec_call },
	{ "__x64_sys_execveat", exec_call },
	{ "__ia32_compat_sys_ia32_mmap", mmap_32, true },
	{ "__ia32_sys_mmap_pgoff", mmap_pgoff_32, true },
	{ "__ia32_sys_munmap", munmap_32, true },
	{ "__ia32_sys_brk", brk_32, true },
	{ "__ia32_sys_mremap", mremap_32, true },
	{ "__ia32_sys_mprotect", mprotect_32, true },
	{ "__ia32_sys_pkey_mprotect", mprotect_32, true },
	{ "__ia32_sys_madvise", madvise_32, true },
	{ "__ia32_sys_remap_file_pages", remap_file_pages_32, true },
	{ "__ia32_compat_sys_shmat", replacing_call, true },
	{ "__ia32_compat_sys_ipc", ipc_32, true },
	{ "__ia32_compat_sys_ia32_clone", clone_32, true },
	{ "__ia32_sys_clone3", clone3_32, true },
	{ "__ia32_compat_sys_execve", exec_call, true },
	{ "__ia32_compat_sys_execveat", exec_call, true },
};

int __init syscalls_init(void)
{
	return hooks_init(hook_table, ARRAY_SIZE(hook_table));
}

void syscalls_exit(void)
{
	hooks_exit();
}
