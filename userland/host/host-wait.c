// SPDX-License-Identifier: GPL-2.0
/* host.h in user space: waiting for a condition that a variable stands for; time. */
#include <time.h>

#include "userland/host/host-user.h"

#define BUCKETS	64

__thread int host_atomic_depth;
__thread bool host_killed;
__thread bool host_holds_file;

static struct bucket {
	pthread_mutex_t lock;
	pthread_cond_t woken;
	unsigned int wakes;
	unsigned int waiters;
} buckets[BUCKETS];

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init_buckets(void)
{
	pthread_condattr_t attr;
	unsigned int i;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	for (i = 0; i < BUCKETS; i++) {
		pthread_mutex_init(&buckets[i].lock, NULL);
		pthread_cond_init(&buckets[i].woken, &attr);
	}
	pthread_condattr_destroy(&attr);
}

static struct bucket *bucket_of(const void *var)
{
	pthread_once(&once, init_buckets);
	return &buckets[((unsigned long)var >> 4) * 0x9e3779b97f4a7c15UL >> 58];
}

unsigned int host_wait_begin(const void *var)
{
	struct bucket *b = bucket_of(var);

	__atomic_fetch_add(&b->waiters, 1, __ATOMIC_SEQ_CST);
	return __atomic_load_n(&b->wakes, __ATOMIC_SEQ_CST);
}

void host_wait(const void *var, unsigned int ticket, long ms)
{
	struct bucket *b = bucket_of(var);
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&b->lock);
	while (__atomic_load_n(&b->wakes, __ATOMIC_RELAXED) == ticket) {
		if (ms < 0)
			pthread_cond_wait(&b->woken, &b->lock);
		else if (pthread_cond_timedwait(&b->woken, &b->lock, &until))
			break;
	}
	pthread_mutex_unlock(&b->lock);
}

void host_wait_end(const void *var)
{
	__atomic_fetch_sub(&bucket_of(var)->waiters, 1, __ATOMIC_SEQ_CST);
}

void wake_up_var(void *var)
{
	struct bucket *b = bucket_of(var);

	smp_mb();
	if (!__atomic_load_n(&b->waiters, __ATOMIC_SEQ_CST))
		return;
	pthread_mutex_lock(&b->lock);
	__atomic_fetch_add(&b->wakes, 1, __ATOMIC_SEQ_CST);
	pthread_cond_broadcast(&b->woken);
	pthread_mutex_unlock(&b->lock);
}

u64 host_time_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (u64)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void host_sleep_ms(unsigned int ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000L };

	host_may_sleep();
	if (!host_killed)
		nanosleep(&time, NULL);
}
