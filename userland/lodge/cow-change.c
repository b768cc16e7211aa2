// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cow.h"
#include "cow-change.h"
#include "error.h"
#include "new-file.h"
#include "util.h"

/* A file that is, or is to be, behind a COW file. */
struct backing {
	char *path;
	int fd;
	unsigned long long size;
	unsigned int mtime;
	struct stat st;
};

/* The guest's kernel holds such locks on its disks. */
static void lock(int fd, const char *path, short type)
{
	struct flock whole = { .l_type = type, .l_whence = SEEK_SET };

	if (fcntl(fd, F_OFD_SETLK, &whole) && (errno == EAGAIN || errno == EACCES))
		die("%s: in use by a guest or another program", path);
}

static void open_backing(struct backing *backing, const char *path, int flags)
{
	off_t size;

	*backing = (struct backing){ .path = realpath(path, NULL) };
	if (!backing->path)
		die_errno(errno, "%s", path);
	backing->fd = open(backing->path, flags | O_CLOEXEC | O_NONBLOCK);
	if (backing->fd < 0 || fstat(backing->fd, &backing->st))
		die_errno(errno, "%s", path);
	if (!S_ISREG(backing->st.st_mode) && !S_ISBLK(backing->st.st_mode))
		die("%s: neither a regular file nor a block device", path);
	size = lseek(backing->fd, 0, SEEK_END);
	if (size <= 0)
		die("%s: is empty", path);
	backing->size = size;
	backing->mtime = backing->st.st_mtime;
}

static void close_backing(struct backing *backing)
{
	close(backing->fd);
	free(backing->path);
}

/* What can be behind a COW file that is made or changed now. */
static void open_new_backing(struct backing *backing, const char *path)
{
	open_backing(backing, path, O_RDONLY);
	lock(backing->fd, path, F_RDLCK);
	if (cow_is(backing->fd))
		die("%s: is a COW file itself: merge it first", path);
	if (backing->size > COW_SIZE_MAX)
		die("%s: %llu bytes: more than a COW file can stand for", path, backing->size);
	if (backing->st.st_mtime != backing->mtime)
		die("%s: modified at a time that a COW file cannot note: touch it", path);
}

static void open_or_die(struct cow *cow, const char *path, int flags)
{
	char *why = cow_open(cow, path, flags);

	if (why)
		die("%s", why);
	lock(cow->fd, path, flags == O_RDWR ? F_WRLCK : F_RDLCK);
}

static void expect_same_backing(const struct cow *cow)
{
	char *why = cow_difference(cow);

	if (why)
		die("%s", why);
}

/**
 * cow_create - make an empty COW file
 * @path: its name, which nothing has yet
 * @backing: what is behind it
 *
 * Ends the program on failure; then there is no file.
 */
void cow_create(const char *path, const char *backing)
{
	struct backing behind;
	struct new_file file;
	struct cow cow;

	open_new_backing(&behind, backing);
	new_file_open(&file, path);
	cow_begin_version_3(&cow, file.fd, path, behind.path, behind.mtime, behind.size);
	new_file_name(&file, false);
	close_backing(&behind);
}

static void copy_changes(const struct cow *cow, int fd, const char *path, off_t base)
{
	struct cow_runs *runs cleanup_free = xcalloc(1, sizeof(*runs));

	runs->cow = cow;
	while (cow_next_run(runs))
		file_copy((struct file_part){ cow->fd, cow->path, cow->data + runs->first },
			  (struct file_part){ fd, path, base + runs->first }, runs->length);
}

/**
 * cow_merge - write what a COW file and its backing file are together to a new raw file
 * @path: the COW file
 * @output: the new file's name, which nothing has yet
 *
 * Ends the program on failure; then there is no new file.
 */
void cow_merge(const char *path, const char *output)
{
	struct backing behind;
	struct new_file file;
	struct cow cow;

	open_or_die(&cow, path, O_RDONLY);
	expect_same_backing(&cow);
	open_backing(&behind, cow.backing, O_RDONLY);
	lock(behind.fd, behind.path, F_RDLCK);
	new_file_open(&file, output);
	file_copy_sparse((struct file_part){ behind.fd, behind.path, 0 },
			 (struct file_part){ file.fd, output, 0 }, cow.size, NULL);
	copy_changes(&cow, file.fd, output, 0);
	file_sync(file.fd, output);
	new_file_name(&file, false);
	close_backing(&behind);
	cow_close(&cow);
}

/*
 * Other COW files of this backing file must not fit it any more: they know when it was modified
 * to the second only. Returns that time.
 */
static unsigned int date_later(const struct backing *behind, unsigned int before)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = before + 1LL } };
	struct stat st;

	if (fstat(behind->fd, &st))
		die_errno(errno, "%s", behind->path);
	if (st.st_mtime != before)
		return st.st_mtime;
	if (futimens(behind->fd, times)) {
		warn("%s: other COW files will not notice that it has changed: %s", behind->path,
		     strerror(errno));
		return before;
	}
	return before + 1;
}

