// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "lodge/lodge.h"

#include "control.h"
#include "error.h"
#include "refusal.h"
#include "size.h"
#include "util.h"

#define CONTROL_ROOT "/sys/fs/lodge"
#define PAUSE_MS 5
#define REMOVE_MS 10000

static char *root;

static bool is_mounted(const char *dir)
{
	struct statfs st;

	return !statfs(dir, &st) && st.f_type == LODGE_MAGIC;
}

/**
 * control_find - find the control tree, mounting it if that is all that is missing
 * @why: on failure set to the reason in words, which the caller frees
 *
 * LODGE_ROOT in the environment names another directory to use as the tree.
 *
 * Return: 0 or a negative error number.
 */
int control_find(char **why)
{
	const char *dir = getenv("LODGE_ROOT");
	struct stat st;
	int err;

	if (root)
		return 0;
	if (dir && *dir) {
		if (stat(dir, &st) || !S_ISDIR(st.st_mode)) {
			*why = xasprintf("%s (from LODGE_ROOT): not a directory", dir);
			return -ENOTDIR;
		}
		root = realpath(dir, NULL);
		if (root)
			return 0;
		err = errno;
		*why = xasprintf("%s (from LODGE_ROOT): %s", dir, strerror(err));
		return -err;
	}
	if (access(CONTROL_ROOT, F_OK)) {
		*why = xstrdup("the module is not loaded (there is no " CONTROL_ROOT
			       "): as root, run 'modprobe -a zsmalloc lz4_compress'"
			       " and 'insmod lodge.ko'");
		return -ENODEV;
	}
	if (!is_mounted(CONTROL_ROOT) &&
	    mount("lodge", CONTROL_ROOT, LODGE_FS_TYPE, MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL)) {
		err = errno;
		if (err == EPERM)
			*why = xasprintf("%s is not mounted: run 'mount -t lodge none %s' as root",
					 CONTROL_ROOT, CONTROL_ROOT);
		else
			*why = xasprintf("mounting " CONTROL_ROOT ": %s", strerror(err));
		return -err;
	}
	root = xstrdup(CONTROL_ROOT);
	return 0;
}

/** control_root - the control tree's directory; ends the program if there is none */
const char *control_root(void)
{
	char *why;

	if (control_find(&why))
		die("%s", why);
	return root;
}

/**
 * control_path - the path of something in the tree
 * @guest: name, or NULL for the root's own files
 * @file: name, or NULL for the directory itself
 *
 * Return: text that the caller frees.
 */
char *control_path(const char *guest, const char *file)
{
	return xasprintf("%s%s%s%s%s", control_root(), guest ? "/" : "", guest ? guest : "",
			 file ? "/" : "", file ? file : "");
}

