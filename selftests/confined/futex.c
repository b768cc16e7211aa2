// SPDX-License-Identifier: GPL-2.0
/* Futexes on private memory: who is woken, and who is not. */
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

#define SIZE	(4 * UNIT)

static long futex(unsigned int *word, int operation, unsigned int value,
		  const struct timespec *timeout)
{
	return syscall(SYS_futex, word, operation, value, timeout, NULL, 0);
}

static unsigned int *word;
static struct barrier *barrier;
static volatile int *woken;

/* Longer than any case may take: what is not woken fails by the case's time limit. */
static const struct timespec for_long = { 1000, 0 };
static const struct timespec half_second = { 0, 500000000 };

static void *wait_shared(void *arg)
{
	while (!*(volatile unsigned int *)word)
		check(!futex(word, FUTEX_WAIT, 0, &for_long) || errno == EAGAIN ||
		      errno == EINTR);
	return NULL;
}

static void wake_thread(int flag)
{
	pthread_t thread;
	unsigned int i;

	word = private_memory(SIZE);
	for (i = 0; i < 10; i++) {
		*word = 0;
		check(!pthread_create(&thread, NULL, wait_shared, NULL));
		sleep_ms(20);
		/* The word may be evicted meanwhile. */
		fill((char *)word + PAGE, SIZE - PAGE, i);
		*word = 1;
		check(futex(word, FUTEX_WAKE | flag, 1, NULL) >= 0);
		check(!pthread_join(thread, NULL));
	}
}

static void thread_is_woken(void)
{
	wake_thread(0);
}

/* The sleeper may not sleep yet; but a key that is lost stays lost. */
static bool wakes_one(void)
{
	uint64_t end = now_ms() + 10000;

	while (now_ms() < end) {
		if (futex(word, FUTEX_WAKE, 1, NULL) == 1)
			return true;
		sleep_ms(10);
	}
	return false;
}

/* It sleeps on a key that must be found again after the page went and came back. */
static void *sleep_once(void *arg)
{
	*woken = futex(word, FUTEX_WAIT, 0, &for_long);
	return NULL;
}

static void after_eviction(void)
{
	pthread_t thread;
	unsigned int i;

	woken = shared_memory(PAGE);
	for (i = 0; i < 5; i++) {
		word = private_memory(PAGE);
		*woken = 5;
		check(!pthread_create(&thread, NULL, sleep_once, NULL));
		sleep_ms(30);
		press(SIZE);
		check(wakes_one());
		check(!pthread_join(thread, NULL));
		check_equal(*woken, 0);
	}
}

static void sleep_and_tell(void *arg)
{
	meet(barrier, 2, 1);
	*woken = futex(word, FUTEX_WAIT, 0, &half_second) ? errno : 0;
}

/* The same address in two processes is not the same word. */
static void child_is_not_woken(void)
{
	unsigned int i;

	woken = shared_memory(PAGE);
	for (i = 0; i < 6; i++) {
		pid_t pid;
		int n;

		word = private_memory(PAGE);
		if (i & 1)
			*word = 0;
		barrier = shared_memory(PAGE);
		*woken = -1;
		pid = child(sleep_and_tell, NULL);
		meet(barrier, 2, 1);
		if (i & 2)
			press(SIZE);
		for (n = 0; n < 20; n++) {
			check_equal(futex(word, FUTEX_WAKE, 10, NULL), 0);
			sleep_ms(10);
		}
		join(pid);
		check_equal(*woken, ETIMEDOUT);
	}
	press(SIZE);
}

static void wake_in_child(void *arg)
{
	unsigned int n;

	for (n = 0; n < 20; n++) {
		check_equal(futex(word, FUTEX_WAKE, 10, NULL), 0);
		sleep_ms(5);
	}
}

/* A thread waits, its process forks, the child wakes: nobody. */
static void *sleep_long(void *arg)
{
	*woken = futex(word, FUTEX_WAIT, 0, &for_long) ? errno : 0;
	return NULL;
}

static void parent_is_not_woken(void)
{
	pthread_t thread;

	woken = shared_memory(PAGE);
	word = private_memory(PAGE);
	*woken = -1;
	check(!pthread_create(&thread, NULL, sleep_long, NULL));
	sleep_ms(50);
	run_child(wake_in_child, NULL);
	press(SIZE);
	check_equal(*woken, -1);
	check(wakes_one());
	check(!pthread_join(thread, NULL));
	check_equal(*woken, 0);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned int turn;
static char *memory;

static void *take_turns(void *arg)
{
	unsigned long number = (unsigned long)arg, i;

	for (i = 0; i < rounds(40); i++) {
		pthread_mutex_lock(&mutex);
		while (turn % 4 != number)
			pthread_cond_wait(&changed, &mutex);
		fill(memory + turn % 16 * (SIZE / 16), SIZE / 64, turn);
		check(filled(memory + turn % 16 * (SIZE / 16), SIZE / 64, turn));
		turn++;
		pthread_cond_broadcast(&changed);
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

static void turns(void)
{
	pthread_t thread[4];
	unsigned long i;

	memory = private_memory(SIZE);
	fill(memory, SIZE, 1);
	for (i = 0; i < 4; i++)
		check(!pthread_create(&thread[i], NULL, take_turns, (void *)i));
	for (i = 0; i < 4; i++)
		check(!pthread_join(thread[i], NULL));
	check_equal(turn, 4 * rounds(40));
}

/* A robust mutex and a priority-inheriting one, whose words the kernel writes itself. */
static void *die_with_lock(void *arg)
{
	check(!pthread_mutex_lock(arg));
	return NULL;
}

static void robust(void)
{
	pthread_mutex_t *lock = private_memory(PAGE);
	pthread_mutexattr_t attributes;
	pthread_t thread;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
	check(!pthread_mutex_init(lock, &attributes));
	check(!pthread_create(&thread, NULL, die_with_lock, lock));
	check(!pthread_join(thread, NULL));
	press(SIZE);
	check_equal(pthread_mutex_lock(lock), EOWNERDEAD);
	check(!pthread_mutex_consistent(lock));
	check(!pthread_mutex_unlock(lock));
}

static const struct test tests[] = {
	{ "a thread is woken", thread_is_woken },
	{ "a sleeper's page is evicted", after_eviction },
	{ "a parent does not wake its child", child_is_not_woken, .seconds = 40 },
	{ "a child does not wake its parent", parent_is_not_woken },
	{ "mutexes and condition variables", turns },
	{ "a robust mutex whose owner died", robust },
};

TEST_MAIN(tests)
