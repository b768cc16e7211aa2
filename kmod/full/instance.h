/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Full guests in the kernel: what the parts of the host half share.
 *
 * Who has the token of an instance is alone with its guest: the fields that say so are his.
 */
#ifndef LODGE_FULL_INSTANCE_H
#define LODGE_FULL_INSTANCE_H

#include <linux/atomic.h>
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/rcuwait.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "guest-linux/module/include/lodge-host.h"
#include "lodge/instance.h"

struct guest;

#define FULL_FDS	256
/* Of a guest program's address space; that of a guest's mm begins at its number times this. */
#define FULL_SPACE_SHIFT	39
#define FULL_SPACE_SIZE		(1UL << FULL_SPACE_SHIFT)

/**
 * struct lodge_thread - a host thread: a process of the host's, of one thread, in the guest
 * @inst: its guest
 * @refs: one while it is in the instance's list, one while @work is queued
 * @task: itself; a reference
 * @list: in the instance's threads
 * @wait: where it waits for the token
 * @host_sp: its own stack while it is on one of the guest's
 * @resume_sp: set by who gives it the token: a stack of the guest's to go on with; 0: user mode
 * @guest_sp: the guest's stack that its next trap goes to
 * @user: what it shows in user mode
 * @space: address space that its mm shows; 0: none yet
 * @pgd: the guest's page table of it
 * @vma: the mapping that shows it
 * @fs_base, @gs_base: that are loaded
 * @work: brings it into the guest on its way to user mode
 * @flags: THREAD_ bits
 * @cr2, @error_code: the fault that THREAD_FAULT is about
 * @do_job: of a worker, the guest's function; NULL: it is none
 * @jobs: what it is to do, the last one first
 * @job: what it does
 * @loose: LOOSE_; changes under @inst->loose_lock
 * @rcu: interrupts may still look at it
 */
struct lodge_thread {
	struct lodge_instance *inst;
	refcount_t refs;
	struct task_struct *task;
	struct list_head list;
	struct rcuwait wait;
	unsigned long host_sp, resume_sp, guest_sp;
	struct lodge_user *user;
	int space;
	void *pgd;
	struct vm_area_struct *vma;
	unsigned long fs_base, gs_base;
	struct callback_head work;
	unsigned long flags;
	unsigned long cr2, error_code;
	void (*do_job)(struct lodge_job *job);
	struct llist_head jobs;
	struct lodge_job *job;
	int loose;
	struct rcu_head rcu;
};

/* In user mode without the token: see loose.c */
#define LOOSE_NOT	0
#define LOOSE_READY	1
#define LOOSE_RUNNING	2
#define LOOSE_TRAPPED	3

#define THREAD_WORK	0	/* @work is queued */
#define THREAD_FAULT	1	/* a fault is noted */
#define THREAD_RELEASED	2	/* its guest thread is no more */
#define THREAD_REBIND	3	/* its mapping goes, and it does not */
#define THREAD_SHARES	4	/* another one may show the same address space */
#define THREAD_FRESH	5	/* its registers are nobody's yet */

/* What the guest's side wants of the stack that it changes to. */
struct order {
	enum { ORDER_USER, ORDER_MOVE, ORDER_LEAVE } what;
	struct lodge_thread *thread;
	unsigned long sp;
};

/**
 * struct lodge_instance - a full guest
 * @number: on this host
 * @list: in the list of all
 * @file: the device's file, which it lives as long as
 * @cred: of who opened it
 * @lock: of what follows, up to the token; not for interrupts
 * @guest: in the control tree; never changes once it is there
 * @state: LODGE_STATE_
 * @ended, @code, @reason: see struct lodge_instance_status
 * @ops: its guest kernel's, from LODGE_STATE_LOADED on
 * @module: that one's
 * @data: what @ops->data was when that was loaded
 * @changed: who polls
 * @mapping: all address spaces of its programs
 * @argc, @argv: of its kernel
 * @dead: it is to end; set once, read without the lock
 * @oops: what its kernel has done wrong
 * @threads: all host threads
 * @nr_threads: that are still in it
 * @nr_released: of them, who are on their way out
 * @threads_max: more are not made for its programs
 *
 * @owner: who has the token
 * @in_user: @owner, while in user mode: who interrupts have to fetch
 * @order: from the guest's side to the host's
 * @loose_lock: which threads are loose, and how one of them becomes @in_user; any context
 * @nr_trapped: how many wait to be chosen
 * @idle: the owner, when there is nothing to do
 * @timer, @interval: its clock event
 * @look: while there is something to do for it: is its kernel to be interrupted?
 * @look_lock: who sets that; any context
 * @idling: it is not
 * @stopped: it must not be started any more; under @look_lock
 * @interrupted_ip: where the guest's kernel was when it was sent to look at its pending word
 * @only_relax: it was not to be interrupted, and is only to let others run
 * @moving, @move: @look is being moved to another CPU
 *
 * @memory: its kernel's view of it
 * @pages, @nr_pages: its frames; NULL: it has not touched that one
 * @frames_lock: a frame is charged and put to its place at once; any context
 * @area: where they are mapped
 *
 * @files: what its descriptors are
 * @watches: what it waits for
 * @done: jobs that workers have done, the last one first
 * @last_space: number of the address space made last
 */
struct lodge_instance {
	unsigned int number;
	struct list_head list;
	struct file *file;
	const struct cred *cred;

