// SPDX-License-Identifier: GPL-2.0
/*
 * Host threads: who has the token, and on which stack.
 *
 * A host thread that has the token is either on a stack of the guest's, with its own left in
 * thread_loop(), or on its own. All others wait in thread_loop() until they are given it, but those
 * that are loose: their guest threads were preempted on their way to user mode, and they went there
 * without it. So programs run on as many CPUs of the host's as there are, while there is one that
 * runs the guest's kernel.
 */
#include <linux/export.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/task_work.h>

#include "kmod/compat/rseq.h"
#include "kmod/compat/signal.h"
#include "kmod/full/host-call.h"
#include "kmod/full/instance.h"
#include "kmod/full/trap.h"
#include "kmod/hooks.h"

/* What no segment has: it is to be loaded. */
#define NO_BASE		~0UL

/* An address that is not SIG_DFL or SIG_IGN. */
#define NO_HANDLER	8UL

/* With less than this left, a stack of the guest's is not used any further. */
#define STACK_MIN	1024

/* ---- the token ---- */

static bool may_go_on(struct lodge_thread *ht)
{
	return READ_ONCE(ht->inst->owner) == ht || test_bit(THREAD_RELEASED, &ht->flags) ||
	       READ_ONCE(ht->inst->dead) || READ_ONCE(ht->loose) == LOOSE_READY;
}

/* Return: whether it may go on, with the token or loose; else it has to end. */
static bool wait_for_token(struct lodge_thread *ht)
{
	struct lodge_instance *inst = ht->inst;

	for (;;) {
		/* It does no I/O: neither in the load nor a hung task. */
		if (rcuwait_wait_event(&ht->wait, may_go_on(ht), TASK_KILLABLE | TASK_NOLOAD))
			return false;
		if (READ_ONCE(inst->dead))
			return false;
		/* Pairs with give_token(): what the giver did to the guest is seen. */
		if (smp_load_acquire(&inst->owner) == ht)
			return true;
		if (test_bit(THREAD_RELEASED, &ht->flags))
			return false;
		if (loose_go(ht))
			return true;
	}
}

static void give_token(struct lodge_thread *to, unsigned long sp)
{
	to->resume_sp = sp;
	/* Pairs with wait_for_token(). */
	smp_store_release(&to->inst->owner, to);
	rcuwait_wake_up(&to->wait);
}

/**
 * thread_loop - be the guest's CPU until this thread has to go to user mode
 * @ht: the running thread, on its own stack
 * @sp: stack of the guest's to go on with; 0: it has no token yet
 *
 * Return: true, with the token or loose; false if it has to end.
 */
bool thread_loop(struct lodge_thread *ht, unsigned long sp)
{
	struct lodge_instance *inst = ht->inst;
	struct order *order = &inst->order;
	struct lodge_thread *next;
	int was;

	for (;;) {
		if (!sp) {
			if (!wait_for_token(ht))
				return false;
			/* None is left over for who goes to user mode loose. */
			sp = ht->resume_sp;
			ht->resume_sp = 0;
			if (!sp)
				return true;
		}
		stack_switch(&ht->host_sp, sp);
		if (order->what == ORDER_LEAVE)
			return false;
		next = order->thread;
		sp = 0;
		if (order->what == ORDER_MOVE) {
			give_token(next, order->sp);
			continue;
		}
		was = READ_ONCE(next->loose) ? loose_tie(next) : LOOSE_NOT;
		if (was == LOOSE_TRAPPED)
			sp = next->guest_sp;
		else if (next == ht)
			return true;
		else if (was == LOOSE_NOT)
			give_token(next, 0);
	}
}

/**
 * thread_leave - off the guest's stack, for good
 * @inst: the guest, which is dead or about to be
 *
 * Does not return, for nobody switches back; but is not declared so, as lodge_end().
 */
void thread_leave(struct lodge_instance *inst)
{
	struct lodge_thread *me = thread_current();
	unsigned long sp;

	/* A worker has no say in what becomes of the guest's CPU. */
	if (!me->do_job)
		inst->order.what = ORDER_LEAVE;
	stack_switch(&sp, me->host_sp);
}

/**
 * thread_host_sp - where the running thread, on a guest's stack, has left its own
 *
 * Each call of the guest's comes by here: one that has used up its stack is ended before it runs
 * into what lies below. For that, there is room enough there.
 */
unsigned long thread_host_sp(void)
{
	struct lodge_thread *me = thread_current();

	if (unlikely(stack_left(me->inst, current_stack_pointer) < STACK_MIN))
		lodge_end(me->inst, LODGE_END_PANIC, 0, "its kernel's stack is full");
	return me->host_sp;
}

/**
 * thread_move - the guest's kernel goes on with another host thread
 * @ht: that waits for the token; or the running one
 */
void thread_move(struct lodge_thread *ht)
{
	struct lodge_instance *inst = ht->inst;
	struct lodge_thread *me = thread_current();

	if (me == ht)
		return;
	inst->order = (struct order){ .what = ORDER_MOVE, .thread = ht };
	stack_switch(&inst->order.sp, me->host_sp);
}

