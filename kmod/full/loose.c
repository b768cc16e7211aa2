// SPDX-License-Identifier: GPL-2.0
/*
 * Loose threads: in user mode without the token, because the guest's scheduler has preempted their
 * guest threads on the way there.
 *
 *	LOOSE_NOT	as all others
 *	LOOSE_READY	it may go, when the guest's kernel has left its stack
 *	LOOSE_RUNNING	it is in user mode, or on its way
 *	LOOSE_TRAPPED	it has come back, its registers are the guest's, and waits to be chosen
 *
 * Who has the token makes them ready and, when they are chosen, LOOSE_NOT; the rest is their own.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/export.h>
#include <linux/sched.h>

#include "kmod/full/host-call.h"
#include "kmod/full/instance.h"
#include "kmod/full/trap.h"

/* Return: whether it was @from; else it stays what it is. */
static bool change(struct lodge_thread *ht, int from, int to)
{
	struct lodge_instance *inst = ht->inst;
	unsigned long flags;
	bool was;

	raw_spin_lock_irqsave(&inst->loose_lock, flags);
	was = ht->loose == from;
	if (was) {
		WRITE_ONCE(ht->loose, to);
		if (to == LOOSE_TRAPPED)
			inst->nr_trapped++;
	}
	raw_spin_unlock_irqrestore(&inst->loose_lock, flags);
	return was;
}

/**
 * loose_go - a thread is about to go to user mode without the token
 * @ht: the running thread
 *
 * Return: whether it was ready for that; its guest thread may have been chosen again meanwhile.
 */
bool loose_go(struct lodge_thread *ht)
{
	return change(ht, LOOSE_READY, LOOSE_RUNNING);
}

/**
 * loose_tie - the guest has chosen a thread that is loose
 * @ht: the thread; we have the token
 *
 * Return: LOOSE_RUNNING: it is in user mode, and has the token now; LOOSE_TRAPPED: it has something
 * for the guest's kernel, on whatever thread that runs; LOOSE_NOT: it has to be given the token.
 */
int loose_tie(struct lodge_thread *ht)
{
	struct lodge_instance *inst = ht->inst;
	unsigned long flags;
	int was;

	rcu_read_lock();
	raw_spin_lock_irqsave(&inst->loose_lock, flags);
	was = ht->loose;
	if (was == LOOSE_READY) {
		was = LOOSE_NOT;
	} else if (was == LOOSE_RUNNING) {
		WRITE_ONCE(inst->owner, ht);
		WRITE_ONCE(inst->in_user, ht);
	} else if (was == LOOSE_TRAPPED) {
		inst->nr_trapped--;
	}
	WRITE_ONCE(ht->loose, LOOSE_NOT);
	raw_spin_unlock_irqrestore(&inst->loose_lock, flags);
	if (was == LOOSE_RUNNING) {
		/* Pairs with thread_interrupt(): it sees who is in user mode, or we its bit. */
		smp_mb();
		if (READ_ONCE(*inst->ops->pending))
			thread_queue_work(ht);
	}
	rcu_read_unlock();
	return was;
}

/**
 * loose_trapped - a loose thread has come from user mode, and what it has is with its registers
 * @ht: the running thread
 *
 * Return: true: it has to wait until it is given the token; false: it has it, for the guest has
 * chosen it meanwhile.
 */
bool loose_trapped(struct lodge_thread *ht)
{
	return change(ht, LOOSE_RUNNING, LOOSE_TRAPPED);
}

/** lodge_user_loose - see lodge-host.h */
int lodge_user_loose(struct lodge_instance *inst, struct lodge_user *user)
{
	struct lodge_thread *ht = *user->thread;

	if (!ht || ht->space != user->space || current->nr_cpus_allowed == 1 ||
	    num_online_cpus() == 1)
		return 0;
	/* If it is loose already, it has this one. */
	ht->user = user;
	change(ht, LOOSE_NOT, LOOSE_READY);
	if (ht != thread_current())
		rcuwait_wake_up(&ht->wait);
	return 1;
}
EXPORT_SYMBOL_GPL(lodge_user_loose);

/* Return: whether it is, or was, in user mode. */
static bool call_back(struct lodge_thread *ht)
{
	struct lodge_instance *inst = ht->inst;
	unsigned long flags;
	int was;

	raw_spin_lock_irqsave(&inst->loose_lock, flags);
	was = ht->loose;
	if (was == LOOSE_READY)
		WRITE_ONCE(ht->loose, LOOSE_NOT);
	else if (was == LOOSE_RUNNING)
		thread_queue_work(ht);
	raw_spin_unlock_irqrestore(&inst->loose_lock, flags);
	return was == LOOSE_RUNNING || was == LOOSE_TRAPPED;
}

/** lodge_user_catch - see lodge-host.h */
int lodge_user_catch(struct lodge_instance *inst, struct lodge_user *user)
{
	return *user->thread && call_back(*user->thread);
}
EXPORT_SYMBOL_GPL(lodge_user_catch);

/* Return: whether there is one in user mode. */
static bool call_all_back(struct lodge_instance *inst)
{
	struct lodge_thread *ht;
	bool running = false;

	spin_lock(&inst->lock);
	list_for_each_entry(ht, &inst->threads, list) {
		call_back(ht);
		running |= READ_ONCE(ht->loose) == LOOSE_RUNNING;
	}
	spin_unlock(&inst->lock);
	return running;
}

/** host_users_stop - see lodge-host.h */
void host_users_stop(struct lodge_instance *inst)
{
	while (call_all_back(inst) && !instance_over(inst))
		usleep_range(50, 200);
}
EXPORT_SYMBOL_GPL(lodge_users_stop);
