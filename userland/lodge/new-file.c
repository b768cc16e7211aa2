// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/fs.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "lodge.h"
#include "new-file.h"
#include "util.h"

#define PIECE (1024 * 1024)
#define COPIED_AT_ONCE (64 * PIECE)
#define IN_DIRECTORY "new"

/* What a program that is ended has to remove: at most one file at a time needs it. */
static char *left_file, *left_directory;

static void remove_left(void)
{
	if (left_file)
		unlink(left_file);
	if (left_directory)
		rmdir(left_directory);
}

static void remove_and_end(int sig)
{
	remove_left();
	signal(sig, SIG_DFL);
	raise(sig);
}

static char *directory_of(const char *path)
{
	char *copy cleanup_free = xstrdup(path);

	return xstrdup(dirname(copy));
}

/* A directory that only we can enter, so that nobody finds the file before it has its name. */
static void open_in_directory(struct new_file *file, const char *beside)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM };
	static bool prepared;
	size_t i;

	file->directory = xasprintf("%s/.lodge.XXXXXX", beside);
	if (!mkdtemp(file->directory))
		die_errno(errno, "%s", file->path);
	left_file = xasprintf("%s/" IN_DIRECTORY, file->directory);
	left_directory = file->directory;
	for (i = 0; !prepared && i < ARRAY_SIZE(signals); i++)
		signal(signals[i], remove_and_end);
	if (!prepared)
		atexit(remove_left);
	prepared = true;
	file->fd = open(left_file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (file->fd < 0)
		die_errno(errno, "%s", file->path);
}

/**
 * new_file_open - begin a file
 * @file: filled in
 * @path: its later name, which must stay valid
 *
 * Until new_file_name() nothing of it can be seen, and nothing is left when the program ends,
 * however it does; only on file systems without O_TMPFILE SIGKILL leaves a hidden directory.
 * Ends the program on failure.
 */
