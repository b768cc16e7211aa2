// SPDX-License-Identifier: GPL-2.0
/*
 * Traps: from user mode to the guest's kernel and back, always on the thread's own stack.
 */
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/task_work.h>
#include <asm/ptrace.h>
#include <asm/syscall.h>
#include <asm/trapnr.h>

#include "kmod/compat/signal.h"
#include "kmod/full/instance.h"
#include "kmod/full/trap.h"

/* Both have the registers of a program in the order of struct user_regs_struct. */
#define REG_ORIG_AX	15
#define REG_FS_BASE	21
#define REG_GS_BASE	22
static_assert(offsetof(struct pt_regs, orig_ax) == REG_ORIG_AX * 8);
static_assert(sizeof(struct pt_regs) == REG_FS_BASE * 8);

/* Flags that a program may change itself. */
#define USER_FLAGS	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF | \
			 X86_EFLAGS_SF | X86_EFLAGS_TF | X86_EFLAGS_DF | X86_EFLAGS_OF | \
			 X86_EFLAGS_NT | X86_EFLAGS_AC | X86_EFLAGS_RF | X86_EFLAGS_ID)

static bool pending(struct lodge_instance *inst)
{
	return READ_ONCE(*inst->ops->pending);
}

/**
 * trap_return - a thread goes to user mode as the guest wants it to, or to its end
 * @ht: the running thread
 * @regs: the registers that it will have there
 * @alive: what thread_loop() says
 */
void trap_return(struct lodge_thread *ht, struct pt_regs *regs, bool alive)
{
	struct lodge_instance *inst = ht->inst;
	struct lodge_user *user = ht->user;

	if (alive && unlikely(user->space != ht->space))
		alive = !space_bind(ht, user->space);
	if (!alive) {
		thread_end(ht);
		return;
	}
	ht->pgd = user->pgd;
	/* A program has chosen some of them. */
	memcpy(regs, user->regs, sizeof(*regs));
	regs->cs = __USER_CS;
	regs->ss = __USER_DS;
	regs->flags = (regs->flags & USER_FLAGS) | X86_EFLAGS_IF | X86_EFLAGS_FIXED;
	/* The host has no system call to restart. */
	regs->orig_ax = -1;
	if (unlikely(user->regs[REG_FS_BASE] != ht->fs_base ||
		     user->regs[REG_GS_BASE] != ht->gs_base))
		segments_load(ht, user->regs[REG_FS_BASE], user->regs[REG_GS_BASE]);
	/* It goes on its own: who looks for it will find it in the list of threads. */
	if (unlikely(READ_ONCE(ht->loose) == LOOSE_RUNNING))
		return;
	WRITE_ONCE(inst->in_user, ht);
	/* Pairs with thread_interrupt(): it sees that we go, or we see what it has set. */
	smp_mb();
	if (unlikely(pending(inst)))
		thread_queue_work(ht);
}

/* Into the guest, and back. */
static void trap(struct lodge_thread *ht, struct pt_regs *regs, int what)
{
	struct lodge_user *user = ht->user;
	bool loose = READ_ONCE(ht->loose);

	if (likely(!loose))
		WRITE_ONCE(ht->inst->in_user, NULL);
	memcpy(user->regs, regs, sizeof(*regs));
	segments_save(ht, &user->regs[REG_FS_BASE]);
	user->trap = what;
	if (unlikely(loose)) {
		if (loose_trapped(ht)) {
			trap_return(ht, regs, thread_loop(ht, 0));
			return;
		}
		WRITE_ONCE(ht->inst->in_user, NULL);
	}
	trap_return(ht, regs, thread_loop(ht, ht->guest_sp));
}

/**
 * trap_syscall - a thread of a guest calls the system
 * @regs: its registers
 *
 * Return: what syscall_trace_enter() says if there is nothing left to do.
 */
long trap_syscall(struct pt_regs *regs)
{
	struct lodge_thread *ht = thread_current();

	/* The guest knows the 64-bit calls only, under the host's numbers for them. */
	if (unlikely(in_ia32_syscall()))
		regs->ax = -ENOSYS;
	else
		trap(ht, regs, LODGE_TRAP_SYSCALL);
	return -1;
}

