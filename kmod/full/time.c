// SPDX-License-Identifier: GPL-2.0
/* Time of a guest: its clock event, and what it does when there is nothing to do. */
#include <linux/export.h>
#include <linux/ktime.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/timekeeping.h>
#include <asm/irq_regs.h>
#include <asm/tsc.h>

#include "kmod/full/instance.h"
#include "kmod/full/trap.h"

/* How long until a kernel that could not be interrupted is interrupted again. */
#define RETRY_NS	(2 * 1000 * 1000)

/* Expire at once, on this CPU: also while timer_expires() runs on another one. */
static void expire_now(struct lodge_instance *inst)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&inst->timer_lock, flags);
	if (!inst->stopped)
		hrtimer_start(&inst->timer, 0, HRTIMER_MODE_REL_PINNED_HARD);
	raw_spin_unlock_irqrestore(&inst->timer_lock, flags);
}

static bool is_in_kernel(struct lodge_instance *inst)
{
	return !READ_ONCE(inst->in_user) && test_bit(LODGE_IRQ_TIMER, inst->ops->pending);
}

/*
 * The guest's kernel runs on another CPU than its timer: from now on, on that one. The interrupt
 * that asks for it does not say what it has interrupted; that of a timer does.
 */
static void move_timer(void *data)
{
	struct lodge_instance *inst = data;

	expire_now(inst);
	/* From here on it may be freed. */
	atomic_set_release(&inst->moving, 0);
}

/* Return: whether the timer is to be asked to do this again. */
static bool interrupt_kernel(struct lodge_instance *inst)
{
	struct lodge_thread *owner;
	struct task_struct *task;
	bool again = true;

	rcu_read_lock();
	owner = READ_ONCE(inst->owner);
	/* A clone may have been given the token before it runs for the first time. */
	task = owner ? READ_ONCE(owner->task) : NULL;
	if (!task) {
		/* It will look itself, before it is in user mode. */
	} else if (task == current) {
		again = !trap_interrupt_kernel(inst, get_irq_regs());
	} else if (task_cpu(task) != smp_processor_id() && !atomic_xchg(&inst->moving, 1)) {
		if (smp_call_function_single_async(task_cpu(task), &inst->move))
			atomic_set(&inst->moving, 0);
		else
			again = false;
	}
	rcu_read_unlock();
	return again;
}

static enum hrtimer_restart timer_expires(struct hrtimer *timer)
{
	struct lodge_instance *inst = container_of(timer, struct lodge_instance, timer);
	enum hrtimer_restart restart = HRTIMER_NORESTART;
	u64 next = inst->interval;

	/* Only to try again, and it has seen to it itself? */
	if (!inst->retry || test_bit(LODGE_IRQ_TIMER, inst->ops->pending))
		thread_interrupt(inst, LODGE_IRQ_TIMER);
	inst->retry = is_in_kernel(inst) && interrupt_kernel(inst) && !next;
	if (inst->retry)
		next = RETRY_NS;
	if (!next)
		return HRTIMER_NORESTART;

	/* A timer that has been started again in the meantime is not ours to set. */
	raw_spin_lock(&inst->timer_lock);
	if (!hrtimer_is_queued(timer)) {
		hrtimer_forward_now(timer, ns_to_ktime(next));
		restart = HRTIMER_RESTART;
	}
	raw_spin_unlock(&inst->timer_lock);
	return restart;
}

/** time_init_instance - for a new instance */
void time_init_instance(struct lodge_instance *inst)
{
	hrtimer_init(&inst->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	inst->timer.function = timer_expires;
	raw_spin_lock_init(&inst->timer_lock);
	INIT_CSD(&inst->move, move_timer, inst);
}

/** time_kill - the guest is to end: fetch it from whatever its kernel does; under inst->lock */
void time_kill(struct lodge_instance *inst)
{
	expire_now(inst);
}

/** time_stop - nobody calls lodge_timer() any more */
void time_stop(struct lodge_instance *inst)
{
	raw_spin_lock_irq(&inst->timer_lock);
	inst->stopped = true;
	raw_spin_unlock_irq(&inst->timer_lock);
	hrtimer_cancel(&inst->timer);
	while (atomic_read_acquire(&inst->moving))
		cpu_relax();
}

/** lodge_timer - see lodge-host.h */
void lodge_timer(struct lodge_instance *inst, unsigned long long first,
		 unsigned long long interval)
{
	hrtimer_cancel(&inst->timer);
	inst->interval = interval;
	inst->retry = false;
	if (first)
		hrtimer_start(&inst->timer, ns_to_ktime(first), HRTIMER_MODE_REL_PINNED_HARD);
}
EXPORT_SYMBOL_GPL(lodge_timer);

/** lodge_idle - see lodge-host.h */
void lodge_idle(struct lodge_instance *inst)
{
	___wait_event(inst->idle, READ_ONCE(*inst->ops->pending) || instance_over(inst),
		      (TASK_KILLABLE | TASK_NOLOAD), 0, 0, schedule());
	if (instance_over(inst))
		thread_leave(inst);
}
EXPORT_SYMBOL_GPL(lodge_idle);

/** lodge_relax - see lodge-host.h */
void lodge_relax(struct lodge_instance *inst)
{
	cond_resched();
	if (instance_over(inst))
		thread_leave(inst);
}
EXPORT_SYMBOL_GPL(lodge_relax);

/** lodge_clock - see lodge-host.h */
long long lodge_clock(void)
{
	return ktime_get_ns();
}
EXPORT_SYMBOL_GPL(lodge_clock);

/** lodge_clock_real - see lodge-host.h */
long long lodge_clock_real(void)
{
	return ktime_get_real_ns();
}
EXPORT_SYMBOL_GPL(lodge_clock_real);

/** lodge_cpu_khz - see lodge-host.h */
unsigned long lodge_cpu_khz(void)
{
	return tsc_khz;
}
EXPORT_SYMBOL_GPL(lodge_cpu_khz);

/** lodge_random - see lodge-host.h */
void lodge_random(void *buffer, unsigned long length)
{
	get_random_bytes(buffer, length);
}
EXPORT_SYMBOL_GPL(lodge_random);