/* ---- life ---- */

/** thread_new - Return: a thread of the guest's that is none of the host's yet, or NULL */
struct lodge_thread *thread_new(struct lodge_instance *inst)
{
	struct lodge_thread *ht = kzalloc(sizeof(*ht), GFP_KERNEL_ACCOUNT);

	if (!ht)
		return NULL;
	ht->inst = inst;
	refcount_set(&ht->refs, 1);
	ht->fs_base = NO_BASE;
	ht->gs_base = NO_BASE;
	rcuwait_init(&ht->wait);
	trap_init_work(ht);
	get_file(inst->file);
	spin_lock(&inst->lock);
	list_add(&ht->list, &inst->threads);
	inst->nr_threads++;
	spin_unlock(&inst->lock);
	return ht;
}

/* It ends by itself, and counts no more for @threads_max. */
static void release(struct lodge_thread *ht)
{
	struct lodge_instance *inst = ht->inst;

	spin_lock(&inst->lock);
	set_bit(THREAD_RELEASED, &ht->flags);
	inst->nr_released++;
	spin_unlock(&inst->lock);
}

/*
 * A thread less. Until its guest thread is no more, who has the token may still look at it: the
 * memory goes with the guest's.
 */
static void thread_drop(struct lodge_thread *ht)
{
	struct lodge_instance *inst = ht->inst;
	struct file *file = inst->file;
	bool released, last;

	spin_lock(&inst->lock);
	released = test_bit(THREAD_RELEASED, &ht->flags);
	if (released) {
		list_del(&ht->list);
		inst->nr_released--;
	}
	last = !--inst->nr_threads;
	spin_unlock(&inst->lock);
	if (released)
		thread_put(ht);
	if (last)
		instance_empty(inst);
	fput(file);
}

/**
 * thread_put - drop a reference to a thread
 * @ht: in no list, if it is the last one; maybe an interrupt still looks at it
 */
void thread_put(struct lodge_thread *ht)
{
	if (!refcount_dec_and_test(&ht->refs))
		return;
	if (ht->task)
		put_task_struct(ht->task);
	kfree_rcu(ht, rcu);
}

/**
 * thread_lost - a host thread ends, in whatever way
 * @ht: the running one, whose mm shows nothing of the guest any more
 */
void thread_lost(struct lodge_thread *ht)
{
	struct lodge_instance *inst = ht->inst;

	/* The token goes with it, if it has that; who waits for it is woken by the signal. */
	if (!test_bit(THREAD_RELEASED, &ht->flags))
		instance_kill(inst, LODGE_ENDED_KILLED, 0, "one of its host threads was killed");
	/* Interrupts still come, and would look for it. */
	if (READ_ONCE(inst->in_user) == ht)
		WRITE_ONCE(inst->in_user, NULL);
	if (READ_ONCE(inst->owner) == ht)
		WRITE_ONCE(inst->owner, NULL);
	trap_unmark();
	thread_drop(ht);
}

/**
 * thread_end - the running thread leaves the guest, and ends on its way to user mode
 * @ht: the running thread
 */
void thread_end(struct lodge_thread *ht)
{
	space_leave(ht);
	thread_lost(ht);
	send_sig(SIGKILL, current, 1);
}

/* A process of the host's becomes a host thread: nothing that it had may come back to it. */
static void become(struct lodge_thread *ht)
{
	current->robust_list = NULL;
	current->clear_child_tid = NULL;
	current->set_child_tid = NULL;
	rseq_execve(current);
	WRITE_ONCE(ht->task, get_task_struct(current));
	trap_mark(ht);
}

/**
 * thread_newborn - the running thread is a clone that has not run yet
 * @ht: what it is to be
 *
 * Return: true; false if it has to end.
 */
bool thread_newborn(struct lodge_thread *ht)
{
	become(ht);
	if (instance_over(ht->inst))
		return false;
	return ht->do_job ? worker_loop(ht) : thread_loop(ht, 0);
}

/**
 * thread_clone - give a thread of the guest's a process of the host's, like the running one
 * @inst: the guest
 * @ht: of thread_new(); if this fails, it is no more
 *
 * The child inherits our mark, and the pending notice, with which it comes to trap_signal() before
 * it has run an instruction. Not inlined: to the compiler, the running task is the same for
 * all of a function.
 *
 * Return: 0 or an error.
 */
noinline int thread_clone(struct lodge_instance *inst, struct lodge_thread *ht)
{
	struct lodge_thread *me = thread_current();
	struct pt_regs args = { .di = CLONE_FS | CLONE_FILES | SIGCHLD };
	long ret;

	current->sas_ss_sp = (unsigned long)ht;
	set_thread_flag(TIF_NOTIFY_SIGNAL);
	ht->fs_base = me->fs_base;
	ht->gs_base = me->gs_base;
	ret = trap_call_clone(&args);
	clear_thread_flag(TIF_NOTIFY_SIGNAL);
	current->sas_ss_sp = (unsigned long)me;
	if (ret < 0) {
		release(ht);
		thread_drop(ht);
		return ret == -ERESTARTNOINTR ? -EAGAIN : ret;
	}
	return 0;
}