/* Bits first: they must never stand for sectors that are gone. */
static void empty(const struct cow *cow)
{
	const int hole = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
	char nothing[4096] = "";
	unsigned long long at, n;

	if (cow->bitmap_length && fallocate(cow->fd, hole, cow->bitmap, cow->bitmap_length)) {
		for (at = 0; at < cow->bitmap_length; at += n) {
			n = cow->bitmap_length - at;
			n = n < sizeof(nothing) ? n : sizeof(nothing);
			file_write(cow->fd, cow->path, nothing, n, cow->bitmap + at);
		}
	}
	file_sync(cow->fd, cow->path);
	if (fallocate(cow->fd, hole, cow->data, cow->size) && errno != EOPNOTSUPP)
		warn("%s: does not give back its room: %s", cow->path, strerror(errno));
}

/* Is it the file that the header names?  The header is not trusted: a guest may have written it. */
static void expect_named(const struct cow *cow, const char *backing)
{
	struct stat named, wanted;

	if (stat(cow->backing, &named))
		die_errno(errno, "%s", cow->backing);
	if (stat(backing, &wanted))
		die_errno(errno, "%s", backing);
	if (named.st_dev != wanted.st_dev || named.st_ino != wanted.st_ino)
		die("%s: belongs to %s, not to %s", cow->path, cow->backing, backing);
}

/**
 * cow_merge_into_backing - write the sectors of a COW file to its backing file, and empty it
 * @path: the COW file
 * @backing: the backing file, as the user knows it
 *
 * The COW file keeps all it has until the backing file has it too: a merge that did not get to its
 * end can be repeated. Ends the program on failure.
 */
void cow_merge_into_backing(const char *path, const char *backing)
{
	struct backing behind;
	struct cow cow;

	open_or_die(&cow, path, O_RDWR);
	expect_named(&cow, backing);
	if (!cow.merging)
		expect_same_backing(&cow);
	open_backing(&behind, cow.backing, O_RDWR);
	if (behind.size != cow.size)
		die("%s: its backing file %s has another size: %llu bytes, and had %llu", path,
		    behind.path, behind.size, cow.size);
	lock(behind.fd, behind.path, F_WRLCK);
	if (!cow.merging && !cow_mark_merging(&cow))
		die("%s: the name of its backing file leaves no room to note the merge: merge into a new file",
		    path);
	copy_changes(&cow, behind.fd, behind.path, 0);
	file_sync(behind.fd, behind.path);
	cow_set_mtime(&cow, date_later(&behind, cow.mtime));
	empty(&cow);
	close_backing(&behind);
	cow_close(&cow);
}

/* Whether a file can take the place of the backing file. Ends the program if not. */
static void expect_same_content(const struct cow *cow, const struct backing *new)
{
	char *why cleanup_free = cow_difference(cow);
	struct backing old;

	if (cow->merging)
		die("%s", why);
	if (why) {
		/* A copy or the file itself, moved, has kept its time. */
		if (new->mtime == cow->mtime)
			return;
		die("%s: cannot be compared with %s, which has gone or was changed, and was not modified when that was: if their content is the same, take --force",
		    new->path, cow->backing);
	}
	open_backing(&old, cow->backing, O_RDONLY);
	if ((old.st.st_dev != new->st.st_dev || old.st.st_ino != new->st.st_ino) &&
	    !file_same(old.fd, old.path, new->fd, new->path, cow->size))
		die("%s: its content is not that of %s, the backing file of %s", new->path,
		    cow->backing, cow->path);
	close_backing(&old);
}

/* Takes the place of a file of an older version. */
static void write_as_version_3(const struct cow *old, const struct backing *new)
{
	char *path cleanup_free = realpath(old->path, NULL);
	struct new_file file;
	struct stat st;
	struct cow cow;

	if (!path || fstat(old->fd, &st))
		die_errno(errno, "%s", old->path);
	new_file_open(&file, path);
	cow_begin_version_3(&cow, file.fd, old->path, new->path, new->mtime, old->size);
	file_copy((struct file_part){ old->fd, old->path, old->bitmap },
		  (struct file_part){ cow.fd, cow.path, cow.bitmap }, old->bitmap_length);
	copy_changes(old, cow.fd, cow.path, cow.data);
	if (st.st_uid != geteuid() && fchown(file.fd, st.st_uid, st.st_gid))
		die_errno(errno, "%s: owner", old->path);
	if (fchmod(file.fd, st.st_mode & 07777))
		die_errno(errno, "%s: mode", old->path);
	file_sync(file.fd, old->path);
	new_file_name(&file, true);
}

/**
 * cow_rebase - give a COW file another backing file
 * @path: the COW file; an older version becomes version 3
 * @backing: must have the same size, and the same content
 * @force: take the caller's word for the content
 *
 * Ends the program on failure; then the file is as it was.
 */
void cow_rebase(const char *path, const char *backing, bool force)
{
	struct backing new;
	struct cow cow;

	open_or_die(&cow, path, O_RDWR);
	open_new_backing(&new, backing);
	if (new.size != cow.size)
		die("%s: has %llu bytes, and the backing file of %s, %s, had %llu", backing,
		    new.size, path, cow.backing, cow.size);
	if (!force)
		expect_same_content(&cow, &new);
	if (cow_is_current(&cow))
		cow_set_header(&cow, new.path, new.mtime);
	else
		write_as_version_3(&cow, &new);
	close_backing(&new);
	cow_close(&cow);
}
