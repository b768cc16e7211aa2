// SPDX-License-Identifier: GPL-2.0
/* A process forks while much of its memory is read into: no child fails for it. */
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "guest.h"
#include "test.h"

#define SIZE	MIB

static char *memory;
static int file;
static bool done;

static void *read_again(void *arg)
{
	while (!__atomic_load_n(&done, __ATOMIC_RELAXED))
		check_equal(pread(file, memory, SIZE, 0), SIZE);
	return NULL;
}

/* What is read is what is there already. */
static void look(void *arg)
{
	check(filled(memory, SIZE, 1));
	fill(memory, SIZE, 2);
	check(filled(memory, SIZE, 2));
}

static void forks(void)
{
	pthread_t thread;
	unsigned int i;

	file = open(SCRATCH "/fork-pinned", O_RDWR | O_CREAT | O_DIRECT | O_CLOEXEC, 0600);
	if (file < 0)
		skip("no direct I/O in " SCRATCH);
	memory = private_memory(SIZE);
	fill(memory, SIZE, 1);
	check_equal(pwrite(file, memory, SIZE, 0), SIZE);
	check(!pthread_create(&thread, NULL, read_again, NULL));
	for (i = 0; i < rounds(24); i++)
		run_child(look, NULL);
	__atomic_store_n(&done, true, __ATOMIC_RELAXED);
	check(!pthread_join(thread, NULL));
	check(filled(memory, SIZE, 1));
}

static const struct test tests[] = {
	{ "a megabyte is read into", forks, .pool = 24 * MIB, .calm = true },
};

TEST_MAIN(tests)