static int new_clone(struct lodge_instance *inst, struct lodge_thread **child)
{
	struct lodge_thread *ht;
	unsigned long n;
	int err;

	spin_lock(&inst->lock);
	n = inst->nr_threads - inst->nr_released;
	spin_unlock(&inst->lock);
	/* clone() does not look at root's limit. */
	if (n >= inst->threads_max)
		return -EAGAIN;
	ht = thread_new(inst);
	err = ht ? thread_clone(inst, ht) : -ENOMEM;
	if (!err)
		*child = ht;
	return err;
}

/** lodge_thread_clone - see lodge-host.h */
int lodge_thread_clone(struct lodge_instance *inst, struct lodge_thread *parent,
		       struct lodge_thread **child)
{
	if (instance_over(inst))
		thread_leave(inst);
	thread_move(parent);
	return new_clone(inst, child);
}
EXPORT_SYMBOL_GPL(lodge_thread_clone);

/** lodge_thread_release - see lodge-host.h */
void lodge_thread_release(struct lodge_instance *inst, struct lodge_thread *ht)
{
	/* It may see that, and be no more, before we wake it. */
	rcu_read_lock();
	release(ht);
	/* If it is the one that runs, it ends when it gives the token away. */
	rcuwait_wake_up(&ht->wait);
	rcu_read_unlock();
}
EXPORT_SYMBOL_GPL(lodge_thread_release);

/** lodge_user_run - see lodge-host.h */
int lodge_user_run(struct lodge_instance *inst, struct lodge_user *user)
{
	struct lodge_thread *me = thread_current();
	struct lodge_thread *ht = *user->thread;
	int err;

	if (instance_over(inst))
		thread_leave(inst);
	if (!ht) {
		/* The one that has booted the guest is its first process's. */
		if (!me->user) {
			ht = me;
		} else {
			err = new_clone(inst, &ht);
			if (err)
				return err;
		}
		set_bit(THREAD_FRESH, &ht->flags);
		*user->thread = ht;
	}
	/* Only who has the token makes it anything else. */
	if (READ_ONCE(ht->loose) == LOOSE_TRAPPED) {
		loose_tie(ht);
		return 0;
	}
	ht->user = user;
	inst->order.what = ORDER_USER;
	inst->order.thread = ht;
	stack_switch(&ht->guest_sp, me->host_sp);
	return 0;
}
EXPORT_SYMBOL_GPL(lodge_user_run);

/** lodge_thread_leave - see lodge-host.h */
void lodge_thread_leave(struct lodge_instance *inst, struct lodge_thread *ht)
{
	if (ht && READ_ONCE(thread_current()->loose) == LOOSE_READY &&
	    READ_ONCE(ht->loose) == LOOSE_NOT)
		thread_move(ht);
}
EXPORT_SYMBOL_GPL(lodge_thread_leave);

/** lodge_end - see lodge-host.h */
void lodge_end(struct lodge_instance *inst, int how, int code, const char *reason)
{
	instance_kill(inst, how, code, reason);
	thread_leave(inst);
}
EXPORT_SYMBOL_GPL(lodge_end);

/* ---- the first one ---- */

/* On the guest's first stack. */
void thread_boot(struct lodge_instance *inst)
{
	time_busy(inst);
	inst->ops->start(inst, &inst->memory, inst->argc, inst->argv);
	lodge_end(inst, LODGE_END_PANIC, 0, "its kernel did not start");
}

/**
 * thread_begin - the running process boots a guest, and becomes its first host thread
 * @inst: the guest, with memory and files
 * @regs: its registers in user mode, which become the guest's
 *
 * Return: 0 once it is to go on in user mode, as a thread of the guest or to its end; or -ENOMEM:
 * nothing has happened.
 */
int thread_begin(struct lodge_instance *inst, struct pt_regs *regs)
{
	struct lodge_thread *ht = thread_new(inst);
	sigset_t set;
	int sig;

	if (!ht)
		return -ENOMEM;
	/* Only SIGKILL means anything, and exceptions, which trap_signal() takes. */
	sigfillset(&set);
	sigdelsetmask(&set, sigmask(SIGKILL) | sigmask(SIGSTOP));
	for (sig = 1; sig < SIGRTMIN; sig++)
		if (siginmask(sig, SYNCHRONOUS_MASK)) {
			sigdelset(&set, sig);
			/* With one, the host logs no segmentation fault. */
			kernel_sigaction(sig, (__force __sighandler_t)NO_HANDLER);
		}
	sigprocmask(SIG_SETMASK, &set, NULL);
	/* Nobody waits for the clones that it makes. */
	kernel_sigaction(SIGCHLD, SIG_IGN);
	become(ht);
	WRITE_ONCE(inst->owner, ht);
	trap_return(ht, regs, thread_loop(ht, first_stack(inst)));
	return 0;
}
