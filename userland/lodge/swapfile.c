// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "control.h"
#include "error.h"
#include "guests.h"
#include "size.h"
#include "swapfile.h"
#include "util.h"

#define FIELD "memory.swap.file"
#define PAGE 4096

/* Says that the contents are lodge's own, and worth nothing once no guest uses them. */
#define MARK "user.lodge.swap"

/*
 * FILE:SIZE or FILE. A colon in FILE itself is no obstacle: what counts is whether a size stands
 * behind the last one, and a file that exists under the whole text is meant as it stands.
 */
static char *split_spec(const char *guest, const char *spec, unsigned long long *size)
{
	const char *colon = strrchr(spec, ':');

	*size = 0;
	if (!colon || colon == spec || !access(spec, F_OK))
		return xstrdup(spec);
	if (!size_parse(colon + 1, size) || *size == SIZE_NO_LIMIT || !*size)
		die_guest(guest, FIELD, "%s: not a size for a swap file (FILE:SIZE)", colon + 1);
	*size = (*size + PAGE - 1) / PAGE * PAGE;
	return xstrndup(spec, colon - spec);
}

static bool same_file(const char *path, const struct stat *st)
{
	struct stat other;

	return !stat(path, &other) && other.st_dev == st->st_dev && other.st_ino == st->st_ino;
}

static bool host_swaps_to(const struct stat *st)
{
	char *swaps cleanup_free = control_read_path("/proc/swaps");
	char *line, *rest;

	if (!swaps)
		return false;
	for (line = strtok_r(swaps, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		line[strcspn(line, " \t")] = '\0';
		if (same_file(line, st))
			return true;
	}
	return false;
}

static void check_unused(const char *guest, const char *path, const struct stat *st)
{
	struct guests guests;
	size_t i;

	if (host_swaps_to(st))
		die_guest(guest, FIELD, "%s: in use: the host swaps to it", path);
	guests_read(&guests);
	for (i = 0; i < guests.n; i++) {
		char *used cleanup_free = control_read(guests.names[i], FIELD);

		if (used && same_file(used, st))
			die_guest(guest, FIELD, "%s: in use by the guest %s", path,
				  guests.names[i]);
	}
	guests_free(&guests);
}

static void check_device(const char *guest, const char *path, unsigned long long size)
{
	int fd cleanup_fd = open(path, O_RDWR | O_EXCL | O_CLOEXEC);

	if (fd < 0 && errno == EBUSY)
		die_guest(guest, FIELD, "%s: in use: the device is mounted or swapped to", path);
	if (fd < 0)
		die_guest(guest, FIELD, "%s: %s", path, strerror(errno));
	if (size)
		die_guest(guest, FIELD, "%s: a device has a size of its own", path);
}

/* An existing file is taken only if nothing of value can be in it. */
static unsigned long long check_file(int fd, const char *guest, const char *path,
				     unsigned long long size)
{
	struct stat st;

	if (fstat(fd, &st))
		die_guest(guest, FIELD, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		die_guest(guest, FIELD, "%s: neither a regular file nor a block device", path);
	check_unused(guest, path, &st);
	if (st.st_size && fgetxattr(fd, MARK, NULL, 0) < 0)
		die_guest(guest, FIELD, "%s: is not empty, and not a swap file that lodge made",
			  path);
	if (!st.st_size && !size)
		die_guest(guest, FIELD, "%s: is empty: give it a size (FILE:SIZE)", path);
	return size ? size : (unsigned long long)st.st_size;
}

/*
 * Give the file all its blocks now, so that swapping never meets a full disk. The mark is a help
 * for the next run only: file systems without extended attributes do without it.
 */
static int fill_file(int fd, unsigned long long size)
{
	int err;

	if (fchmod(fd, 0600) || ftruncate(fd, size))
		return errno;
	fsetxattr(fd, MARK, "1", 1, 0);
	do
		err = posix_fallocate(fd, 0, size);
	while (err == EINTR);
	return err;
}

/**
 * swapfile_prepare - make or check what a guest is to swap to
 * @sf: filled in; the caller frees it with swapfile_free()
 * @guest: name, for error messages and to see who uses the file
 * @spec: FILE:SIZE, FILE, or the path of a block device
 *
 * A file that is not there is made with mode 0600 and all its blocks. One that is there must be
 * unused, and empty or a swap file that lodge made. Anything else ends the program.
 */
void swapfile_prepare(struct swapfile *sf, const char *guest, const char *spec)
{
	char *path cleanup_free = NULL;
	int fd cleanup_fd = -1;
	unsigned long long size;
	char text[SIZE_TEXT];
	struct stat st;
	int err;

	*sf = (struct swapfile){ 0 };
	path = split_spec(guest, spec, &size);
	if (!stat(path, &st) && S_ISBLK(st.st_mode)) {
		check_device(guest, path, size);
		check_unused(guest, path, &st);
	} else {
		fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
		if (fd < 0 && errno == ENOENT) {
			if (!size)
				die_guest(guest, FIELD,
					  "%s: not there: to make it, give a size (FILE:SIZE)",
					  path);
			fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
			sf->created = fd >= 0;
		}
		if (fd < 0)
			die_guest(guest, FIELD, "%s: %s", path, errno == ETXTBSY ?
				  "in use" : strerror(errno));
		if (!sf->created)
			size = check_file(fd, guest, path, size);
		err = fill_file(fd, size);
		if (err) {
			if (sf->created)
				unlink(path);
			sf->created = false;
			die_guest(guest, FIELD, "%s: %s of blocks: %s", path,
				  size_exact(text, size), strerror(err));
		}
	}
	sf->path = realpath(path, NULL);
	if (!sf->path)
		die_guest(guest, FIELD, "%s: %s", path, strerror(errno));
}

/** swapfile_unlink - take the name of a file that swapfile_prepare() made; once, others stay */
void swapfile_unlink(struct swapfile *sf)
{
	if (sf->created)
		unlink(sf->path);
	sf->created = false;
}

/** swapfile_free - give back what swapfile_prepare() took; the file stays */
void swapfile_free(struct swapfile *sf)
{
	free(sf->path);
	*sf = (struct swapfile){ 0 };
}
