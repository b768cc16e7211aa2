// SPDX-License-Identifier: GPL-2.0
/* host.h in user space: worker threads and CPUs. */
#include "userland/host/host-user.h"

struct host_thread {
	pthread_t id;
	void (*step)(void *arg);
	void *arg;
	pthread_mutex_t lock;
	pthread_cond_t woken;
	bool wanted, stop;
};

unsigned int host_cpu(void)
{
	static __thread int mine = -1;
	static atomic_t threads;

	if (mine < 0)
		mine = (atomic_inc_return(&threads) - 1) % HOST_CPUS;
	return mine;
}

static void *run(void *arg)
{
	struct host_thread *thread = arg;

	pthread_mutex_lock(&thread->lock);
	while (!thread->stop) {
		if (!thread->wanted) {
			pthread_cond_wait(&thread->woken, &thread->lock);
			continue;
		}
		thread->wanted = false;
		pthread_mutex_unlock(&thread->lock);
		thread->step(thread->arg);
		pthread_mutex_lock(&thread->lock);
	}
	pthread_mutex_unlock(&thread->lock);
	return NULL;
}

struct host_thread *host_thread_start(void (*step)(void *arg), void *arg, const char *name)
{
	struct host_thread *thread = kzalloc(sizeof(*thread), GFP_KERNEL);
	int err;

	if (!thread)
		return ERR_PTR(-ENOMEM);
	thread->step = step;
	thread->arg = arg;
	pthread_mutex_init(&thread->lock, NULL);
	pthread_cond_init(&thread->woken, NULL);
	err = pthread_create(&thread->id, NULL, run, thread);
	if (err) {
		kfree(thread);
		return ERR_PTR(-err);
	}
	return thread;
}

void host_thread_wake(struct host_thread *thread)
{
	pthread_mutex_lock(&thread->lock);
	thread->wanted = true;
	pthread_cond_signal(&thread->woken);
	pthread_mutex_unlock(&thread->lock);
}

void host_thread_stop(struct host_thread *thread)
{
	host_may_sleep();
	pthread_mutex_lock(&thread->lock);
	thread->stop = true;
	pthread_cond_signal(&thread->woken);
	pthread_mutex_unlock(&thread->lock);
	pthread_join(thread->id, NULL);
	kfree(thread);
}