	spinlock_t lock;
	struct guest *guest;
	u32 state, ended;
	int code;
	char reason[LODGE_REASON_MAX];
	const struct lodge_guest_ops *ops;
	struct module *module;
	void *data;
	wait_queue_head_t changed;
	struct address_space mapping;
	int argc;
	char **argv, *args;
	bool dead;
	char oops[LODGE_REASON_MAX];

	struct list_head threads;
	unsigned int nr_threads, nr_released;
	unsigned long threads_max;

	struct lodge_thread *owner;
	struct lodge_thread *in_user;
	struct order order;
	raw_spinlock_t loose_lock;
	unsigned int nr_trapped;
	wait_queue_head_t idle;
	struct hrtimer timer;
	u64 interval;
	struct hrtimer look;
	raw_spinlock_t look_lock;
	bool idling, stopped, only_relax;
	unsigned long interrupted_ip;
	atomic_t moving;
	call_single_data_t move;

	struct lodge_memory memory;
	struct page **pages;
	unsigned long nr_pages;
	spinlock_t frames_lock;
	void *area;

	struct file *files[FULL_FDS];
	struct list_head watches;
	struct llist_head done;
	int last_space;
};

/* Below this, the host asks a stack of the guest's for nothing that can wait. */
#define STACK_RESERVE	4096

/* Of the guest's stack that @sp is on, as long as it has not overflowed. */
static inline unsigned long stack_left(struct lodge_instance *inst, unsigned long sp)
{
	return sp & (inst->ops->stack_size - 1);
}

static inline bool stack_has_room(struct lodge_instance *inst, unsigned long sp)
{
	return stack_left(inst, sp) >= STACK_RESERVE;
}

/* ---- instance.c ---- */

bool instance_kill(struct lodge_instance *inst, u32 how, int code, const char *reason);
void instance_empty(struct lodge_instance *inst);

/* ---- guest.c ---- */

int guest_join(struct lodge_instance *inst, const char *name);
void guest_leave(struct lodge_instance *inst);
unsigned long guest_limit(struct lodge_instance *inst, unsigned long bytes);
unsigned long guest_memory(struct lodge_instance *inst);
bool guest_charge(struct lodge_instance *inst);
void guest_uncharge(struct lodge_instance *inst, unsigned long pages);
void guest_exceeded(struct lodge_instance *inst);

/* ---- thread.c ---- */

/* Does the guest have to end, as far as the running thread knows? */
static inline bool instance_over(struct lodge_instance *inst)
{
	return READ_ONCE(inst->dead) || fatal_signal_pending(current);
}

int thread_begin(struct lodge_instance *inst, struct pt_regs *regs);
struct lodge_thread *thread_new(struct lodge_instance *inst);
int thread_clone(struct lodge_instance *inst, struct lodge_thread *ht);
void thread_lost(struct lodge_thread *ht);
void thread_put(struct lodge_thread *ht);
void thread_move(struct lodge_thread *ht);
void thread_leave(struct lodge_instance *inst);
void thread_interrupt(struct lodge_instance *inst, unsigned int bit);
void thread_queue_work(struct lodge_thread *ht);

/* Ours is the field that no system call of a guest's process reaches: signal stacks are its own. */
static inline struct lodge_thread *thread_current(void)
{
	return (struct lodge_thread *)current->sas_ss_sp;
}

/* ---- worker.c ---- */

bool worker_loop(struct lodge_thread *ht);
void worker_run(struct lodge_thread *ht) __noreturn;

/* ---- entry.c ---- */

int entry_init(void);
void entry_exit(void);
int entry_get(void);
void entry_put(void);

/* ---- space.c ---- */

int space_bind(struct lodge_thread *ht, int space);
void space_leave(struct lodge_thread *ht);
int space_mmap(struct file *file, struct vm_area_struct *vma);

/* ---- memory.c ---- */

int memory_alloc(struct lodge_instance *inst, unsigned long size);
void memory_free(struct lodge_instance *inst);
bool memory_has(struct lodge_instance *inst, unsigned long address);
struct page *memory_frame(struct lodge_instance *inst, unsigned long n);
int memory_touch(struct lodge_instance *inst, const void *start, unsigned long length);
bool memory_fault(struct lodge_instance *inst, struct pt_regs *regs, unsigned long address);

/* ---- fpu.c ---- */

void fpu_reset(void);
void segments_load(struct lodge_thread *ht, unsigned long fs_base, unsigned long gs_base);
void segments_save(struct lodge_thread *ht, unsigned long *bases);

/* ---- time.c, events.c, files.c, names.c ---- */

void time_init_instance(struct lodge_instance *inst);
void time_idle(struct lodge_instance *inst);
void time_busy(struct lodge_instance *inst);
void time_kill(struct lodge_instance *inst);
void time_stop(struct lodge_instance *inst);
void events_stop(struct lodge_instance *inst);
void events_forget(struct lodge_instance *inst, int fd);
struct file *files_get(struct lodge_instance *inst, int fd);
int files_take(struct lodge_instance *inst, const s32 *fds, unsigned int n);
void files_stop(struct lodge_instance *inst);
long files_add(struct lodge_instance *inst, struct file *file);
long files_result(struct lodge_instance *inst, long ret);
int names_find(struct lodge_instance *inst, const char *name, int fd, bool follow,
	       struct path *path);

#endif /* LODGE_FULL_INSTANCE_H */
