// SPDX-License-Identifier: GPL-2.0
/* Who may enter a guest, who follows, and that nobody leaves. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"
#include "test.h"

#define POOL	(4 * MIB)

static struct guest guest, other;

static bool listed(pid_t pid)
{
	const char *pos = guest_read(&guest, "procs");
	char *next;
	long n;

	for (n = strtol(pos, &next, 10); next != pos; n = strtol(pos, &next, 10)) {
		if (n == pid)
			return true;
		pos = next;
	}
	return false;
}

/* Does memory that is touched now come from the guest's pool? */
static bool pool_memory(void)
{
	unsigned long before = guest_stat(&guest, "anon"), after;
	char *p = private_memory(64 * PAGE);

	fill(p, 64 * PAGE, 1);
	check(filled(p, 64 * PAGE, 1));
	after = guest_stat(&guest, "anon");
	munmap(p, 64 * PAGE);
	return after >= before + 64 * PAGE;
}

static void in_a_child(void (*run)(void *arg))
{
	guest_make(&guest, "bind", POOL);
	run_child(run, NULL);
	guest_end(&guest);
}

/* ---- binding ---- */

static void bind_zero(void *arg)
{
	check(!listed(getpid()));
	check(!pool_memory());
	check_equal(guest_write(&guest, "procs", "0"), 0);
	check(listed(getpid()));
	check(pool_memory());
}

static void zero(void)
{
	in_a_child(bind_zero);
}

static void bind_own(void *arg)
{
	check_equal(guest_write(&guest, "procs", "%d\n", getpid()), 0);
	check(listed(getpid()));
	check(pool_memory());
	check_equal(rmdir(GUEST_TREE "/test-bind") ? errno : 0, EBUSY);
}

static void own_pid(void)
{
	in_a_child(bind_own);
}

static void bind_wrongly(void *arg)
{
	check_equal(guest_write(&guest, "procs", "%d", getppid()), EOPNOTSUPP);
	check(strstr(guest_read(&guest, "last_error"), "procs"));
	check_equal(guest_write(&guest, "procs", "1"), EOPNOTSUPP);
	check_equal(guest_write(&guest, "procs", "-1"), EINVAL);
	check_equal(guest_write(&guest, "procs", "me"), EINVAL);
	check_equal(guest_write(&guest, "procs", "99999999999999999999"), EINVAL);
	check(!listed(getpid()));
	check(!pool_memory());
}

static void other_pid(void)
{
	in_a_child(bind_wrongly);
}

static void bind_twice(void *arg)
{
	check_equal(guest_enter(&guest), 0);
	check_equal(guest_enter(&guest), EBUSY);
	guest_make(&other, "other", POOL);
	check_equal(guest_enter(&other), EBUSY);
	check_equal(guest_remove(&other), 0);
	check(listed(getpid()));
	check(pool_memory());
}

static void second_bind(void)
{
	in_a_child(bind_twice);
}

static void *do_nothing(void *arg)
{
	sleep_ms(300);
	return NULL;
}

static void bind_with_threads(void *arg)
{
	pthread_t thread;

	check(!pthread_create(&thread, NULL, do_nothing, NULL));
	check_equal(guest_enter(&guest), EAGAIN);
	check(!pthread_join(thread, NULL));
	check_equal(guest_enter(&guest), 0);
	check(!pthread_create(&thread, NULL, do_nothing, NULL));
	check(!pthread_join(thread, NULL));
}

static void threads(void)
{
	in_a_child(bind_with_threads);
}

static void bind_in_vfork(void *arg)
{
	static int fd;
	int status;
	pid_t pid;

	fd = open(GUEST_TREE "/test-bind/procs", O_WRONLY);
	check(fd >= 0);
	pid = vfork();
	if (!pid)
		_exit(write(fd, "0", 1) == 1 ? 0 : errno);
	check_equal(waitpid(pid, &status, 0), pid);
	check_equal(status, EAGAIN << 8);
	check(!listed(getpid()));
	check(!pool_memory());
}

static void vfork_child(void)
{
	in_a_child(bind_in_vfork);
}

/* ---- what a process owned before it was bound ---- */

