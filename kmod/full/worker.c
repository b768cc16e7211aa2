// SPDX-License-Identifier: GPL-2.0
/*
 * Workers: host threads that run a function of the guest's beside its CPU, so that it does not wait
 * for the host's disks.
 *
 * Jobs go to a worker and come back by lists without locks. It is on a stack of the guest's only
 * while it does one: a job that has come back is off it.
 */
#include <linux/export.h>
#include <linux/llist.h>

#include "kmod/full/instance.h"
#include "kmod/full/trap.h"

/* The guest's side has its own idea of what is in a list. */
static_assert(sizeof(struct lodge_job) == sizeof(struct llist_node));

static struct llist_node *node_of(struct lodge_job *job)
{
	return (struct llist_node *)job;
}

static bool has_to_move(struct lodge_thread *ht)
{
	return !llist_empty(&ht->jobs) || test_bit(THREAD_RELEASED, &ht->flags) ||
	       READ_ONCE(ht->inst->dead);
}

/**
 * worker_run - do jobs, on the guest's stack
 * @ht: the running thread
 */
void worker_run(struct lodge_thread *ht)
{
	for (;;) {
		ht->do_job(ht->job);
		stack_switch(&ht->guest_sp, ht->host_sp);
	}
}

/* Return: false if the guest is over. */
static bool do_jobs(struct lodge_thread *ht)
{
	struct llist_node *node = llist_reverse_order(llist_del_all(&ht->jobs)), *next;
	struct lodge_instance *inst = ht->inst;

	for (; node; node = next) {
		next = node->next;
		ht->job = (struct lodge_job *)node;
		stack_switch(&ht->host_sp, ht->guest_sp);
		/* Else it may have left the stack in the middle of the job. */
		if (instance_over(inst))
			return false;
		llist_add(node, &inst->done);
		thread_interrupt(inst, LODGE_IRQ_WORKER);
		cond_resched();
	}
	return true;
}

/**
 * worker_loop - do what there is to do until the guest, or its disk, is no more
 * @ht: the running thread, on its own stack
 *
 * Return: false: it has to end.
 */
bool worker_loop(struct lodge_thread *ht)
{
	do {
		if (rcuwait_wait_event(&ht->wait, has_to_move(ht), TASK_KILLABLE | TASK_NOLOAD))
			break;
	} while (!instance_over(ht->inst) && !test_bit(THREAD_RELEASED, &ht->flags) &&
		 do_jobs(ht));
	return false;
}

/** lodge_worker_start - see lodge-host.h */
int lodge_worker_start(struct lodge_instance *inst, void (*work)(struct lodge_job *job),
		       unsigned long stack, struct lodge_thread **worker)
{
	struct lodge_thread *ht;
	int err;

	if (instance_over(inst))
		thread_leave(inst);
	ht = thread_new(inst);
	if (!ht)
		return -ENOMEM;
	ht->do_job = work;
	ht->guest_sp = worker_stack(ht, stack);
	err = thread_clone(inst, ht);
	if (!err)
		*worker = ht;
	return err;
}
EXPORT_SYMBOL_GPL(lodge_worker_start);

/** lodge_worker_give - see lodge-host.h */
void lodge_worker_give(struct lodge_thread *ht, struct lodge_job *job)
{
	if (llist_add(node_of(job), &ht->jobs))
		rcuwait_wake_up(&ht->wait);
}
EXPORT_SYMBOL_GPL(lodge_worker_give);

/** lodge_worker_done - see lodge-host.h */
struct lodge_job *lodge_worker_done(struct lodge_instance *inst)
{
	return (struct lodge_job *)llist_reverse_order(llist_del_all(&inst->done));
}
EXPORT_SYMBOL_GPL(lodge_worker_done);
