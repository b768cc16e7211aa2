// SPDX-License-Identifier: GPL-2.0
/* Threads of one address space that fault, map and unmap at the same time. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test.h"

#define SIZE	(4 * UNIT)
#define THREADS	4

static char *memory;

static void run_threads(void *(*run)(void *arg))
{
	pthread_t thread[THREADS];
	unsigned long i;

	for (i = 0; i < THREADS; i++)
		check(!pthread_create(&thread[i], NULL, run, (void *)i));
	for (i = 0; i < THREADS; i++)
		check(!pthread_join(thread[i], NULL));
}

/* ---- the same pages, a word each ---- */

static void *write_my_words(void *arg)
{
	unsigned long number = (unsigned long)arg, round;
	volatile uint64_t *word = (uint64_t *)memory + number;
	size_t i, page;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < SIZE / PAGE; i++) {
			page = round & 1 ? SIZE / PAGE - 1 - i : i;
			check_equal(word[page * PAGE / 8], round ? page * number + round - 1 : 0);
			word[page * PAGE / 8] = page * number + round;
		}
	}
	return NULL;
}

static void same_pages(void)
{
	memory = private_memory(SIZE);
	run_threads(write_my_words);
}

/* ---- every page is incremented by all ---- */

static void *add_up(void *arg)
{
	size_t i, pages = SIZE / PAGE;

	for (i = 0; i < 3 * pages; i++)
		__atomic_add_fetch((uint64_t *)(memory + (i + (size_t)arg * 511) % pages * PAGE), 1,
				   __ATOMIC_RELAXED);
	return NULL;
}

static void atomic_adds(void)
{
	size_t i;

	memory = private_memory(SIZE);
	run_threads(add_up);
	for (i = 0; i < SIZE / PAGE; i++)
		check_equal(*(uint64_t *)(memory + i * PAGE), 3 * THREADS);
}

/* ---- allocation ---- */

static void *allocate(void *arg)
{
	struct { char *p; size_t size; unsigned char value; } block[64] = { { 0 } };
	unsigned long number = (unsigned long)arg;
	unsigned int i, n, r = number * 7919 + 1;

	for (i = 0; i < rounds(1200); i++) {
		r = r * 1103515245 + 12345;
		n = (r >> 16) % 64;
		if (block[n].p) {
			size_t at;

			for (at = 0; at < block[n].size; at += 509)
				check(block[n].p[at] == (char)block[n].value);
			free(block[n].p);
			block[n].p = NULL;
			continue;
		}
		block[n].size = 1 + (r >> 8) % (i % 16 ? 20000 : 300000);
		block[n].value = r >> 24;
		block[n].p = malloc(block[n].size);
		check(block[n].p);
		memset(block[n].p, block[n].value, block[n].size);
	}
	return NULL;
}

static void malloc_storm(void)
{
	run_threads(allocate);
}

/* ---- mapping and unmapping beside faults ---- */

static void *map_and_unmap(void *arg)
{
	unsigned long number = (unsigned long)arg;
	unsigned int i;

	for (i = 0; i < rounds(60); i++) {
		size_t size = (1 + random_number() % (UNIT / PAGE)) * PAGE;
		char *p = private_memory(size);

		check(zeroed(p, PAGE));
		fill(p, size, number * 1000 + i);
		check(filled(p, size, number * 1000 + i));
		check(!munmap(p, size));
	}
	return NULL;
}

static void map_storm(void)
{
	memory = private_memory(SIZE);
	fill(memory, SIZE, 1);
	run_threads(map_and_unmap);
	check(filled(memory, SIZE, 1));
}

/* ---- page tables come and go while pages are looked at ---- */

#define FAR	(2 * MIB)	/* what one page table maps */

static void *leave_tables(void *arg)
{
	unsigned int i, j, n = 8;

	for (i = 0; i < rounds(100); i++) {
		char *p = private_memory(n * FAR);

		for (j = 0; j < n; j++)
			p[j * FAR] = i + j + 1;
		for (j = 0; j < n; j++)
			check_equal(p[j * FAR], (char)(i + j + 1));
		check(!munmap(p, n * FAR));
	}
	return NULL;
}

static void table_storm(void)
{
	pthread_t thread[2];
	unsigned int i;

	memory = private_memory(SIZE);
	for (i = 0; i < 2; i++)
		check(!pthread_create(&thread[i], NULL, leave_tables, NULL));
	/* Evictions ask the page tables which pages were used. */
	for (i = 0; i < rounds(24); i++) {
		fill(memory, SIZE, i);
		check(filled(memory, SIZE, i));
	}
	for (i = 0; i < 2; i++)
		check(!pthread_join(thread[i], NULL));
}

