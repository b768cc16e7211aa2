// SPDX-License-Identifier: GPL-2.0
/* Files of the host by name and by descriptor, as os.h has them. */
#include <linux/kernel.h>
#include <linux/stat.h>
#include <linux/string.h>
#include <os.h>

#include "host.h"

int os_open_file(const char *path, struct openflags flags, int mode)
{
	int how = 0;

	if (flags.r)
		how |= LODGE_O_READ;
	if (flags.w)
		how |= LODGE_O_WRITE;
	if (flags.c)
		how |= LODGE_O_CREATE;
	if (flags.e)
		how |= LODGE_O_EXCL;
	if (flags.t)
		how |= LODGE_O_TRUNC;
	if (flags.a)
		how |= LODGE_O_APPEND;
	return lodge_open(host, path, how, mode);
}

void os_close_file(int fd)
{
	lodge_close(host, fd);
}

int os_dup_file(int fd)
{
	return lodge_dup(host, fd);
}

int os_read_file(int fd, void *buffer, int length)
{
	return lodge_read(host, fd, buffer, length, -1);
}

int os_write_file(int fd, const void *buffer, int length)
{
	return lodge_write(host, fd, buffer, length, -1);
}

int os_pread_file(int fd, void *buffer, int length, unsigned long long offset)
{
	return lodge_read(host, fd, buffer, length, offset);
}

int os_pwrite_file(int fd, const void *buffer, int length, unsigned long long offset)
{
	return lodge_write(host, fd, buffer, length, offset);
}

int os_seek_file(int fd, unsigned long long offset)
{
	return lodge_seek(host, fd, offset);
}

int os_sync_file(int fd)
{
	return lodge_sync(host, fd, 1);
}

int os_fsync_file(int fd)
{
	return lodge_sync(host, fd, 0);
}

int os_falloc_punch(int fd, unsigned long long offset, int length)
{
	return lodge_clear(host, fd, 1, offset, length);
}

int os_falloc_zeroes(int fd, unsigned long long offset, int length)
{
	return lodge_clear(host, fd, 0, offset, length);
}

static void fill(struct uml_stat *buf, const struct lodge_stat *st)
{
	*buf = (struct uml_stat){
		.ust_dev = os_makedev(st->dev_major, st->dev_minor),
		.ust_ino = st->ino, .ust_mode = st->mode, .ust_nlink = st->nlink,
		.ust_uid = st->uid, .ust_gid = st->gid, .ust_size = st->size,
		.ust_blksize = st->block_size, .ust_blocks = st->blocks,
		.ust_atime = st->atime, .ust_mtime = st->mtime, .ust_ctime = st->ctime,
	};
}

int os_stat_file(const char *path, struct uml_stat *buf)
{
	struct lodge_stat st;
	int err = lodge_stat(host, path, -1, 1, &st);

	if (!err && buf)
		fill(buf, &st);
	return err;
}

int os_stat_fd(const int fd, struct uml_stat *buf)
{
	struct lodge_stat st;
	int err = lodge_stat(host, NULL, fd, 1, &st);

	if (!err && buf)
		fill(buf, &st);
	return err;
}

int os_access(const char *path, int mode)
{
	return lodge_access(host, path, mode);
}

int os_file_size(const char *path, unsigned long long *size)
{
	struct lodge_stat st;
	int err = lodge_stat(host, path, -1, 1, &st);

	if (!err)
		*size = st.size;
	return err;
}

int os_file_modtime(const char *path, long long *time)
{
	struct lodge_stat st;
	int err = lodge_stat(host, path, -1, 1, &st);

	if (!err)
		*time = st.mtime;
	return err;
}

int os_set_exec_close(int fd)
{
	return 0;
}

int os_set_fd_block(int fd, int blocking)
{
	return lodge_set_blocking(host, fd, blocking);
}

unsigned os_major(unsigned long long dev)
{
	return dev >> 20;
}

unsigned os_minor(unsigned long long dev)
{
	return dev & 0xfffff;
}

unsigned long long os_makedev(unsigned major, unsigned minor)
{
	return (unsigned long long)major << 20 | minor;
}