static void keep_old_memory(void *arg)
{
	char *old = private_memory(MIB);
	unsigned long anon;

	fill(old, MIB, 1);
	check_equal(guest_enter(&guest), 0);
	anon = guest_stat(&guest, "anon");
	check(filled(old, MIB, 1));
	fill(old, MIB, 2);
	check(filled(old, MIB, 2));
	check(guest_stat(&guest, "anon") < anon + 64 * PAGE);
	old = mremap(old, MIB, 2 * MIB, MREMAP_MAYMOVE);
	check(old != MAP_FAILED && filled(old, MIB, 2));
	check(!madvise(old, PAGE, MADV_DONTNEED));
	check(zeroed(old, PAGE));
	check(!munmap(old, 2 * MIB));
}

static void old_memory(void)
{
	in_a_child(keep_old_memory);
}

/* ---- who follows ---- */

static void follow(void *arg)
{
	check(listed(getpid()));
	check(pool_memory());
	check_equal(guest_enter(&guest), EBUSY);
}

static void descendants(void *arg)
{
	int status;
	pid_t pid;

	check_equal(guest_enter(&guest), 0);
	run_child(follow, NULL);
	pid = fork();
	check(pid >= 0);
	if (!pid) {
		check(setsid() > 0);
		pid = fork();
		if (pid)
			_exit(pid < 0);
		follow(NULL);
		sleep_ms(200);
		follow(NULL);
		_exit(0);
	}
	check_equal(waitpid(pid, &status, 0), pid);
	check_equal(status, 0);
	/* The daemon keeps the guest alive. */
	sleep_ms(50);
	check(guest_has_processes(&guest));
}

static void followers(void)
{
	uint64_t end = now_ms() + 5000;

	guest_make(&guest, "bind", POOL);
	run_child(descendants, NULL);
	check_equal(rmdir(GUEST_TREE "/test-bind") ? errno : 0, EBUSY);
	while (guest_has_processes(&guest) && now_ms() < end)
		sleep_ms(10);
	guest_end(&guest);
}

/* A shell that becomes a shell, many times, says so, and then waits to be told to end. */
static char again[] =
	"TEST_LEFT=$((TEST_LEFT - 1)); [ $TEST_LEFT -lt 1 ] || exec /bin/sh -c \"$TEST_AGAIN\"\n"
	"echo; read -r _";

static int said[2], told[2];

static void exec_again(void *arg)
{
	char *argv[] = { "sh", "-c", again, NULL };
	char number[16];

	setenv("TEST_AGAIN", again, 1);
	snprintf(number, sizeof(number), "%u", rounds(40));
	setenv("TEST_LEFT", number, 1);
	dup2(told[0], 0);
	dup2(said[1], 1);
	close(told[1]);
	execv("/bin/sh", argv);
}

static void execing(void)
{
	struct pollfd done;
	unsigned int missed = 0;
	pid_t pid;

	guest_make(&guest, "bind", POOL);
	check(!pipe(said) && !pipe(told));
	done = (struct pollfd){ .fd = said[0], .events = POLLIN };
	pid = guest_child(&guest, exec_again, NULL);
	close(said[1]);
	while (!listed(pid))
		check(!poll(&done, 1, 1));
	while (!poll(&done, 1, 0))
		missed += !listed(pid);
	check_equal(missed, 0);
	close(told[1]);
	waitpid(pid, NULL, 0);
	guest_end(&guest);
}

static void follow_in_namespace(void *arg)
{
	check_equal(getpid(), 1);
	check(pool_memory());
	/* Seen from here, procs has this process's own ids. */
	check(listed(1));
}

static void namespaces(void *arg)
{
	check_equal(guest_enter(&guest), 0);
	if (unshare(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC))
		skip("unshare: %s", strerror(errno));
	run_child(follow_in_namespace, NULL);
}

static void new_namespaces(void)
{
	in_a_child(namespaces);
}

static void still_in(void *arg)
{
	check(listed(getpid()));
	check(pool_memory());
}

static void drop_user(void *arg)
{
	check_equal(guest_enter(&guest), 0);
	check(!setgid(65534) && !setuid(65534));
	check(pool_memory());
	run_child(still_in, NULL);
	check_equal(guest_write(&guest, "memory.max", "max"), EACCES);
	check(mkdir(GUEST_TREE "/mine", 0755) && (errno == EPERM || errno == EACCES));
}

static void other_user(void)
{
	in_a_child(drop_user);
}

/* ---- nobody leaves ---- */

/* What is mapped of the pool, from /proc/self/maps; up to @max; Return: how many. */
static unsigned int pool_mappings(unsigned long (*range)[2], unsigned int max)
{
	FILE *file = fopen("/proc/self/maps", "r");
	unsigned int n = 0;
	char line[512];

	check(file);
	while (n < max && fgets(line, sizeof(line), file))
		if (strstr(line, "[lodge:") &&
		    sscanf(line, "%lx-%lx", &range[n][0], &range[n][1]) == 2)
			n++;
	fclose(file);
	return n;
}

