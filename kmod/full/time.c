// SPDX-License-Identifier: GPL-2.0
/* Time of a guest: its clock event, and what it does when there is nothing to do. */
#include <linux/export.h>
#include <linux/ktime.h>
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <linux/smp.h>
#include <linux/timekeeping.h>
#include <asm/irq_regs.h>
#include <asm/tsc.h>

#include "kmod/full/instance.h"
#include "kmod/full/trap.h"

/* How long a guest's kernel runs, at most, before it is looked at. */
#define LOOK_NS		(1000 * 1000)

/* On this CPU; also while the timer's function runs, here or on another one. */
static void look_now(struct lodge_instance *inst)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&inst->look_lock, flags);
	if (!inst->stopped)
		hrtimer_start(&inst->look, 0, HRTIMER_MODE_REL_PINNED_HARD);
	raw_spin_unlock_irqrestore(&inst->look_lock, flags);
}

/*
 * The guest's kernel runs on another CPU than its timer: from now on, on that one. The interrupt
 * that asks for it does not say what it has interrupted; that of a timer does.
 */
static void move_look(void *data)
{
	struct lodge_instance *inst = data;

	look_now(inst);
	/* From here on it may be freed. */
	atomic_set_release(&inst->moving, 0);
}

static bool wants_something(struct lodge_instance *inst, struct task_struct *task)
{
	return READ_ONCE(*inst->ops->pending) || test_tsk_need_resched(task) ||
	       READ_ONCE(inst->dead) || fatal_signal_pending(task);
}

/* In an interrupt: is there something for which the guest's kernel has to stop what it does? */
static void look(struct lodge_instance *inst)
{
	struct lodge_thread *owner;
	struct task_struct *task;

	/* In user mode, the host sees to it; but others may want to be the guest's CPU, too. */
	if (READ_ONCE(inst->in_user)) {
		if (READ_ONCE(inst->nr_trapped))
			thread_interrupt(inst, LODGE_IRQ_RESCHED);
		return;
	}
	rcu_read_lock();
	owner = READ_ONCE(inst->owner);
	/* A clone may have been given the token before it runs for the first time. */
	task = owner ? READ_ONCE(owner->task) : NULL;
	if (!task || !wants_something(inst, task)) {
		/* It will look itself, before it is in user mode. */
	} else if (task == current) {
		trap_interrupt_kernel(inst, get_irq_regs());
	} else if (task_cpu(task) != smp_processor_id() && !atomic_xchg(&inst->moving, 1)) {
		if (smp_call_function_single_async(task_cpu(task), &inst->move))
			atomic_set(&inst->moving, 0);
	}
	rcu_read_unlock();
}

static enum hrtimer_restart look_expires(struct hrtimer *timer)
{
	struct lodge_instance *inst = container_of(timer, struct lodge_instance, look);
	enum hrtimer_restart restart = HRTIMER_NORESTART;

	look(inst);
	raw_spin_lock(&inst->look_lock);
	/* One that has been started again in the meantime is not ours to set. */
	if (!READ_ONCE(inst->idling) && !hrtimer_is_queued(timer)) {
		hrtimer_forward_now(timer, ns_to_ktime(LOOK_NS));
		restart = HRTIMER_RESTART;
	}
	raw_spin_unlock(&inst->look_lock);
	return restart;
}

static enum hrtimer_restart timer_expires(struct hrtimer *timer)
{
	struct lodge_instance *inst = container_of(timer, struct lodge_instance, timer);

	thread_interrupt(inst, LODGE_IRQ_TIMER);
	look(inst);
	if (!inst->interval)
		return HRTIMER_NORESTART;
	hrtimer_forward_now(timer, ns_to_ktime(inst->interval));
	return HRTIMER_RESTART;
}

/** time_init_instance - for a new instance */
void time_init_instance(struct lodge_instance *inst)
{
	hrtimer_init(&inst->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	inst->timer.function = timer_expires;
	hrtimer_init(&inst->look, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	inst->look.function = look_expires;
	raw_spin_lock_init(&inst->look_lock);
	INIT_CSD(&inst->move, move_look, inst);
}

/** time_idle - a guest has nothing to do: from now on it is not looked at, but to end it */
void time_idle(struct lodge_instance *inst)
{
	WRITE_ONCE(inst->idling, true);
}

/** time_busy - it has */
void time_busy(struct lodge_instance *inst)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&inst->look_lock, flags);
	WRITE_ONCE(inst->idling, false);
	if (!inst->stopped && !hrtimer_is_queued(&inst->look))
		hrtimer_start(&inst->look, LOOK_NS, HRTIMER_MODE_REL_PINNED_HARD);
	raw_spin_unlock_irqrestore(&inst->look_lock, flags);
}

/** time_kill - the guest is to end: fetch it from whatever its kernel does; under inst->lock */
void time_kill(struct lodge_instance *inst)
{
	look_now(inst);
}

/** time_stop - nobody calls lodge_timer() any more */
void time_stop(struct lodge_instance *inst)
{
	raw_spin_lock_irq(&inst->look_lock);
	inst->stopped = true;
	raw_spin_unlock_irq(&inst->look_lock);
	hrtimer_cancel(&inst->timer);
	hrtimer_cancel(&inst->look);
	while (atomic_read_acquire(&inst->moving))
		cpu_relax();
}

/** lodge_timer - see lodge-host.h */
void lodge_timer(struct lodge_instance *inst, unsigned long long first,
		 unsigned long long interval)
{
	hrtimer_cancel(&inst->timer);
	inst->interval = interval;
	if (first)
		hrtimer_start(&inst->timer, ns_to_ktime(first), HRTIMER_MODE_REL_PINNED_HARD);
}
EXPORT_SYMBOL_GPL(lodge_timer);

/** lodge_idle - see lodge-host.h */
void lodge_idle(struct lodge_instance *inst)
{
	time_idle(inst);
	___wait_event(inst->idle, READ_ONCE(*inst->ops->pending) || instance_over(inst),
		      (TASK_KILLABLE | TASK_NOLOAD), 0, 0, schedule());
	time_busy(inst);
	if (instance_over(inst))
		thread_leave(inst);
}
EXPORT_SYMBOL_GPL(lodge_idle);

/** lodge_relax - see lodge-host.h */
void lodge_relax(struct lodge_instance *inst)
{
	if (stack_has_room(inst, current_stack_pointer))
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
