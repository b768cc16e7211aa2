// SPDX-License-Identifier: GPL-2.0
/* Other processes look into a guest's memory: ptrace, process_vm_readv, /proc, core dumps. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"
#include "test.h"

#define SIZE	(2 * UNIT)

static char *memory;
static struct barrier *barrier;

static void be_looked_at(void *arg)
{
	fill(memory, SIZE, 1);
	press(4 * SIZE);
	meet(barrier, 2, 1);
	meet(barrier, 2, 2);
	check(filled(memory, SIZE, 2));
}

static pid_t start(void)
{
	pid_t pid;

	barrier = shared_memory(PAGE);
	memory = private_memory(SIZE);
	pid = child(be_looked_at, NULL);
	meet(barrier, 2, 1);
	return pid;
}

static void finish(pid_t pid)
{
	meet(barrier, 2, 2);
	join(pid);
	check(zeroed(memory, SIZE));
}

static void process_vm(void)
{
	char *buffer = malloc(SIZE);
	struct iovec here = { buffer, SIZE }, there = { memory, SIZE };
	pid_t pid = start();

	there.iov_base = memory;
	check_equal(process_vm_readv(pid, &here, 1, &there, 1, 0), SIZE);
	check(filled(buffer, SIZE, 1));
	fill(buffer, SIZE, 2);
	check_equal(process_vm_writev(pid, &here, 1, &there, 1, 0), SIZE);
	finish(pid);
}

static int open_mem(pid_t pid)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDWR);
	check(fd >= 0);
	return fd;
}

static void proc_mem(void)
{
	char *buffer = malloc(SIZE);
	pid_t pid = start();
	int fd = open_mem(pid);

	check_equal(pread(fd, buffer, SIZE, (off_t)memory), SIZE);
	check(filled(buffer, SIZE, 1));
	fill(buffer, SIZE, 2);
	check_equal(pwrite(fd, buffer, SIZE, (off_t)memory), SIZE);
	finish(pid);
}

/* The file of a process that is gone, and of one that runs another program. */
static void proc_mem_stays(void)
{
	pid_t pid = start();
	int fd = open_mem(pid);
	char byte;

	kill(pid, SIGKILL);
	join_killed(pid, SIGKILL);
	check(pread(fd, &byte, 1, (off_t)memory) <= 0);
	close(fd);
}

static bool read_only;

static void traced(void *arg)
{
	volatile long *word = (long *)memory;
	size_t i;

	check(!ptrace(PTRACE_TRACEME, 0, 0, 0));
	fill(memory, SIZE, 1);
	if (read_only)
		check(!mprotect(memory, SIZE, PROT_READ));
	press(SIZE);
	raise(SIGSTOP);
	for (i = 0; i < SIZE / sizeof(long); i += PAGE / sizeof(long))
		check_equal(word[i], i + 5);
}

static void ptrace_words(void)
{
	int status;
	size_t i;
	pid_t pid;

	memory = private_memory(SIZE);
	pid = child(traced, NULL);
	check_equal(waitpid(pid, &status, 0), pid);
	check(WIFSTOPPED(status));
	for (i = 0; i < SIZE; i += PAGE)
		check(!ptrace(PTRACE_POKEDATA, pid, memory + i, (long)(i / sizeof(long) + 5)));
	press(SIZE);
	for (i = 0; i < SIZE; i += PAGE)
		check_equal(ptrace(PTRACE_PEEKDATA, pid, memory + i, 0), i / sizeof(long) + 5);
	check(!ptrace(PTRACE_CONT, pid, 0, 0));
	join(pid);
}

/* A debugger's breakpoint may be in memory that the program cannot write. */
static void ptrace_read_only(void)
{
	read_only = true;
	ptrace_words();
}

static void sit(void *arg)
{
	char *p = private_memory(SIZE);

	fill(p, SIZE, 7);
	press(SIZE);
	*(void **)arg = p;
	meet((struct barrier *)((char *)arg + 64), 2, 1);
	for (;;)
		pause();
}

/* Pinned all at once, the pages do not fit: an error or a short count, but never a hang. */
static void too_much_at_once(void)
{
	char *shared = shared_memory(PAGE), *buffer = malloc(SIZE);
	struct iovec here = { buffer, SIZE }, there = { NULL, SIZE };
	struct guest guest;
	ssize_t n;
	pid_t pid;

	guest_make(&guest, "trace", 2 * MIB);
	pid = guest_child(&guest, sit, shared);
	meet((struct barrier *)(shared + 64), 2, 1);
	there.iov_base = *(void **)shared;
	n = process_vm_readv(pid, &here, 1, &there, 1, 0);
	if (n > 0)
		check(filled(buffer, n / PAGE * PAGE, 7));
	kill(pid, SIGKILL);
	join_killed(pid, SIGKILL);
	guest_end(&guest);
}