static unsigned long ranges[256][2];

/* Forking without most of the pool's mappings makes no free process. */
static void not_forked(void *arg)
{
	unsigned int i, n;

	check_equal(guest_enter(&guest), 0);
	n = pool_mappings(ranges, 256);
	check(n);
	for (i = 0; i < n; i++)
		madvise((void *)ranges[i][0], ranges[i][1] - ranges[i][0], MADV_DONTFORK);
	fflush(stdout);
	if (!fork()) {
		n = pool_mappings(ranges, 256);
		for (i = 0; i < n; i++)
			munmap((void *)ranges[i][0], ranges[i][1] - ranges[i][0]);
		if (!listed(getpid()) || !pool_memory()) {
			note("a child is free");
			_exit(1);
		}
		_exit(0);
	} else {
		int status;

		wait(&status);
		/* That it is killed is fine too. */
		check(!status || WIFSIGNALED(status));
	}
}

static void dontfork(void)
{
	in_a_child(not_forked);
}

/* What the C library allocates from now on fits in memory that stays. */
static void keep_heap(void)
{
	free(malloc(64 * KIB));
}

/* Unmap all that the pool gave, in every way there is. */
static void unmap_all(void *arg)
{
	unsigned int i, n;

	keep_heap();
	check_equal(guest_enter(&guest), 0);
	private_memory(MIB);
	n = pool_mappings(ranges, 256);
	for (i = 0; i < n; i++)
		munmap((void *)ranges[i][0], ranges[i][1] - ranges[i][0]);
	check(listed(getpid()));
	check(pool_memory());
	n = pool_mappings(ranges, 256);
	for (i = 0; i < n; i++)
		mmap((void *)ranges[i][0], ranges[i][1] - ranges[i][0], PROT_READ,
		     MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	check(listed(getpid()));
	check(pool_memory());
	n = pool_mappings(ranges, 256);
	for (i = 0; i < n; i++)
		mremap((void *)ranges[i][0], ranges[i][1] - ranges[i][0], PAGE,
		       MREMAP_MAYMOVE | MREMAP_FIXED, (void *)0x600000000000UL + i * PAGE);
	check(listed(getpid()));
	check(pool_memory());
}

static void unmapping(void)
{
	in_a_child(unmap_all);
}

/* Ways that replace mappings and are rarely used. */
static void replace_all(void *arg)
{
	unsigned int i, n;
	int id;

	keep_heap();
	check_equal(guest_enter(&guest), 0);
	private_memory(MIB);
	n = pool_mappings(ranges, 256);
	for (i = 0; i < n; i++)
		syscall(SYS_remap_file_pages, ranges[i][0], ranges[i][1] - ranges[i][0], 0, 77, 0);
	check(listed(getpid()));
	check(pool_memory());
	id = syscall(SYS_shmget, 0, PAGE, 0600 | 01000);
	if (id < 0)
		skip("shmget: %s", strerror(errno));
	n = pool_mappings(ranges, 256);
	for (i = 0; i < n; i++)
		if (ranges[i][1] - ranges[i][0] == PAGE)
			syscall(SYS_shmat, id, ranges[i][0], 040000 /* SHM_REMAP */);
	syscall(SYS_shmctl, id, 0 /* IPC_RMID */, NULL);
	check(listed(getpid()));
	check(pool_memory());
}

static void replacing(void)
{
	in_a_child(replace_all);
}

static const struct test tests[] = {
	{ "a process enters with 0", zero, .host = true },
	{ "a process enters with its own pid", own_pid, .host = true },
	{ "other pids are refused with a reason", other_pid, .host = true },
	{ "a second guest is refused", second_bind, .host = true },
	{ "a process with threads is refused", threads, .host = true },
	{ "a vfork child is refused", vfork_child, .host = true },
	{ "what it owned before stays the host's", old_memory, .host = true },
	{ "children and daemons follow", followers, .host = true },
	{ "a process that execs is listed all the time", execing, .host = true },
	{ "new namespaces change nothing", new_namespaces, .host = true },
	{ "another user changes nothing", other_user, .host = true },
	{ "MADV_DONTFORK sets nobody free", dontfork, .host = true },
	{ "unmapping everything sets nobody free", unmapping, .host = true },
	{ "shmat and remap_file_pages set nobody free", replacing, .host = true },
};

TEST_MAIN(tests)
