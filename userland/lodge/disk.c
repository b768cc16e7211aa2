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

/* Opens a file as the guest will have it, so that what is wrong is said now and in words. */
static int open_file(const char *option, const char *path, bool readonly, bool *block)
{
	int fd = open(path, (readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		die_errno(errno, "%s: %s", option, path);
	*block = S_ISBLK(st.st_mode);
	if (!*block && !S_ISREG(st.st_mode))
		die("%s: %s: neither a file nor a block device", option, path);
	if (is_locked(fd, readonly))
		die("%s: %s: is in use by another guest, or by a tool that changes it", option,
		    path);
	if (!*block && st.st_size < SECTOR)
		die("%s: %s: is empty: a disk has %d bytes at least", option, path, SECTOR);
	return fd;
}

static bool same_file(int a, int b)
{
	struct stat x, y;

	return a >= 0 && b >= 0 && !fstat(a, &x) && !fstat(b, &y) && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

/** disks_have - whether two disks would write to one file, and destroy each other */
bool disks_have(const struct disks *disks, const struct disk *new)
{
	bool new_reads = new->readonly || new->cow, reads;
	size_t i;

	for (i = 0; i < disks->n; i++) {
		const struct disk *d = &disks->list[i];

		reads = d->readonly || d->cow;
		/* Readers may share it. */
		if (d->file &&
		    ((!(reads && new_reads) && same_file(d->fd, new->fd)) ||
		     same_file(d->cow_fd, new->cow_fd) || same_file(d->fd, new->cow_fd) ||
		     same_file(d->cow_fd, new->fd)))
			return true;
	}
	return false;
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

/* Where the guest's kernel finds what, which has not to read the header: a guest wrote it. */
static void read_layout(struct disk *disk, const char *option)
{
	char *backing cleanup_free = cow_check(disk->cow);
	struct stat named, behind;
	struct cow cow;
	char *why;

	if (stat(backing, &named) || fstat(disk->fd, &behind))
		die_errno(errno, "%s: %s", option, backing);
	if (named.st_dev != behind.st_dev || named.st_ino != behind.st_ino)
		die("%s: %s: belongs to %s, not to %s: see lodge image cow rebase", option,
		    disk->cow, backing, disk->file);
	why = cow_open(&cow, disk->cow, O_RDONLY);
	if (why)
		die("%s: %s", option, why);
	if (cow.bitmap_length * 8 < (cow.size + SECTOR - 1) / SECTOR)
		die("%s: %s: is of an old version that has no room for the disk's last sectors: 'lodge image cow rebase %s %s' makes it a new one",
		    option, disk->cow, disk->cow, disk->file);
	disk->size = cow.size;
	disk->bitmap = cow.bitmap;
	disk->bitmap_length = cow.bitmap_length;
	disk->data = cow.data;
	cow_close(&cow);
}

/*
 * A COW file that is not there is made; one that is must belong to the disk. What it is over is
 * for the user to say: a guest could have named any file of the host in its header.
 */
static void add_cow(struct disk *disk, const char *option, const char *given)
{
	bool block;

	check_name(option, given);
	if (access(given, F_OK) && errno == ENOENT)
		cow_create(given, disk->file);
	disk->cow = find_file(option, given);
	disk->cow_fd = open_file(option, disk->cow, false, &block);
	read_layout(disk, option);
}

static void set_size(struct disk *disk, const char *option)
{
	off_t size = lseek(disk->fd, 0, SEEK_END);

	if (size < 0)
		die_errno(errno, "%s: %s", option, disk->file);
	/* As the guest's kernel has it: whole sectors. */
	disk->size = (size + SECTOR - 1) / SECTOR * SECTOR;
}

/**
 * disk_open - open the files of a disk, or end the program with the reason
 * @disk: filled in
 * @option: the user's word for it, for messages
 * @text: FILE[,ro][,cow=FILE]
 * @cow: COW file over it, or NULL
 */
void disk_open(struct disk *disk, const char *option, const char *text, const char *cow)
{
	char *name cleanup_free = xstrdup(text);

	*disk = (struct disk){ .cow_fd = -1 };
	take_options(disk, option, name, &cow);
	if (disk->readonly && cow)
		die("%s: a read-only disk takes no COW file", option);
	disk->file = find_file(option, name);
	disk->fd = open_file(option, disk->file, disk->readonly || cow, &disk->block);
	set_size(disk, option);
	if (cow)
		add_cow(disk, option, cow);
	/* It may be meant: a guest can write such a header to its disk. */
	else if (cow_is(disk->fd))
		warn("%s: %s: is a COW file, but used as a plain disk: --cow or cow= takes it, over its backing file",
		     option, disk->file);
}

static bool lock_file(int fd, short type)
{
	struct flock lock = { .l_type = type };

	return !fcntl(fd, F_OFD_SETLK, &lock);
}

/**
 * disk_lock - have the files of a disk for one guest alone, until they are closed everywhere
 *
 * Return: false if somebody else has them.
 */
bool disk_lock(const struct disk *disk)
{
	bool reads = disk->readonly || disk->cow;

	return lock_file(disk->fd, reads ? F_RDLCK : F_WRLCK) &&
	       (!disk->cow || lock_file(disk->cow_fd, F_WRLCK));
}

/** disk_close - give back what disk_open() took; then there is no disk */
void disk_close(struct disk *disk)
{
	close(disk->fd);
	if (disk->cow_fd >= 0)
		close(disk->cow_fd);
	free(disk->file);
	free(disk->cow);
	*disk = (struct disk){ .fd = -1, .cow_fd = -1 };
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
	struct disk *disk = &disks->list[disks->n];

	if (disks->n == DISKS_MAX)
		die("%s: a guest has %d disks at most", option, DISKS_MAX);
	disk_open(disk, option, text, cow);
	if (disks_have(disks, disk))
		die("%s: %s: is another disk of this guest already", option,
		    disk->cow ? disk->cow : disk->file);
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