void new_file_open(struct new_file *file, const char *path)
{
	char *beside cleanup_free = directory_of(path);

	*file = (struct new_file){ .path = path };
	file->fd = open(beside, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
	if (file->fd >= 0)
		return;
	/* EISDIR is what kernels say that do not know O_TMPFILE. */
	if (errno != EOPNOTSUPP && errno != EISDIR)
		die_errno(errno, "%s", path);
	open_in_directory(file, beside);
}

/** new_file_set_size - make it one hole of so many bytes; ends the program on failure */
void new_file_set_size(const struct new_file *file, unsigned long long size)
{
	if (ftruncate(file->fd, size))
		die_errno(errno, "%s: %llu bytes", file->path, size);
}

/* Gives a file without a name one that nothing else has, beside the final one. */
static char *name_beside(const char *link, const char *path)
{
	char *name;
	int tries;

	for (tries = 0; tries < 100; tries++) {
		name = xasprintf("%s.%d-%d", path, getpid(), tries);
		if (!linkat(AT_FDCWD, link, AT_FDCWD, name, AT_SYMLINK_FOLLOW))
			return name;
		free(name);
		if (errno != EEXIST)
			break;
	}
	die_errno(errno, "%s", path);
}

static void replace_name(const char *from, const char *path)
{
	if (!rename(from, path))
		return;
	unlink(from);
	die_errno(errno, "%s", path);
}

/**
 * new_file_name - give a file its name, and close it
 * @file: from new_file_open()
 * @replace: take the place of a file that has the name; else that ends the program
 */
void new_file_name(struct new_file *file, bool replace)
{
	char *link cleanup_free = file->directory ? xstrdup(left_file) :
		xasprintf("/proc/self/fd/%d", file->fd);
	char *name cleanup_free = NULL;

	if (!replace) {
		if (linkat(AT_FDCWD, link, AT_FDCWD, file->path, AT_SYMLINK_FOLLOW))
			die_errno(errno, "%s", file->path);
	} else {
		name = name_beside(link, file->path);
		replace_name(name, file->path);
	}
	close(file->fd);
	file->fd = -1;
	if (!file->directory)
		return;
	remove_left();
	free(left_file);
	free(file->directory);
	file->directory = NULL;
	left_file = NULL;
	left_directory = NULL;
}

/** file_read - read exactly @n bytes; ends the program on failure */
void file_read(int fd, const char *path, void *bytes, size_t n, off_t at)
{
	ssize_t got;

	while (n) {
		got = pread(fd, bytes, n, at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			die_errno(errno, "%s", path);
		if (!got)
			die("%s: ends at byte %llu: truncated", path, (unsigned long long)at);
		bytes += got;
		at += got;
		n -= got;
	}
}

/** file_write - write exactly @n bytes; ends the program on failure */
void file_write(int fd, const char *path, const void *bytes, size_t n, off_t at)
{
	ssize_t done;

	while (n) {
		done = pwrite(fd, bytes, n, at);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			die_errno(errno, "%s", path);
		bytes += done;
		at += done;
		n -= done;
	}
}

/** file_sync - have what was written on the disk; ends the program on failure */
void file_sync(int fd, const char *path)
{
	if (fsync(fd) && errno != EINVAL)
		die_errno(errno, "%s", path);
}

static size_t least(size_t piece, unsigned long long n)
{
	return n < piece ? n : piece;
}

/**
 * file_copy - copy @n bytes from one file to another
 *
 * Ends the program on failure.
 */
void file_copy(struct file_part from, struct file_part to, unsigned long long n)
{
	static char buffer[PIECE];
	ssize_t done = 0;
	size_t piece;

	while (n && done >= 0) {
		done = copy_file_range(from.fd, &from.at, to.fd, &to.at, least(1U << 30, n), 0);
		if (!done)
			break;
		if (done > 0)
			n -= done;
		else if (errno == EINTR)
			done = 0;
	}
	/* Not between these files, or an error: reading and writing tells whose it is. */
	while (n) {
		piece = least(sizeof(buffer), n);
		file_read(from.fd, from.path, buffer, piece, from.at);
		file_write(to.fd, to.path, buffer, piece, to.at);
		from.at += piece;
		to.at += piece;
		n -= piece;
	}
}

/* The first byte from @at on that is in no hole; @end if there is none before it. */
static off_t find_data(int fd, off_t at, off_t end)
{
	off_t data = lseek(fd, at, SEEK_DATA);

	if (data < 0)
		return errno == ENXIO ? end : at;
	return data < end ? data : end;
}

static off_t find_hole(int fd, off_t at, off_t end)
{
	off_t hole = lseek(fd, at, SEEK_HOLE);

	return hole > at && hole < end ? hole : end;
}

/**
 * file_copy_sparse - copy the first @n bytes of a file to a new one, holes as holes
 * @from: the file, its @at not used
 * @to: the new one, open for writing
 * @n: as many as it will have
 * @progress: called now and then with the number of bytes that are done, or NULL
 *
 * On file systems that can, the two share their blocks. Ends the program on failure.
 */
void file_copy_sparse(struct file_part from, struct file_part to, unsigned long long n,
		      void (*progress)(off_t at))
{
	off_t hole, end = n;
	size_t piece;

	from.at = ioctl(to.fd, FICLONE, from.fd) ? 0 : end;
	if (ftruncate(to.fd, n))
		die_errno(errno, "%s: %llu bytes", to.path, n);
	while ((from.at = find_data(from.fd, from.at, end)) < end) {
		for (hole = find_hole(from.fd, from.at, end); from.at < hole; from.at += piece) {
			piece = least(COPIED_AT_ONCE, hole - from.at);
			to.at = from.at;
			file_copy(from, to, piece);
			if (progress)
				progress(from.at + piece);
		}
	}
}

/** file_same - whether two files have the same first @n bytes; ends the program on failure */
bool file_same(int a, const char *a_path, int b, const char *b_path, unsigned long long n)
{
	char *in_a cleanup_free = xcalloc(1, PIECE);
	char *in_b cleanup_free = xcalloc(1, PIECE);
	off_t at = 0, other, end = n;
	size_t piece;

	for (;;) {
		/* Where both have holes there is nothing to read. */
		other = find_data(b, at, end);
		at = find_data(a, at, end);
		at = other < at ? other : at;
		if (at == end)
			return true;
		piece = least(PIECE, end - at);
		file_read(a, a_path, in_a, piece, at);
		file_read(b, b_path, in_b, piece, at);
		if (memcmp(in_a, in_b, piece))
			return false;
		at += piece;
	}
}
