// SPDX-License-Identifier: GPL-2.0
/* Memory is used up: one process dies, it is counted and logged, and the others go on. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"
#include "test.h"

#define POOL	(4 * UNIT)

static struct guest guest;
static struct barrier *barrier;

/* Lives on 1 MiB and verifies it until it is told to stop. */
static void be_modest(void *arg)
{
	char *p = private_memory(UNIT / 2);

	fill(p, UNIT / 2, (uint64_t)arg);
	meet(barrier, 3, 1);
	while (!barrier[1].count)
		check(filled(p, UNIT / 2, (uint64_t)arg));
}

static void be_greedy(void *arg)
{
	char *p = private_memory(64 * UNIT);

	fill_hard(p, 64 * UNIT, 3);
	check(!"got that far");
}

static unsigned long host_kills(void)
{
	FILE *file = fopen("/proc/vmstat", "r");
	char name[64];
	unsigned long value;

	check(file);
	while (fscanf(file, "%63s %lu", name, &value) == 2)
		if (!strcmp(name, "oom_kill"))
			break;
	fclose(file);
	return value;
}

static bool logged(pid_t pid)
{
	static char log[1 << 18];
	char wanted[64];
	int n = klogctl(3 /* read all */, log, sizeof(log) - 1);

	if (n < 0)
		skip("kernel log: %s", strerror(errno));
	log[n] = 0;
	snprintf(wanted, sizeof(wanted), "killed process %d ", pid);
	return strstr(log, wanted) && strstr(strstr(log, wanted), "KiB");
}

static void largest_dies(bool swap)
{
	unsigned long before = host_kills();
	struct pollfd events;
	pid_t modest[2], greedy;
	char path[128], text[256];
	int i;

	barrier = shared_memory(PAGE);
	guest_make(&guest, "oom", POOL);
	if (swap)
		check_equal(guest_swap(&guest, 8 * UNIT), 0);
	snprintf(path, sizeof(path), GUEST_TREE "/%s/memory.events", guest.name);
	events.fd = open(path, O_RDONLY);
	events.events = POLLPRI;
	check(events.fd >= 0);
	check(read(events.fd, text, sizeof(text)) > 0);
	for (i = 0; i < 2; i++)
		modest[i] = guest_child(&guest, be_modest, (void *)(long)(i + 1));
	meet(barrier, 3, 1);
	greedy = guest_child(&guest, be_greedy, NULL);
	join_killed(greedy, SIGKILL);
	check_equal(poll(&events, 1, 5000), 1);
	check(events.revents & POLLPRI);
	check_equal(guest_event(&guest, "oom_kill"), 1);
	check(guest_event(&guest, "oom") >= 1);
	check(guest_event(&guest, "max") >= 1);
	check(logged(greedy));
	barrier[1].count = 1;
	join(modest[0]);
	join(modest[1]);
	check_equal(host_kills(), before);
	close(events.fd);
	guest_end(&guest);
}

static void store_only(void)
{
	largest_dies(false);
}

static void with_swap(void)
{
	largest_dies(true);
}

/* Again and again: each time exactly one. */
static void repeated(void)
{
	unsigned int i, n = rounds(8);

	guest_make(&guest, "oom", POOL);
	for (i = 0; i < n; i++) {
		join_killed(guest_child(&guest, be_greedy, NULL), SIGKILL);
		check_equal(guest_event(&guest, "oom_kill"), i + 1);
		check(guest_clean(&guest));
	}
	guest_end(&guest);
}

/* All processes want more than there is at the same time. */
static void all_greedy(void)
{
	pid_t pid[6];
	unsigned int i;

	guest_make(&guest, "oom", POOL);
	for (i = 0; i < 6; i++)
		pid[i] = guest_child(&guest, be_greedy, NULL);
	for (i = 0; i < 6; i++)
		join_killed(pid[i], SIGKILL);
	check(guest_event(&guest, "oom_kill") <= 6);
	guest_end(&guest);
}

/* The one that runs into the limit is in a system call that copies to its memory. */
static void read_far(void *arg)
{
	char *p = private_memory(64 * UNIT);
	int fd = open("/dev/urandom", O_RDONLY);
	ssize_t n;

	n = read(fd, p, 32 * UNIT);
	note("read %zd", n);
	check(!"got that far");
}

static void in_system_call(void)
{
	guest_make(&guest, "oom", POOL);
	join_killed(guest_child(&guest, read_far, NULL), SIGKILL);
	guest_end(&guest);
}

/* Forking until nothing is left. */
static void fork_on(void *arg)
{
	char *p = private_memory(UNIT);

	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		pid_t pid = fork();

		if (pid < 0)
			sleep_ms(5);
		if (!pid) {
			fill_hard(p, UNIT, getpid());
			pause();
			_exit(0);
		}
		sleep_ms(2);
	}
}

static void forks(void)
{
	unsigned long before = host_kills();
	uint64_t end = now_ms() + 60000;
	pid_t pid;

	guest_make(&guest, "oom", POOL);
	pid = guest_child(&guest, fork_on, NULL);
	while (!guest_event(&guest, "oom_kill") && now_ms() < end)
		sleep_ms(50);
	kill(pid, SIGKILL);
	check(guest_kill(&guest));
	check_equal(waitpid(pid, NULL, 0), pid);
	check(guest_event(&guest, "oom_kill") >= 1);
	check_equal(host_kills(), before);
	guest_end(&guest);
}

/* A pool that is too small for any program. */
static void tiny(void)
{
	static char *argv[] = { "/bin/true", NULL };
	int status;
	pid_t pid;

	guest_make(&guest, "oom", 64 * KIB);
	pid = guest_exec(&guest, argv);
	check_equal(waitpid(pid, &status, 0), pid);
	check(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : !status);
	guest_end(&guest);
}

static const struct test tests[] = {
	{ "the largest dies, the others go on", store_only, .host = true },
	{ "the same with a full swap file", with_swap, .host = true },
	{ "one after the other", repeated, .host = true, .seconds = 60 },
	{ "all want more than there is", all_greedy, .host = true, .seconds = 60 },
	{ "in a system call", in_system_call, .host = true },
	{ "forking until nothing is left", forks, .host = true, .seconds = 90 },
	{ "a pool too small for a program", tiny, .host = true },
};

TEST_MAIN(tests)