/* ---- on the way to user mode: faults and interrupts ---- */

static void enter(struct lodge_thread *ht, struct pt_regs *regs)
{
	if (test_and_clear_bit(THREAD_FAULT, &ht->flags)) {
		ht->user->cr2 = ht->cr2;
		ht->user->error_code = ht->error_code;
		ht->user->trap_no = X86_TRAP_PF;
		trap(ht, regs, LODGE_TRAP_FAULT);
	} else {
		trap(ht, regs, LODGE_TRAP_INTERRUPT);
	}
}

static void trap_work(struct callback_head *work)
{
	struct lodge_thread *ht = container_of(work, struct lodge_thread, work);
	struct pt_regs *regs = task_pt_regs(current);

	clear_bit(THREAD_WORK, &ht->flags);
	/* Or it has left the guest, or is about to. */
	if (!(current->flags & PF_EXITING) && trap_is_marked(current) && !instance_over(ht->inst))
		enter(ht, regs);
	thread_put(ht);
}

/* For a new thread. */
void trap_init_work(struct lodge_thread *ht)
{
	init_task_work(&ht->work, trap_work);
}

/**
 * thread_queue_work - bring a thread into the guest before it is in user mode again
 * @ht: the thread; in any context
 */
void thread_queue_work(struct lodge_thread *ht)
{
	if (test_and_set_bit(THREAD_WORK, &ht->flags))
		return;
	/* One that we have just seen in user mode may have come to its end since. */
	if (!refcount_inc_not_zero(&ht->refs))
		return;
	/* It fails when the task has done its last work: nothing is left to interrupt. */
	if (task_work_add(ht->task, &ht->work, TWA_RESUME))
		thread_put(ht);
}

/**
 * thread_interrupt - set a bit of a guest's pending word, and have it looked at
 * @inst: the guest
 * @bit: LODGE_IRQ_
 *
 * In any context.
 */
void thread_interrupt(struct lodge_instance *inst, unsigned int bit)
{
	struct lodge_thread *ht;

	rcu_read_lock();
	set_bit(bit, inst->ops->pending);
	/* Pairs with trap_return(). */
	smp_mb__after_atomic();
	ht = READ_ONCE(inst->in_user);
	if (ht)
		thread_queue_work(ht);
	rcu_read_unlock();
	wake_up(&inst->idle);
}

/* ---- interrupts of the guest's kernel ---- */

/**
 * trap_interrupt_kernel - have the guest's kernel look at its pending word now
 * @inst: the guest of the running thread, which is in its kernel
 * @regs: where an interrupt of the host's, in whose handler we are, has come to
 *
 * And have it let others of the host's run if it is time, which it does even while it is not to be
 * interrupted. One that is to end leaves for good.
 *
 * All of this as soon as the host's interrupt is over; or not at all, where it cannot be done.
 */
void trap_interrupt_kernel(struct lodge_instance *inst, struct pt_regs *regs)
{
	if (!regs || !oops_is_guests(inst, regs) || preempt_count() != HARDIRQ_OFFSET)
		return;
	/* Of one that is to end, nothing more is asked: it may be in a loop. */
	if (READ_ONCE(inst->dead) || fatal_signal_pending(current)) {
		oops_land(regs);
		return;
	}
	if (!stack_has_room(inst, regs->sp))
		return;
	inst->only_relax = !READ_ONCE(*inst->ops->enabled);
	if (inst->only_relax && !need_resched())
		return;
	/* As the processor does, or it would be interrupted again before it can. */
	WRITE_ONCE(*inst->ops->enabled, 0);
	/* The host's handler is on the same stack, below: nothing can be left there. */
	inst->interrupted_ip = regs->ip;
	regs->ip = (unsigned long)interrupt_landing;
}

/**
 * trap_kernel - where it lands, on the stack that was interrupted
 * @regs: all its registers, but %rsp is off by one word and %rip is missing
 */
void trap_kernel(struct pt_regs *regs)
{
	struct lodge_instance *inst = thread_current()->inst;

	regs->sp += sizeof(long);
	regs->ip = inst->interrupted_ip;
	cond_resched();
	if (inst->only_relax)
		return;
	inst->ops->interrupt();
	/* Until the guest's own code runs again, it is not interrupted. */
	WRITE_ONCE(*inst->ops->enabled, 1);
}

