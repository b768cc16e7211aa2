/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The memory of a guest on the kernel's side: address spaces, their mappings, and
 * what binds processes to it.
 *
 * Every mm of a guest has a struct mm_space, found by the mm.  Its private memory is a
 * shared mapping of the space's own file, indexed by virtual page number, so that
 * unmapping a page looks at one mm only.  One page without access, the anchor, is mapped
 * for as long as the mm lives: the file's release is how we learn that an mm is gone.
 *
 * Lock order: mm_space.layout > mmap_lock > vpage lock > frame lock > i_mmap_rwsem > page-table
 * lock.
 */
#ifndef LODGE_MM_GUEST_H
#define LODGE_MM_GUEST_H

#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "guest-core/guest.h"
#include "guest-mm/space.h"

struct fork_ticket;
struct signal_struct;

/**
 * struct mm_guest - a guest's memory
 * @guest: the guest; a reference is held
 * @pool: its pool
 * @inode: what all frames' page->mapping belongs to; the futex identity
 * @spaces: struct mm_space by id
 * @users: spaces, and handlers that keep the guest from becoming idle
 * @execs: struct exec_ticket of processes between their old mm and the new one
 * @execs_lock: protects it; no lock is taken within
 * @id: among all guests
 * @oom_lock: one out-of-memory decision at a time
 * @patience: jiffies until which to wait for spaces whose processes were killed
 * @next_id: where to look for the next space's id
 * @lookers: threads of the shrinker that look at it, and its own life
 * @unseen: the last of them is gone
 * @rcu: lookups run under RCU
 */
struct mm_guest {
	struct guest *guest;
	struct pool *pool;
	struct inode *inode;
	struct xarray spaces;
	atomic_t users;
	struct list_head execs;
	spinlock_t execs_lock;
	u32 id;
	struct mutex oom_lock;
	unsigned long patience;
	u32 next_id;
	refcount_t lookers;
	struct completion unseen;
	struct rcu_head rcu;
};

/**
 * struct mm_space - an mm of a guest
 * @space: the portable part
 * @mg: the guest; @mg->users counts this space
 * @refs: the file's, and that of anyone who looks at the space just now
 * @mapping: what the space's VMAs are linked in
 * @file: the file they map; no reference
 * @mm: the mm; a reference that does not keep it in use
 * @anchor: address of the anchor
 * @layout: serialises changes of the mm's mappings by handlers, and fork
 * @doomed: its processes were killed for lack of memory
 * @ticket: of the fork that is under way (@layout)
 * @forker: who forks, and alone may look at @ticket
 * @by_mm: in the table of all spaces
 * @rcu: lookups run under RCU
 * @teardown: for a last reference dropped where sleeping is not possible
 */
struct mm_space {
	struct space space;
	struct mm_guest *mg;
	refcount_t refs;
	struct address_space mapping;
	struct file *file;
	struct mm_struct *mm;
	unsigned long anchor;
	bool doomed;
	struct mutex layout;
	struct fork_ticket *ticket;
	struct task_struct *forker;
	struct hlist_node by_mm;
	struct rcu_head rcu;
	struct work_struct teardown;
};

/**
 * struct exec_ticket - an exec under way, whose process may have no space just now
 * @link: in the guest's @execs
 * @process: what its threads share, whichever of them execs; for comparing only
 */
struct exec_ticket {
	struct list_head link;
	struct signal_struct *process;
};

/* ---- mm-guest.c ---- */

int mm_guest_init(void);
void mm_guest_exit(void);
int mm_guest_create(struct guest *guest);
void mm_guest_destroy(struct guest *guest);
bool mm_guest_busy(struct guest *guest);
int mm_guest_bind(struct guest *guest);
int mm_guest_procs(struct guest *guest, void (*emit)(void *arg, pid_t pid), void *arg);

/** mm_guest_use() - keep a guest from becoming idle */
static inline void mm_guest_use(struct mm_guest *mg)
{
	atomic_inc(&mg->users);
}

/** mm_guest_unuse() - undo mm_guest_use(); the last one may set off the guest's removal */
void mm_guest_unuse(struct mm_guest *mg);

/* ---- mm-space.c ---- */

int mm_space_init(void);
void mm_space_exit(void);

/** mm_space_new_inode() - the inode of a guest, named @name in /proc/PID/maps; ERR_PTR */
struct inode *mm_space_new_inode(struct guest *guest);

/**
 * mm_space_create() - a space without an mm
 * @file: gets the space's file, whose last reference ends the space
 * Return: the space, which the file keeps; ERR_PTR
 */
struct mm_space *mm_space_create(struct mm_guest *mg, struct file **file);

/** mm_space_release() - release operation of a space's file */
int mm_space_release(struct inode *inode, struct file *file);

