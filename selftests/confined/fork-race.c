// SPDX-License-Identifier: GPL-2.0
/*
 * What a process makes of clone3() by changing its arguments while they are read, beside
 * threads that fork: nobody gets out, and the others' children are whole.
 */
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"
#include "test.h"

static struct clone_args args;
static char *memory;
static bool done;

static void *change_flags(void *arg)
{
	while (!__atomic_load_n(&done, __ATOMIC_RELAXED)) {
		__atomic_store_n(&args.flags, CLONE_VM, __ATOMIC_RELAXED);
		__atomic_store_n(&args.flags, 0, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* A child, whether process or thread, that ends at once without using its stack. */
static long clone_and_exit(void)
{
	long ret = SYS_clone3;

	asm volatile("syscall\n\t"
		     "test %%rax, %%rax\n\t"
		     "jnz 1f\n\t"
		     "mov %1, %%eax\n\t"
		     "xor %%edi, %%edi\n\t"
		     "syscall\n"
		     "1:"
		     : "+a"(ret)
		     : "i"(SYS_exit), "D"(&args), "S"(sizeof(args))
		     : "rcx", "r11", "memory");
	return ret;
}

static void *fork_too(void *arg)
{
	while (!__atomic_load_n(&done, __ATOMIC_RELAXED)) {
		pid_t pid = fork();

		check(pid >= 0);
		if (!pid)
			_exit(!filled(memory, 8 * PAGE, 1));
		join(pid);
	}
	return NULL;
}

static void flags_change(void)
{
	pthread_t changer, forker;
	unsigned int i, killed = 0;
	int status;

	memory = private_memory(8 * PAGE);
	fill(memory, 8 * PAGE, 1);
	args.exit_signal = SIGCHLD;
	args.stack = (uint64_t)private_memory(4 * PAGE);
	args.stack_size = 4 * PAGE;
	check(!pthread_create(&changer, NULL, change_flags, NULL));
	check(!pthread_create(&forker, NULL, fork_too, NULL));
	for (i = 0; i < rounds(200); i++) {
		pid_t pid = clone_and_exit();

		check(pid > 0);
		check_equal(waitpid(pid, &status, __WALL), pid);
		check(!status || status == SIGKILL);
		killed += status == SIGKILL;
	}
	__atomic_store_n(&done, true, __ATOMIC_RELAXED);
	check(!pthread_join(changer, NULL));
	check(!pthread_join(forker, NULL));
	note("%u of %u were killed", killed, i);
}

static const struct test tests[] = {
	{ "the flags of clone3 change", flags_change, .pool = 8 * MIB, .calm = true },
};

TEST_MAIN(tests)
