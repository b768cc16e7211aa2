/* SPDX-License-Identifier: GPL-2.0 */
/*
 * host.h in user space: locks, RCU and waiting.
 *
 * Sleeping where the kernel must not sleep, under a spinlock or in an RCU reader, ends the
 * program: host_may_sleep() is called by whatever may sleep in the kernel.
 */
#ifndef LODGE_HOST_LOCK_H
#define LODGE_HOST_LOCK_H

#include <pthread.h>

#include "userland/host/host-atomic.h"

/* Spinlocks held, RCU readers and mapped objects of the running thread. */
extern __thread int host_atomic_depth;

static inline void host_may_sleep(void)
{
	if (host_atomic_depth)
		host_bug(__FILE__, __LINE__, "sleeping in atomic context");
}

/* ---- locks ---- */

typedef struct { pthread_mutex_t mutex; } spinlock_t;

#define DEFINE_SPINLOCK(name)	spinlock_t name = { PTHREAD_MUTEX_INITIALIZER }

static inline void spin_lock_init(spinlock_t *lock)
{
	pthread_mutex_init(&lock->mutex, NULL);
}

static inline void spin_lock(spinlock_t *lock)
{
	host_atomic_depth++;
	pthread_mutex_lock(&lock->mutex);
}

static inline bool spin_trylock(spinlock_t *lock)
{
	if (pthread_mutex_trylock(&lock->mutex))
		return false;
	host_atomic_depth++;
	return true;
}

static inline void spin_unlock(spinlock_t *lock)
{
	pthread_mutex_unlock(&lock->mutex);
	host_atomic_depth--;
}

struct mutex {
	pthread_mutex_t mutex;
};

#define DEFINE_MUTEX(name)	struct mutex name = { PTHREAD_MUTEX_INITIALIZER }

static inline void mutex_init(struct mutex *lock)
{
	pthread_mutex_init(&lock->mutex, NULL);
}

static inline void mutex_lock(struct mutex *lock)
{
	host_may_sleep();
	pthread_mutex_lock(&lock->mutex);
}

static inline bool mutex_trylock(struct mutex *lock)
{
	return !pthread_mutex_trylock(&lock->mutex);
}

static inline void mutex_unlock(struct mutex *lock)
{
	pthread_mutex_unlock(&lock->mutex);
}

/* ---- RCU (host-rcu.c) ---- */

struct rcu_head {
	struct rcu_head *next;
	void (*func)(struct rcu_head *head);
};

void rcu_read_lock(void);
void rcu_read_unlock(void);

/* @func runs when all present readers are done, in some thread that may sleep. */
void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head));

/** rcu_barrier() - wait until all that call_rcu() was given has run */
void rcu_barrier(void);

#define rcu_dereference(p)	__atomic_load_n(&(p), __ATOMIC_ACQUIRE)
#define rcu_assign_pointer(p, v) __atomic_store_n(&(p), v, __ATOMIC_RELEASE)

/* ---- waiting (host-wait.c) ---- */

/**
 * host_wait_begin() - announce that a condition which @var stands for is about to be tested
 * Return: a ticket for host_wait()
 */
unsigned int host_wait_begin(const void *var);

/** host_wait() - sleep until wake_up_var(@var) is called after @ticket; at most @ms; -1: ever */
void host_wait(const void *var, unsigned int ticket, long ms);

/** host_wait_end() - for each host_wait_begin() */
void host_wait_end(const void *var);

void wake_up_var(void *var);

#define wait_var_event(var, condition) do {			\
	host_may_sleep();					\
	for (;;) {						\
		unsigned int _ticket = host_wait_begin(var);	\
		bool _done = !!(condition);			\
								\
		if (!_done)					\
			host_wait(var, _ticket, -1);		\
		host_wait_end(var);				\
		if (_done)					\
			break;					\
	}							\
} while (0)

#define HZ 1000

/* Return: what is left, at least 1; 0: the condition never held. */
#define wait_var_event_timeout(var, condition, jiffies) ({	\
	u64 _end = host_time_us() + (u64)(jiffies) * 1000;	\
	long _left;						\
								\
	host_may_sleep();					\
	for (;;) {						\
		unsigned int _ticket = host_wait_begin(var);	\
		bool _done = !!(condition);			\
		u64 _now = host_time_us();			\
								\
		_left = _now < _end ? (long)(_end - _now) / 1000 + 1 : 0;	\
		if (_done && !_left)				\
			_left = 1;				\
		if (!_done && _left)				\
			host_wait(var, _ticket, _left);		\
		host_wait_end(var);				\
		if (_done)					\
			break;					\
		if (!_left)					\
			break;					\
	}							\
	_left; })

static inline unsigned long msecs_to_jiffies(unsigned int ms)
{
	return ms;
}

static inline void cond_resched(void)
{
	host_may_sleep();
}

#endif /* LODGE_HOST_LOCK_H */
