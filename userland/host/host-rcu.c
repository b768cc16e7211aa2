// SPDX-License-Identifier: GPL-2.0
/*
 * host.h in user space: RCU.  Readers share a lock; callbacks are collected and run by
 * whoever gets the lock alone once there are many, so an object outlives its readers
 * and usually many other operations too.
 */
#include "userland/host/host-user.h"

#define ENOUGH	64

/* Readers come first, as they may be within each other. */
static pthread_rwlock_t readers = PTHREAD_RWLOCK_INITIALIZER;
static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static struct rcu_head *queue;
static unsigned int queued;

void rcu_read_lock(void)
{
	host_atomic_depth++;
	pthread_rwlock_rdlock(&readers);
}

void rcu_read_unlock(void)
{
	pthread_rwlock_unlock(&readers);
	host_atomic_depth--;
}

void rcu_barrier(void)
{
	struct rcu_head *head, *next;

	host_may_sleep();
	pthread_mutex_lock(&queue_lock);
	head = queue;
	queue = NULL;
	queued = 0;
	pthread_mutex_unlock(&queue_lock);

	/* Whoever reads now may still see what was queued before. */
	pthread_rwlock_wrlock(&readers);
	pthread_rwlock_unlock(&readers);
	for (; head; head = next) {
		next = head->next;
		head->func(head);
	}
}

void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head))
{
	bool enough;

	head->func = func;
	pthread_mutex_lock(&queue_lock);
	head->next = queue;
	queue = head;
	enough = ++queued >= ENOUGH;
	pthread_mutex_unlock(&queue_lock);
	if (enough && !host_atomic_depth)
		rcu_barrier();
}
