// SPDX-License-Identifier: GPL-2.0
/* Where the guests of other users are: in known places, and where launchers are. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control.h"
#include "guests.h"
#include "owner.h"
#include "rundir.h"
#include "util.h"

#define USERS "/run/user"
#define TMP "/tmp"
#define TMP_PREFIX "lodge-"
#define PROC "/proc"
#define LAUNCHER "lodge"

/* A user cannot keep root busy with a directory that has no end. */
#define ENTRIES_MAX 10000

/**
 * struct place - a runtime directory of somebody else's
 * @fd: the directory itself, for its path in /proc: it may be in a mount namespace of its own
 * @uid: its owner
 * @device: to know it again
 * @inode: of it
 */
struct place {
	int fd;
	uid_t uid;
	dev_t device;
	ino_t inode;
};

static struct place *places;
static size_t n_places;
static bool looked;

/* Only what is the user's own, and his alone to change; @fd is ours from now on. */
static void add_place(int fd, uid_t uid)
{
	struct stat st;
	size_t i;

	if (fd < 0)
		return;
	if (fstat(fd, &st) || !S_ISDIR(st.st_mode) || st.st_uid != uid || st.st_mode & 022) {
		close(fd);
		return;
	}
	for (i = 0; i < n_places; i++) {
		if (places[i].device == st.st_dev && places[i].inode == st.st_ino) {
			close(fd);
			return;
		}
	}
	places = xrealloc(places, n_places + 1, sizeof(*places));
	places[n_places++] = (struct place){ fd, uid, st.st_dev, st.st_ino };
}

static int open_place(const char *path)
{
	return open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Calls @look for each entry of a directory of root's that is @prefix and a number. */
static void each_number(const char *directory, const char *prefix, void (*look)(unsigned int))
{
	DIR *dir = opendir(directory);
	struct dirent *entry;
	unsigned long number;
	const char *digits;
	char *end;

	while (dir && (entry = readdir(dir))) {
		if (!starts_with(entry->d_name, prefix))
			continue;
		digits = entry->d_name + strlen(prefix);
		errno = 0;
		number = strtoul(digits, &end, 10);
		if (isdigit((unsigned char)*digits) && !*end && !errno && number < ~0U)
			look(number);
	}
	if (dir)
		closedir(dir);
}

static void look_in_users(unsigned int uid)
{
	char *path cleanup_free = xasprintf(USERS "/%u/lodge", uid);

	if (!uid || !owner_become(uid))
		return;
	add_place(open_place(path), uid);
	owner_leave();
}

static void look_in_tmp(unsigned int uid)
{
	char *path cleanup_free = xasprintf(TMP "/" TMP_PREFIX "%u", uid);

	if (!uid || !owner_become(uid))
		return;
	add_place(open_place(path), uid);
	owner_leave();
}

/* A launcher is in its guest's directory, and holds the lock in there. */
static bool holds_lock(int directory)
{
	int fd cleanup_fd = openat(directory, RUNDIR_LOCK,
				   O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
}

static void look_at_process(unsigned int pid)
{
	char *process cleanup_free = xasprintf(PROC "/%u", pid);
	char *comm cleanup_free = xasprintf("%s/comm", process);
	char *cwd cleanup_free = xasprintf("%s/cwd/.", process);
	char *name cleanup_free = control_read_path(comm);
	int directory cleanup_fd = -1;
	struct stat st;

	if (!name || strcmp(name, LAUNCHER) || stat(process, &st) || !st.st_uid ||
	    !owner_become(st.st_uid))
		return;
	directory = open(cwd, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (directory >= 0 && holds_lock(directory))
		add_place(openat(directory, "..", O_PATH | O_DIRECTORY | O_CLOEXEC), st.st_uid);
	owner_leave();
}

static void look(void)
{
	if (looked)
		return;
	looked = true;
	each_number(USERS, "", look_in_users);
	each_number(TMP, TMP_PREFIX, look_in_tmp);
	each_number(PROC, "", look_at_process);
}

static char *path_of(const struct place *place, const char *name)
{
	return xasprintf("/proc/self/fd/%d/%s", place->fd, name);
}

static void read_place(struct guests *guests, const struct place *place, bool (*runs)(const char *))
{
	char *here cleanup_free = path_of(place, ".");
	char *owner cleanup_free = owner_name(place->uid);
	struct dirent *entry;
	size_t n = 0;
	DIR *dir;

	if (!owner_become(place->uid))
		return;
	dir = opendir(here);
	while (dir && (entry = readdir(dir)) && n++ < ENTRIES_MAX) {
		char *path cleanup_free = path_of(place, entry->d_name);

		if (!guest_name_is_valid(entry->d_name) || !runs(path))
			continue;
		guests->names = xrealloc(guests->names, guests->n + 1, sizeof(*guests->names));
		guests->names[guests->n++] = xasprintf("%s/%s", owner, entry->d_name);
	}
	if (dir)
		closedir(dir);
	owner_leave();
}

/**
 * others_read - list the full guests of other users
 * @guests: they are added, as USER/NAME
 * @runs: whether one runs, given the path of its directory; called as its owner
 */
void others_read(struct guests *guests, bool (*runs)(const char *path))
{
	size_t i;

	look();
	for (i = 0; i < n_places; i++)
		read_place(guests, places + i, runs);
}

/**
 * others_find - find a full guest of another user, and be that user if there is one
 * @uid: the user
 * @name: its name, a valid one
 * @is_it: whether a directory of that name is meant; called as the user
 *
 * Return: the path of its directory, which the caller frees, or NULL.
 */
char *others_find(uid_t uid, const char *name, bool (*is_it)(const char *path))
{
	char *path;
	size_t i;

	look();
	for (i = 0; i < n_places; i++) {
		if (places[i].uid != uid)
			continue;
		path = path_of(places + i, name);
		if (owner_become(uid) && is_it(path))
			return path;
		owner_leave();
		free(path);
	}
	return NULL;
}
