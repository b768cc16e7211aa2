// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control.h"
#include "error.h"
#include "hostgroup.h"
#include "util.h"

#define FIELD "cgroup"

static int write_file(const char *dir, const char *file, const char *value)
{
	char *path cleanup_free = xasprintf("%s/%s", dir, file);
	int fd cleanup_fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		return -errno;
	return 0;
}

static bool has_word(const char *dir, const char *file, const char *word)
{
	char *path cleanup_free = xasprintf("%s/%s", dir, file);
	char *text cleanup_free = control_read_path(path);
	char *w, *rest;

	if (!text)
		return false;
	for (w = strtok_r(text, "\n ", &rest); w; w = strtok_r(NULL, "\n ", &rest))
		if (!strcmp(w, word))
			return true;
	return false;
}

static char *find_mount(void)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *entry;
	char *dir = NULL;

	while (mounts && !dir && (entry = getmntent(mounts)))
		if (!strcmp(entry->mnt_type, "cgroup2"))
			dir = xstrdup(entry->mnt_dir);
	if (mounts)
		endmntent(mounts);
	return dir;
}

/* The group that lodge itself is in, as a path below the mount point. */
static char *own_group(void)
{
	char *text cleanup_free = control_read_path("/proc/self/cgroup");
	char *line, *rest;

	if (!text)
		return xstrdup("/");
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		if (starts_with(line, "0::/") && !starts_with(line, "0::/.."))
			return xstrdup(line + 3);
	return xstrdup("/");
}

/*
 * Make the group in the nearest place that may have groups with a memory limit: beside lodge's own
 * group as a rule, because a group with processes cannot pass controllers down.
 */
static char *make_group(const char *mnt, const char *guest, int *err)
{
	char *own cleanup_free = own_group();
	char *dir, *slash;
	int ret;

	*err = ENOENT;
	for (;;) {
		char *parent cleanup_free = xasprintf("%s%s", mnt, strcmp(own, "/") ? own : "");

		ret = has_word(parent, "cgroup.subtree_control", "memory") ? 0 :
		      write_file(parent, "cgroup.subtree_control", "+memory");
		if (!ret) {
			dir = xasprintf("%s/lodge-%s", parent, guest);
			if (!mkdir(dir, 0755))
				return dir;
			*err = errno;
			free(dir);
			if (*err == EEXIST)
				return NULL;
		} else if (ret == -EACCES || ret == -EPERM) {
			*err = -ret;
		}
		slash = strrchr(own, '/');
		if (!slash || !strcmp(own, "/"))
			return NULL;
		slash[slash == own] = '\0';
	}
}

static bool has_processes(const char *dir)
{
	char *path cleanup_free = xasprintf("%s/cgroup.events", dir);
	char *text cleanup_free = control_read_path(path);

	return text && strstr(text, "populated 1");
}

/*
 * The host does not remove a group with its last process, and lodge may be killed or end before
 * that process does: a process of its own, outside the group, waits for the end and removes it.
 */
static void watch(const char *dir, int lodge_alive)
{
	char *path cleanup_free = xasprintf("%s/cgroup.events", dir);
	struct pollfd events = { .events = POLLPRI };
	char byte;

	setsid();
	if (chdir("/"))
		_exit(STATUS_FAILED);
	/* Whoever waits for the end of lodge's output must not wait for this process. */
	if (lodge_alive)
		close_range(0, lodge_alive - 1, 0);
	close_range(lodge_alive + 1, ~0U, 0);
	while (read(lodge_alive, &byte, 1) < 0 && errno == EINTR)
		;
	events.fd = open(path, O_RDONLY | O_CLOEXEC);
	while (events.fd >= 0 && has_processes(dir))
		poll(&events, 1, 1000);
	rmdir(dir);
	_exit(0);
}

static void start_watcher(struct hostgroup *group)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		die_errno(errno, "pipe");
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		die_errno(errno, "fork");
	if (!pid) {
		close(fds[1]);
		/* Its parent's child is only a step on the way: nobody has to wait for it. */
		if (!fork())
			watch(group->dir, fds[0]);
		_exit(0);
	}
	close(fds[0]);
	group->hold = fds[1];
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/**
 * hostgroup_create - make a group of the host for the processes of a guest
 * @group: filled in
 * @guest: name; the group is called lodge-NAME
 * @max: what the group may hold of what the guest passes through, as memory.max takes it
 *
 * Ends the program, with the reason, if it cannot be made.
 */
void hostgroup_create(struct hostgroup *group, const char *guest, const char *max)
{
	char *mnt cleanup_free = find_mount();
	int err;

	if (!mnt)
		die_guest(guest, FIELD, "cgroup v2 is not mounted on this host");
	if (!has_word(mnt, "cgroup.controllers", "memory"))
		die_guest(guest, FIELD, "%s has no memory controller (cgroup v1 may hold it)", mnt);
	group->dir = make_group(mnt, guest, &err);
	if (!group->dir && err == EEXIST)
		die_guest(guest, FIELD, "there is a group lodge-%s already", guest);
	if (!group->dir)
		die_guest(guest, FIELD, "no group under %s can be made: %s", mnt, strerror(err));
	start_watcher(group);
	err = write_file(group->dir, "memory.max", max);
	if (err)
		die_guest(guest, FIELD, "%s/memory.max: %s", group->dir, strerror(-err));
}

/** hostgroup_enter - put the calling process into the group; ends it, with the reason, if not */
void hostgroup_enter(const struct hostgroup *group, const char *guest)
{
	int err;

	if (!group->dir)
		return;
	err = write_file(group->dir, "cgroup.procs", "0");
	if (err)
		die_guest(guest, FIELD, "%s/cgroup.procs: %s", group->dir, strerror(-err));
}

/** hostgroup_remove - remove the group, or leave that to its watcher if it has processes */
void hostgroup_remove(struct hostgroup *group)
{
	if (group->dir)
		rmdir(group->dir);
	if (group->hold >= 0)
		close(group->hold);
	free(group->dir);
	*group = (struct hostgroup)HOSTGROUP_NONE;
}