static void ptrace_kill(void)
{
	int status;
	pid_t pid;

	memory = private_memory(SIZE);
	pid = child(traced, NULL);
	check_equal(waitpid(pid, &status, 0), pid);
	check(!ptrace(PTRACE_POKEDATA, pid, memory, 5L));
	check(!ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_EXITKILL));
	kill(pid, SIGKILL);
	join_killed(pid, SIGKILL);
}

static void read_all(pid_t pid, const char *name)
{
	char path[64], buffer[4096];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return;		/* not in every kernel */
	do
		n = read(fd, buffer, sizeof(buffer));
	while (n > 0);
	check_equal(n, 0);
	close(fd);
}

static void from_outside(void)
{
	char *shared = shared_memory(PAGE), *buffer = malloc(SIZE);
	struct iovec here = { buffer, SIZE }, there = { NULL, SIZE };
	struct guest guest;
	void *where;
	int status;
	pid_t pid;

	guest_make(&guest, "trace", 2 * MIB);
	pid = guest_child(&guest, sit, shared);
	meet((struct barrier *)(shared + 64), 2, 1);
	where = *(void **)shared;
	there.iov_base = where;
	check_equal(process_vm_readv(pid, &here, 1, &there, 1, 0), SIZE);
	check(filled(buffer, SIZE, 7));
	check(!ptrace(PTRACE_ATTACH, pid, 0, 0));
	check_equal(waitpid(pid, &status, 0), pid);
	check(!ptrace(PTRACE_POKEDATA, pid, where, 42L));
	check_equal(ptrace(PTRACE_PEEKDATA, pid, where, 0), 42);
	check(!ptrace(PTRACE_DETACH, pid, 0, 0));
	/* What /proc says must be readable to the end. */
	read_all(pid, "maps");
	read_all(pid, "smaps");
	read_all(pid, "status");
	read_all(pid, "numa_maps");
	read_all(pid, "stat");
	kill(pid, SIGKILL);
	join_killed(pid, SIGKILL);
	guest_end(&guest);
}

/* ---- core dumps ---- */

#define MARK	"this stands in the heap of a program that dies"

static void dump_core(void *arg)
{
	struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	char *text = private_memory(SIZE), *mark;

	setrlimit(RLIMIT_CORE, &all);
	fill(text, SIZE, 8);
	mark = malloc(sizeof(MARK) + 64);
	sprintf(mark, "%s, %d", MARK, 4711);
	press(SIZE);
	abort();
}

static bool contains(const char *path, const char *text)
{
	FILE *core = fopen(path, "r");
	size_t n, size = 0;
	bool found = false;
	char *all = NULL;

	check(core);
	do {
		all = realloc(all, size + UNIT);
		n = fread(all + size, 1, UNIT, core);
		size += n;
	} while (n);
	fclose(core);
	found = memmem(all, size, text, strlen(text));
	free(all);
	return found;
}

static void core_dump(void)
{
	char old[128] = "", path[64];
	int fd = open("/proc/sys/kernel/core_pattern", O_RDWR), status;
	pid_t pid;

	if (fd < 0 || read(fd, old, sizeof(old) - 1) < 0)
		skip("core_pattern: %s", strerror(errno));
	if (pwrite(fd, "/tmp/core.%p", 12, 0) != 12)
		skip("core_pattern: %s", strerror(errno));
	pid = child(dump_core, NULL);
	check_equal(waitpid(pid, &status, 0), pid);
	pwrite(fd, old, strlen(old), 0);
	check(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	check(WCOREDUMP(status));
	snprintf(path, sizeof(path), "/tmp/core.%d", pid);
	check(contains(path, MARK ", 4711"));
	unlink(path);
}

static const struct test tests[] = {
	{ "process_vm_readv and writev", process_vm, .pool = 4 * MIB },
	{ "/proc/PID/mem", proc_mem, .pool = 4 * MIB },
	{ "/proc/PID/mem outlives the process", proc_mem_stays, .pool = 4 * MIB },
	{ "PTRACE_PEEKDATA and POKEDATA", ptrace_words },
	{ "ptrace writes into read-only memory", ptrace_read_only },
	{ "a traced process is killed", ptrace_kill },
	{ "more than the pool at once", too_much_at_once, .host = true },
	{ "a debugger outside the guest", from_outside, .host = true },
	{ "core dumps hold the memory", core_dump, .pool = 3 * MIB },
};

TEST_MAIN(tests)
