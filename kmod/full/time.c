// SPDX-License-Identifier: GPL-2.0
/* Time of a guest: its clock event, and what it does when there is nothing to do. */
#include <linux/export.h>
#include <linux/ktime.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/timekeeping.h>

#include "kmod/full/instance.h"

static enum hrtimer_restart timer_expires(struct hrtimer *timer)
{
	struct lodge_instance *inst = container_of(timer, struct lodge_instance, timer);

	thread_interrupt(inst, LODGE_IRQ_TIMER);
	if (!inst->interval)
		return HRTIMER_NORESTART;
	hrtimer_forward_now(timer, ns_to_ktime(inst->interval));
	return HRTIMER_RESTART;
}

/** time_init_instance - for a new instance */
void time_init_instance(struct lodge_instance *inst)
{
	hrtimer_init(&inst->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	inst->timer.function = timer_expires;
}

/** time_stop - nobody calls lodge_timer() any more */
void time_stop(struct lodge_instance *inst)
{
	hrtimer_cancel(&inst->timer);
}

/** lodge_timer - see lodge-host.h */
void lodge_timer(struct lodge_instance *inst, unsigned long long first,
		 unsigned long long interval)
{
	hrtimer_cancel(&inst->timer);
	inst->interval = interval;
	if (first)
		hrtimer_start(&inst->timer, ns_to_ktime(first), HRTIMER_MODE_REL);
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

/** lodge_random - see lodge-host.h */
void lodge_random(void *buffer, unsigned long length)
{
	get_random_bytes(buffer, length);
}
EXPORT_SYMBOL_GPL(lodge_random);