/** control_exists - whether there is a guest of this name */
bool control_exists(const char *guest)
{
	char *path cleanup_free = control_path(guest, NULL);
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

/** control_is_confined - whether there is a confined guest of this name */
bool control_is_confined(const char *guest)
{
	char *kind cleanup_free = control_exists(guest) ? control_read(guest, "kind") : NULL;

	return kind && !strcmp(kind, "confined");
}

/**
 * control_read_path - read a small file to its end
 * @path: its path
 *
 * Return: its text without the last newline, which the caller frees; NULL with errno set.
 */
char *control_read_path(const char *path)
{
	int fd cleanup_fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0, room = 0;
	char *text = NULL;
	ssize_t n;
	int err;

	if (fd < 0)
		return NULL;
	for (;;) {
		if (room - len < 2048) {
			room += 4096;
			text = xrealloc(text, room, 1);
		}
		n = read(fd, text + len, room - len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			err = errno;
			free(text);
			errno = err;
			return NULL;
		}
		if (!n)
			break;
		len += n;
	}
	if (len && text[len - 1] == '\n')
		len--;
	text[len] = '\0';
	return text;
}

/** control_read - control_read_path() of a file in the tree; arguments as control_path() */
char *control_read(const char *guest, const char *file)
{
	char *path cleanup_free = control_path(guest, file);

	return control_read_path(path);
}

/**
 * control_read_size - read a file of a guest that holds one size
 * @guest: name
 * @file: name
 * @bytes: where it goes; untouched on failure
 *
 * Return: 0 or a negative error number; -ENOENT when the guest or the file is not there.
 */
int control_read_size(const char *guest, const char *file, unsigned long long *bytes)
{
	char *text cleanup_free = control_read(guest, file);

	if (!text)
		return -errno;
	return size_parse(text, bytes) ? 0 : -EINVAL;
}

/*
 * The module's words for the refusal that just happened. They may be those of somebody else's
 * write by now: only words that name this guest and this field count.
 */
static char *last_words(const char *last_error_of, const char *guest, const char *file)
{
	char *text cleanup_free = control_read(last_error_of, "last_error");
	char *prefix cleanup_free = NULL;

	prefix = file ? xasprintf("%s: %s: ", guest, file) : xasprintf("%s: ", guest);
	if (!text || !starts_with(text, prefix) || !text[strlen(prefix)])
		return NULL;
	return xstrdup(text + strlen(prefix));
}

/**
 * control_write - write one value to a file of a guest
 * @guest: name
 * @file: name
 * @value: text
 * @why: on failure set to the reason in words, without guest and file, which the caller frees
 *
 * Return: 0 or a negative error number.
 */
int control_write(const char *guest, const char *file, const char *value, char **why)
{
	char *path cleanup_free = control_path(guest, file);
	int fd cleanup_fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;
	int err;

	if (fd < 0) {
		err = errno;
		if (err == ENOENT)
			*why = xstrdup(control_exists(guest) ? "no such field" : "no such guest");
		else
			*why = xasprintf("%s: %s", value, refusal(file, err));
		return -err;
	}
	do
		n = write(fd, value, strlen(value));
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return 0;
	err = errno;
	*why = last_words(guest, guest, file);
	if (!*why)
		*why = xasprintf("%s: %s", value, refusal(file, err));
	return -err;
}

/**
 * control_create - make a guest
 * @guest: a valid name
 * @why: on failure set to the reason in words, without the name, which the caller frees
 *
 * Return: 0 or a negative error number.
 */
int control_create(const char *guest, char **why)
{
	char *path cleanup_free = control_path(guest, NULL);
	int err;

	if (!mkdir(path, 0755))
		return 0;
	err = errno;
	if (err == EEXIST)
		*why = xstrdup("there is a guest of this name already");
	else if (err == EPERM || err == EACCES)
		*why = xstrdup("not permitted: making a guest takes root (CAP_SYS_ADMIN)");
	else
		*why = last_words(NULL, guest, NULL);
	if (!*why)
		*why = xstrdup(refusal("mkdir", err));
	return -err;
}

/**
 * control_remove - destroy a guest
 * @guest: name
 * @why: on failure set to the reason in words, without the name, which the caller frees
 *
 * Return: 0 or a negative error number.
 */
int control_remove(const char *guest, char **why)
{
	char *path cleanup_free = control_path(guest, NULL);
	int err;

	if (!rmdir(path))
		return 0;
	err = errno;
	if (err == ENOENT)
		*why = xstrdup("no such guest");
	else
		*why = err == EBUSY ? last_words(NULL, guest, NULL) : NULL;
	if (!*why)
		*why = xstrdup(refusal("rmdir", err));
	return -err;
}

/**
 * control_remove_ended - destroy a guest whose last process has ended
 * @guest: name
 * @why: as for control_remove()
 *
 * The module may still be giving the memory of that process back, or be removing the guest by
 * itself. Waits for it, ten seconds at most, so that the name is free afterwards.
 *
 * Return: 0, also when the guest has gone by itself, or a negative error number.
 */
int control_remove_ended(const char *guest, char **why)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };
	int ms, err;

	for (ms = 0; ; ms += PAUSE_MS) {
		err = control_remove(guest, why);
		if (!err)
			return 0;
		if (ms >= REMOVE_MS)
			return err;
		free(*why);
		*why = NULL;
		if (!control_exists(guest))
			return 0;
		nanosleep(&pause, NULL);
	}
}
