// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <time.h>

#include "control.h"
#include "processes.h"
#include "util.h"

#define GRACE_MS 2000
#define LIMIT_MS 12000
#define ROUND_MS 20

static int by_pid(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

/**
 * pids_read - list a guest's processes
 * @pids: filled in; the caller frees it with pids_free(), on failure too
 * @guest: name
 *
 * Return: 0 or a negative error number.
 */
int pids_read(struct pids *pids, const char *guest)
{
	char *text cleanup_free = control_read(guest, "procs");
	char *line, *rest;
	long pid;

	*pids = (struct pids){ 0 };
	if (!text)
		return -errno;
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		pid = strtol(line, NULL, 10);
		/* Zero stands for a process that this pid namespace does not see. */
		if (pid <= 0)
			continue;
		pids->list = xrealloc(pids->list, pids->n + 1, sizeof(*pids->list));
		pids->list[pids->n++] = pid;
	}
	if (pids->n)
		qsort(pids->list, pids->n, sizeof(*pids->list), by_pid);
	return 0;
}

/** pids_free - give back what pids_read() took */
void pids_free(struct pids *pids)
{
	free(pids->list);
	*pids = (struct pids){ 0 };
}

static bool pids_have(const struct pids *pids, pid_t pid)
{
	return pids->n && bsearch(&pid, pids->list, pids->n, sizeof(pid), by_pid);
}

/*
 * Signal every process of the guest. An id may be another process's by the time it is used, so
 * each is held by a pidfd first, and signalled only if the guest still lists it afterwards.
 */
static size_t signal_all(const char *guest, int sig)
{
	int *fds cleanup_free = NULL;
	struct pids before, after = { 0 };
	size_t i, n;

	if (pids_read(&before, guest))
		return 0;
	n = before.n;
	fds = xcalloc(n, sizeof(*fds));
	for (i = 0; i < n; i++)
		fds[i] = pidfd_open(before.list[i], 0);
	pids_read(&after, guest);
	for (i = 0; i < n; i++) {
		if (fds[i] < 0)
			continue;
		if (pids_have(&after, before.list[i]))
			pidfd_send_signal(fds[i], sig, NULL, 0);
		close(fds[i]);
	}
	pids_free(&before);
	pids_free(&after);
	return n;
}

/* Wait until the guest has no processes; returns how many it still has when @ms are over. */
static size_t wait_empty(const char *guest, int ms)
{
	const struct timespec pause = { .tv_nsec = ROUND_MS * 1000000L };
	struct pids pids;
	size_t n;

	for (;; ms -= ROUND_MS) {
		n = pids_read(&pids, guest) ? 0 : pids.n;
		pids_free(&pids);
		if (!n || ms <= 0)
			return n;
		nanosleep(&pause, NULL);
	}
}

/**
 * processes_end - end all processes of a guest: SIGTERM, and SIGKILL two seconds later
 * @guest: name
 *
 * Takes 12 seconds at most.
 *
 * Return: how many processes are left; 0 also when the guest has gone.
 */
size_t processes_end(const char *guest)
{
	size_t left;
	int ms;

	if (!signal_all(guest, SIGTERM))
		return 0;
	left = wait_empty(guest, GRACE_MS);
	/* Again and again, because a process may fork while the list is read. */
	for (ms = GRACE_MS; left && ms < LIMIT_MS; ms += 10 * ROUND_MS) {
		signal_all(guest, SIGKILL);
		left = wait_empty(guest, 10 * ROUND_MS);
	}
	return left;
}