/** mm_space_publish() - from now on @mm is the space's */
void mm_space_publish(struct mm_space *ms, struct mm_struct *mm);

/** mm_space_find() - the space of an mm, with a reference; NULL if it has none */
struct mm_space *mm_space_find(struct mm_struct *mm);

/**
 * mm_space_current() - the space of the running task, which is marked, with a reference
 * Return: the space; NULL, and the task is killed, if it got rid of it: it must not go on outside
 * its guest
 */
struct mm_space *mm_space_current(void);

/** mm_space_find_id() - the space of a guest by its id, with a reference; NULL */
struct mm_space *mm_space_find_id(struct mm_guest *mg, u32 id);

/** mm_space_put() - drop a reference.  The last one frees all pages: no vpage may be locked. */
void mm_space_put(struct mm_space *ms);

/** mm_space_put_later() - the same where locks are held */
void mm_space_put_later(struct mm_space *ms);

/* ---- mapping.c ---- */

extern const struct vm_operations_struct mapping_vm_ops;
extern const struct file_operations mapping_file_ops;

static inline bool vma_is_pool(const struct vm_area_struct *vma)
{
	return vma->vm_ops == &mapping_vm_ops;
}

/** vma_prot() - a mapping's protection as mmap(2) takes it */
unsigned long vma_prot(const struct vm_area_struct *vma);

/**
 * mapping_map() - map private memory of a space
 * @addr, @len, @prot, @flags: as for mmap(2); of @flags, MAP_FIXED, MAP_FIXED_NOREPLACE, MAP_32BIT,
 *	MAP_LOCKED, MAP_POPULATE, MAP_NORESERVE are heeded
 * @backing: where untouched pages come from, or NULL for zeroes
 * The running task's mm, with @ms->layout held.  Return: the address, or a negative errno
 */
unsigned long mapping_map(struct mm_space *ms, unsigned long addr, unsigned long len,
			  unsigned long prot, unsigned long flags, struct backing *backing);

/**
 * mapping_keep_anchor() - move the anchor if it is within a range that is going to be unmapped;
 * 0 or -errno
 */
int mapping_keep_anchor(struct mm_space *ms, unsigned long addr, unsigned long len);

/**
 * mapping_restore_anchor() - map it again if a call has unmapped it; the caller holds the file;
 * 0 or -errno
 */
int mapping_restore_anchor(struct mm_space *ms);

/**
 * struct traits - what makes a mapping of the pool like another one
 * @prot: of mmap(2)
 * @flags: of mmap(2)
 * @vm_flags: what madvise(2) has set of VM_DONTCOPY and VM_DONTDUMP
 * @pkey: its protection key
 */
struct traits {
	unsigned long prot, flags, vm_flags;
	int pkey;
};

/** mapping_is_free() - is nothing mapped there? */
bool mapping_is_free(unsigned long addr, unsigned long len);

/**
 * mapping_is_pool() - are @len bytes from @addr in one mapping of the pool?  @traits then gets what
 * it is like.
 */
bool mapping_is_pool(unsigned long addr, unsigned long len, struct traits *traits);

/**
 * mapping_is_sealed() - is there a mapping of the pool in a range that may not be changed any more
 * (mseal) and has none of the VM_* flags @but?
 */
bool mapping_is_sealed(unsigned long addr, unsigned long len, unsigned long but);

/** mapping_find_area() - where the host would map @len bytes; or a negative errno */
unsigned long mapping_find_area(unsigned long addr, unsigned long len, unsigned long flags);

/* ---- backing.c ---- */

/**
 * backing_create() - pages of @file: page @pgoff of it at virtual page @vpn; one reference; NULL
 */
struct backing *backing_create(struct file *file, u64 vpn, u64 pgoff);

/* ---- adopt.c ---- */

/**
 * adopt_range() - take over private mappings of the host with what they hold
 * @prot: 0: those that are writable; with PROT_WRITE: those that could be but are not, and they get
 *	this protection
 * The running task's mm, with @ms->layout held.  Return: 0; -ENOMEM, -EFAULT, -EINTR: some are
 * taken over, some not
 */
int adopt_range(struct mm_space *ms, unsigned long start, unsigned long end, unsigned long prot);

/* ---- fork.c, exec.c, syscalls.c: handlers of hooked calls ---- */

struct pt_regs;

/** fork_open() - a VMA is being copied to a new mm */
void fork_open(struct vm_area_struct *vma);

long fork_call(struct pt_regs *regs, unsigned long ip, u64 flags);
long fork_wake(struct pt_regs *regs, unsigned long ip);
long exec_call(struct pt_regs *regs, unsigned long ip);

/** syscalls_init() - give the hooks their table; 0 or -errno */
int syscalls_init(void);
void syscalls_exit(void);

#endif /* LODGE_MM_GUEST_H */
