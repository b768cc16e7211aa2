// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "error.h"
#include "lodge.h"
#include "rundir.h"
#include "sandbox.h"
#include "util.h"

#define NEWS_MAX 4096
#define CHILD "\"child-pid\":"
/* The sandbox's own, the kernel's and its helper threads. */
#define OWN_PROCESSES 64

/** sandbox_open - before the fork of who becomes it; ends the program if that cannot be */
void sandbox_open(struct sandbox *sandbox, bool filtered)
{
	size_t i;

	for (i = 0; i < SYSCALL_FILTERS; i++)
		sandbox->filters[i] = -1;
	if (filtered)
		syscall_filter_write(sandbox->filters);
	if (pipe2(sandbox->news, O_CLOEXEC) || pipe2(sandbox->go, O_CLOEXEC))
		die_errno(errno, "pipe");
}

/* Returns its first process, or 0 if there will be none. */
static pid_t read_news(int fd)
{
	char text[NEWS_MAX] = "", *child;
	size_t length = 0;
	ssize_t n = 1;

	while (n && length < sizeof(text) - 1 && !strchr(text, '}')) {
		n = read(fd, text + length, sizeof(text) - 1 - length);
		if (n < 0 && errno != EINTR)
			break;
		if (n > 0)
			length += n;
	}
	child = strstr(text, CHILD);
	return child ? strtol(child + strlen(CHILD), NULL, 10) : 0;
}

/**
 * sandbox_allow_file - let a guest that runs have a longer file, for a disk that it is given
 * @pid: the guest's first process; all that descend from it are told
 * @length: bytes
 */
void sandbox_allow_file(pid_t pid, rlim_t length)
{
	char *path cleanup_free = xasprintf("/proc/%d/task/%d/children", pid, pid);
	char *text cleanup_free = control_read_path(path);
	struct rlimit limit;
	char *at = text, *end;
	long child;

	if (!prlimit(pid, RLIMIT_FSIZE, NULL, &limit) && limit.rlim_cur < length) {
		limit.rlim_cur = length < limit.rlim_max ? length : limit.rlim_max;
		prlimit(pid, RLIMIT_FSIZE, &limit, NULL);
	}
	while (at && (child = strtol(at, &end, 10)) > 0) {
		sandbox_allow_file(child, length);
		at = end;
	}
}

/* Only the soft limit: the guest cannot raise that, for the filter refuses the call. */
static void limit_files(pid_t child, rlim_t longest)
{
	struct rlimit limit;

	if (prlimit(child, RLIMIT_FSIZE, NULL, &limit) || limit.rlim_cur <= longest)
		return;
	limit.rlim_cur = longest;
	prlimit(child, RLIMIT_FSIZE, &limit, NULL);
}

/*
 * In its user namespace only the guest's processes count, whatever else the user runs. The
 * directory of its management console is in the sandbox's memory, of limited size, and is found
 * through its process.
 */
static void enter(pid_t child, const char *guest, const struct limits *limits)
{
	char *inside cleanup_free = xasprintf("/proc/%d/root/" RUNDIR_UML, child);
	struct rlimit most = { 0 };
	int err;

	limit_files(child, limits->file);
	err = prlimit(child, RLIMIT_NPROC, NULL, &most);
	/* The user may have fewer. */
	if (most.rlim_max > limits->processes + OWN_PROCESSES)
		most.rlim_max = limits->processes + OWN_PROCESSES;
	most.rlim_cur = most.rlim_max;
	if (err || prlimit(child, RLIMIT_NPROC, &most, NULL))
		die_guest(guest, "processes", "%s", strerror(errno));
	if (symlink(inside, RUNDIR_UML))
		die_guest(guest, RUNDIR_UML, "%s", strerror(errno));
}

/**
 * sandbox_begin - give a sandbox its limits, and let the guest's kernel begin in it
 * @sandbox: of sandbox_open(); its process has been started
 * @guest: name
 * @limits: of the guest
 *
 * Return: false if it could not be made; then it has said why, where it says things.
 */
bool sandbox_begin(struct sandbox *sandbox, const char *guest, const struct limits *limits)
{
	pid_t child;
	size_t i;

	close(sandbox->news[1]);
	close(sandbox->go[0]);
	for (i = 0; i < SYSCALL_FILTERS; i++)
		if (sandbox->filters[i] >= 0)
			close(sandbox->filters[i]);
	child = read_news(sandbox->news[0]);
	close(sandbox->news[0]);
	if (child > 0)
		enter(child, guest, limits);
	if (child > 0 && write(sandbox->go[1], "", 1) != 1)
		child = 0;
	close(sandbox->go[1]);
	return child > 0;
}
