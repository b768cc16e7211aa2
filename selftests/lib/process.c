// SPDX-License-Identifier: GPL-2.0
/* Children, and how they meet. */
#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

pid_t child(void (*run)(void *arg), void *arg)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	check(pid >= 0);
	if (pid)
		return pid;
	run(arg);
	fflush(stdout);
	_exit(0);
}

static int wait_for(pid_t pid)
{
	int status;
	pid_t got;

	do
		got = waitpid(pid, &status, 0);
	while (got < 0 && errno == EINTR);
	check_equal(got, pid);
	return status;
}

void join(pid_t pid)
{
	int status = wait_for(pid);

	if (WIFEXITED(status) && WEXITSTATUS(status) == STATUS_SKIP)
		_exit(STATUS_SKIP);
	check_equal(status, 0);
}

void join_killed(pid_t pid, int signal)
{
	int status = wait_for(pid);

	check(WIFSIGNALED(status));
	check_equal(WTERMSIG(status), signal);
}

void run_child(void (*run)(void *arg), void *arg)
{
	join(child(run, arg));
}

int faults(void (*run)(void *arg), void *arg)
{
	const struct rlimit no_core = { 0, 0 };
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	check(pid >= 0);
	if (!pid) {
		setrlimit(RLIMIT_CORE, &no_core);
		run(arg);
		_exit(0);
	}
	status = wait_for(pid);
	if (WIFSIGNALED(status))
		return WTERMSIG(status);
	check_equal(status, 0);
	return 0;
}

static long futex(unsigned int *word, int operation, unsigned int value)
{
	return syscall(SYS_futex, word, operation, value, NULL, NULL, 0);
}

void meet(struct barrier *barrier, unsigned int n, unsigned int round)
{
	unsigned int count = __atomic_add_fetch(&barrier->count, 1, __ATOMIC_SEQ_CST);

	if (count >= n * round)
		futex(&barrier->count, FUTEX_WAKE, 1 << 30);
	while (count < n * round) {
		futex(&barrier->count, FUTEX_WAIT, count);
		count = __atomic_load_n(&barrier->count, __ATOMIC_SEQ_CST);
	}
}

void *shared_memory(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	check(p != MAP_FAILED);
	return p;
}

void sleep_ms(unsigned int ms)
{
	struct timespec left = { ms / 1000, ms % 1000 * 1000000L };

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}