/* ---- exceptions ---- */

static void trap_exception(struct lodge_thread *ht, struct pt_regs *regs,
			   const struct kernel_siginfo *info)
{
	struct lodge_user *user = ht->user;

	user->signal = info->si_signo;
	user->code = info->si_code;
	/* The address is where, not what: the instruction, unless it was memory. */
	user->cr2 = info->si_signo == SIGSEGV ? current->thread.cr2 : (unsigned long)info->si_addr;
	user->error_code = current->thread.error_code;
	user->trap_no = current->thread.trap_nr;
	trap(ht, regs, LODGE_TRAP_EXCEPTION);
}

/* Signals that say what the program itself has done; others have no business here. */
static bool is_exception(const struct kernel_siginfo *info)
{
	return info->si_code > 0 && (sigmask(info->si_signo) & SYNCHRONOUS_MASK);
}

/**
 * trap_signal - a signal is pending for a thread of a guest, or it is new
 * @regs: its registers in user mode
 *
 * Return: true if there is no more to do; false: the host goes on to end the thread.
 */
bool trap_signal(struct pt_regs *regs)
{
	struct lodge_thread *ht = thread_current();
	struct sighand_struct *sighand;
	struct kernel_siginfo info;
	int signal;

	clear_thread_flag(TIF_NOTIFY_SIGNAL);
	/* Of what the parent's thread, still on its way, left in the task when it was copied. */
	if (unlikely(ht->task != current)) {
		trap_return(ht, regs, thread_newborn(ht));
		return !fatal_signal_pending(current);
	}
	if (instance_over(ht->inst)) {
		thread_end(ht);
		return false;
	}
	/* Nobody takes it from the task that runs. */
	sighand = rcu_dereference_raw(current->sighand);
	spin_lock_irq(&sighand->siglock);
	signal = compat_dequeue_signal(&info);
	recalc_sigpending();
	spin_unlock_irq(&sighand->siglock);
	if (signal && is_exception(&info))
		trap_exception(ht, regs, &info);
	return !fatal_signal_pending(current);
}

/* ---- marks ---- */

/**
 * trap_mark - from now on, the running task's traps are a guest's
 * @ht: what it is in the guest
 */
void trap_mark(struct lodge_thread *ht)
{
	current->sas_ss_sp = (unsigned long)ht;
	set_bit(TRAP_MARK_BIT, &current_thread_info()->syscall_work);
	/* Only with a bit that the host knows does it call syscall_trace_enter(). */
	set_task_syscall_work(current, SYSCALL_EMU);
}

/** trap_unmark - undo trap_mark() */
void trap_unmark(void)
{
	clear_bit(TRAP_MARK_BIT, &current_thread_info()->syscall_work);
	clear_task_syscall_work(current, SYSCALL_EMU);
	current->sas_ss_sp = 0;
}

/* As @entry finds them: the registers of stack_switch(), where that returns to, and no caller. */
static unsigned long prepare_stack(unsigned long stack, const char *entry, const void *argument)
{
	unsigned long *top = (unsigned long *)stack;

	*--top = 0;
	*--top = (unsigned long)entry;
	*--top = 0;				/* %rbp */
	*--top = (unsigned long)argument;	/* %rbx */
	top -= 4;				/* %r12 to %r15 */
	return (unsigned long)top;
}

/**
 * first_stack - the guest's first stack, ready for stack_switch() to boot the guest on it
 * @inst: the guest
 */
unsigned long first_stack(struct lodge_instance *inst)
{
	/* What is below is free for it to overflow into: a hole there would be the host's end. */
	return prepare_stack(inst->memory.base + 2 * inst->ops->stack_size, first_stack_entry,
			     inst);
}

/**
 * worker_stack - a stack of the guest's, ready for stack_switch() to call worker_run() on it
 * @ht: the worker
 * @top: of the stack
 */
unsigned long worker_stack(struct lodge_thread *ht, unsigned long top)
{
	return prepare_stack(top, worker_stack_entry, ht);
}
