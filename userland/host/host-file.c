// SPDX-License-Identifier: GPL-2.0
/* host.h in user space: files, with errors on demand. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "userland/host/host-user.h"

struct host_file {
	int fd;
	dev_t dev;
	ino_t ino;
	struct host_file_faults faults;
};

struct host_file *host_file_open(const char *path)
{
	struct host_file *file;
	struct stat st;
	int err;

	host_may_sleep();
	if (stat(path, &st))
		return ERR_PTR(-errno);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return ERR_PTR(-EINVAL);
	file = kzalloc(sizeof(*file), GFP_KERNEL);
	if (!file)
		return ERR_PTR(-ENOMEM);
	file->fd = open(path, O_RDWR | O_CLOEXEC);
	if (file->fd < 0) {
		err = -errno;
		kfree(file);
		return ERR_PTR(err);
	}
	file->dev = st.st_dev;
	file->ino = st.st_ino;
	return file;
}

u64 host_file_size(struct host_file *file)
{
	off_t size = lseek(file->fd, 0, SEEK_END);

	return size < 0 ? 0 : size;
}

int host_file_reserve(struct host_file *file, u64 size)
{
	return fallocate(file->fd, 0, 0, size) ? -errno : 0;
}

static bool faulty(const struct host_file_faults *faults, u64 pos, u64 bytes)
{
	return pos < faults->to && pos + bytes > faults->from;
}

static int transfer(struct host_file *file, void *const *pages, unsigned int n, u64 pos, bool write)
{
	unsigned int i;

	host_may_sleep();
	for (i = 0; i < n; i++, pos += PAGE_SIZE) {
		ssize_t done = write ? pwrite(file->fd, pages[i], PAGE_SIZE, pos)
				     : pread(file->fd, pages[i], PAGE_SIZE, pos);

		if (done < 0)
			return errno == ENOSPC ? -ENOSPC : -EIO;
		if (done != (ssize_t)PAGE_SIZE)
			return -EIO;
	}
	return 0;
}

int host_file_write(struct host_file *file, const void *const *pages, unsigned int n, u64 pos)
{
	atomic_long_inc(&file->faults.writes);
	if (file->faults.write_err && faulty(&file->faults, pos, n * PAGE_SIZE))
		return file->faults.write_err;
	return transfer(file, (void *const *)pages, n, pos, true);
}

int host_file_read(struct host_file *file, void *const *pages, unsigned int n, u64 pos)
{
	atomic_long_inc(&file->faults.reads);
	if (file->faults.read_err && faulty(&file->faults, pos, n * PAGE_SIZE))
		return file->faults.read_err;
	return transfer(file, pages, n, pos, false);
}

bool host_file_names(struct host_file *file, const char *path)
{
	struct stat st;

	return !stat(path, &st) && st.st_dev == file->dev && st.st_ino == file->ino;
}

void host_file_close(struct host_file *file)
{
	close(file->fd);
	kfree(file);
}

struct host_file_faults *host_file_faults(struct host_file *file)
{
	return &file->faults;
}
