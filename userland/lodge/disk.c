// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cow.h"
#include "disk.h"
#include "error.h"
#include "util.h"

#define SECTOR 512

/* The kernel's command line separates with these, and has no way to quote them. */
static void check_name(const char *option, const char *path)
{
	if (strpbrk(path, ",: \t\n\""))
		die("%s: %s: has a comma, a colon, a quote or a blank in its name", option, path);
}

static char *find_file(const char *option, const char *given)
{
	char *path = realpath(given, NULL);

	if (!path)
		die_errno(errno, "%s: %s", option, given);
	check_name(option, path);
	return path;
}

/* The guest's kernel locks its disks, and could only say that it has none. */
static bool is_locked(int fd, bool readonly)
{
	struct flock lock = { .l_type = readonly ? F_RDLCK : F_WRLCK };

	return !fcntl(fd, F_GETLK, &lock) && lock.l_type != F_UNLCK;
}

/*
 * Opens a file as the guest will, so that what is wrong is said now and in words. Returns whether
 * it is a block device.
 */
static bool check_file(const char *option, const char *path, bool readonly)
{
	int fd cleanup_fd = open(path, (readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	bool block;

	if (fd < 0)
		die_errno(errno, "%s: %s", option, path);
	if (fstat(fd, &st))
		die_errno(errno, "%s: %s", option, path);
	block = S_ISBLK(st.st_mode);
	if (!block && !S_ISREG(st.st_mode))
		die("%s: %s: neither a file nor a block device", option, path);
	if (is_locked(fd, readonly))
		die("%s: %s: is in use by another guest, or by a tool that changes it", option,
		    path);
	if (!block && st.st_size < SECTOR)
		die("%s: %s: is empty: a disk has %d bytes at least", option, path, SECTOR);
	return block;
}

static bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Two disks that write to one file destroy each other; readers may share it. */
static void check_not_twice(const struct disks *disks, const struct disk *new, const char *option)
{
	size_t i;

	for (i = 0; i < disks->n; i++) {
		const struct disk *d = &disks->list[i];
		bool reads = d->readonly || d->cow, new_reads = new->readonly || new->cow;

		if ((!(reads && new_reads) && same_file(d->file, new->file)) ||
		    (d->cow && new->cow && same_file(d->cow, new->cow)))
			die("%s: %s: is another disk of this guest already", option,
			    new->cow ? new->cow : new->file);
	}
}

/* Takes the options behind the name off @name. */
static void take_options(struct disk *disk, const char *option, char *name, const char **cow)
{
	char *comma;

	while ((comma = strrchr(name, ','))) {
		*comma++ = '\0';
		if (!strcmp(comma, "ro"))
			disk->readonly = true;
		else if (starts_with(comma, "cow="))
			*cow = comma + strlen("cow=");
		else
			die("%s: %s: not an option of a disk: ro, cow=FILE", option, comma);
	}
}

/*
 * A COW file that is not there is made; one that is must belong to the disk. What it is over is
 * for the user to say: a guest could have named any file of the host in its header.
 */
static void add_cow(struct disk *disk, const char *option, const char *given)
{
	char *backing cleanup_free = NULL;

	check_name(option, given);
	if (access(given, F_OK) && errno == ENOENT)
		cow_create(given, disk->file);
	disk->cow = find_file(option, given);
	check_file(option, disk->cow, false);
	backing = cow_check(disk->cow);
	if (!same_file(backing, disk->file))
		die("%s: %s: belongs to %s, not to %s: see lodge image cow rebase", option,
		    disk->cow, backing, disk->file);
}

/**
 * disks_add - add a disk, or end the program with the reason
 * @disks: to which
 * @option: the user's word for it, for messages
 * @text: FILE[,ro][,cow=FILE]
 * @cow: COW file over it, or NULL
 */
void disks_add(struct disks *disks, const char *option, const char *text, const char *cow)
{
	char *name cleanup_free = xstrdup(text);
	struct disk *disk = &disks->list[disks->n];

	if (disks->n == DISKS_MAX)
		die("%s: a guest has %d disks at most", option, DISKS_MAX);
	*disk = (struct disk){ 0 };
	take_options(disk, option, name, &cow);
	if (disk->readonly && cow)
		die("%s: a read-only disk takes no COW file", option);
	disk->file = find_file(option, name);
	disk->block = check_file(option, disk->file, disk->readonly || cow);
	if (cow)
		add_cow(disk, option, cow);
	check_not_twice(disks, disk, option);
	disks->n++;
}

/**
 * disk_argument - a disk for the command line of the guest's kernel
 *
 * It always says what kind of file it is. Left to guess, the kernel would take an image for a COW
 * file if the guest has written such a header into it, and open whatever file that names.
 *
 * Return: text that the caller frees.
 */
char *disk_argument(const struct disks *disks, size_t i)
{
	const struct disk *disk = &disks->list[i];

	if (disk->cow)
		return xasprintf("ubd%zu=%s,%s", i, disk->cow, disk->file);
	return xasprintf("ubd%zu%sd=%s", i, disk->readonly ? "r" : "", disk->file);
}