/* ---- threads come and go ---- */

static void *use_stack(void *arg)
{
	char buffer[64 * 1024];

	fill((void *)(((uintptr_t)buffer + PAGE) & ~(PAGE - 1)), 14 * PAGE, (uint64_t)arg);
	sched_yield();
	check(filled((void *)(((uintptr_t)buffer + PAGE) & ~(PAGE - 1)), 14 * PAGE, (uint64_t)arg));
	return arg;
}

static void short_lives(void)
{
	pthread_t thread[16];
	unsigned long i, j;
	void *result;

	memory = private_memory(SIZE);
	fill(memory, SIZE, 2);
	for (i = 0; i < rounds(20); i++) {
		for (j = 0; j < 16; j++)
			check(!pthread_create(&thread[j], NULL, use_stack, (void *)(i * 16 + j)));
		for (j = 0; j < 16; j++) {
			check(!pthread_join(thread[j], &result));
			check_equal((unsigned long)result, i * 16 + j);
		}
	}
	check(filled(memory, SIZE, 2));
}

/* ---- the first thread leaves ---- */

static void *go_on_alone(void *arg)
{
	sleep_ms(50);
	fill(memory, SIZE, 3);
	check(filled(memory, SIZE, 3));
	_exit(0);
}

static void leader_exits(void)
{
	pthread_t thread;

	memory = private_memory(SIZE);
	check(!pthread_create(&thread, NULL, go_on_alone, NULL));
	pthread_exit(NULL);
}

/* ---- system calls on evicted pages from several threads ---- */

static void *pipe_pages(void *arg)
{
	unsigned long part = SIZE / THREADS, number = (unsigned long)arg;
	char *mine = memory + number * part, *buffer = private_memory(PAGE);
	int ends[2];
	size_t i;

	check(!pipe(ends));
	for (i = 0; i < part; i += PAGE) {
		check_equal(write(ends[1], mine + i, PAGE), PAGE);
		check_equal(read(ends[0], buffer, PAGE), PAGE);
		check(!memcmp(buffer, mine + i, PAGE));
	}
	close(ends[0]);
	close(ends[1]);
	return NULL;
}

static void calls(void)
{
	unsigned int i;

	memory = private_memory(SIZE);
	fill(memory, SIZE, 4);
	for (i = 0; i < 2; i++)
		run_threads(pipe_pages);
	check(filled(memory, SIZE, 4));
}

/* ---- waiting in ipc(2), which 32-bit programs use for semaphores and much else ---- */

#define IPC_32		117
#define SEMOP_32	1

static int semaphore;

static long ipc_32(long call, long first, long second, void *ptr)
{
	long ret;

	asm volatile("int $0x80" : "=a" (ret)
		     : "a" (IPC_32), "b" (call), "c" (first), "d" (second), "S" (0), "D" (ptr)
		     : "memory", "r8", "r9", "r10", "r11");
	return ret;
}

static void *wait_for_semaphore(void *arg)
{
	check_equal(ipc_32(SEMOP_32, semaphore, 1, arg), 0);
	return NULL;
}

static void waits_in_ipc(void)
{
	struct sembuf *down = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	struct sembuf up = { .sem_op = 1 };
	pthread_t waiter;
	char *p;

	check(down != MAP_FAILED);
	down->sem_op = -1;
	semaphore = semget(IPC_PRIVATE, 1, 0600);
	check(semaphore >= 0);
	check(!pthread_create(&waiter, NULL, wait_for_semaphore, down));
	while (semctl(semaphore, 0, GETNCNT) != 1)
		sleep_ms(1);
	p = private_memory(UNIT);
	fill(p, UNIT, 6);
	check(!munmap(p, UNIT));
	check(!semop(semaphore, &up, 1));
	check(!pthread_join(waiter, NULL));
	check(!semctl(semaphore, 0, IPC_RMID));
}

static const struct test tests[] = {
	{ "threads write words of the same pages", same_pages },
	{ "no increment is lost", atomic_adds },
	{ "malloc and free", malloc_storm, .pool = 2 * MIB, .seconds = 60 },
	{ "mmap and munmap beside faults", map_storm, .pool = 4 * MIB },
	{ "page tables come and go during evictions", table_storm, .pool = 3 * MIB, .seconds = 60 },
	{ "short-lived threads use their stacks", short_lives, .pool = 3 * MIB, .seconds = 60 },
	{ "the first thread exits before the others", leader_exits },
	{ "read and write on evicted pages", calls },
	{ "a thread that waits in ipc(2) keeps nobody from mapping", waits_in_ipc, .calm = true },
};

TEST_MAIN(tests)
