// SPDX-License-Identifier: GPL-2.0
/* The half of hostfs that asks the host. */
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <os.h>

#include "../../fs/hostfs/hostfs.h"
#include "host.h"

/* In a user namespace the files of the host's root are nobody's. */
#define HOSTFS_NOBODY	65534

int hostfs_nobody_is_root;

static unsigned int owner(unsigned int id)
{
	return hostfs_nobody_is_root && id == HOSTFS_NOBODY ? 0 : id;
}

static struct hostfs_timespec timespec(long long sec, unsigned int nsec)
{
	return (struct hostfs_timespec){ .tv_sec = sec, .tv_nsec = nsec };
}

int stat_file(const char *path, struct hostfs_stat *p, int fd)
{
	struct lodge_stat st;
	int err = lodge_stat(host, path, fd, 0, &st);

	if (err)
		return err;
	*p = (struct hostfs_stat){
		.ino = st.ino, .mode = st.mode, .nlink = st.nlink, .uid = owner(st.uid),
		.gid = owner(st.gid),
		.size = st.size, .blksize = st.block_size, .blocks = st.blocks,
		.atime = timespec(st.atime, st.atime_ns), .mtime = timespec(st.mtime, st.mtime_ns),
		.ctime = timespec(st.ctime, st.ctime_ns), .btime = timespec(st.btime, st.btime_ns),
		.rdev = { st.major, st.minor }, .dev = { st.dev_major, st.dev_minor },
	};
	return 0;
}

int access_file(char *path, int r, int w, int x)
{
	return lodge_access(host, path, (r ? OS_ACC_R_OK : 0) | (w ? OS_ACC_W_OK : 0) |
					(x ? OS_ACC_X_OK : 0));
}

int open_file(char *path, int r, int w, int append)
{
	return lodge_open(host, path, (r ? LODGE_O_READ : 0) | (w ? LODGE_O_WRITE : 0) |
				      (append ? LODGE_O_APPEND : 0), 0);
}

void close_file(void *stream)
{
	lodge_close(host, *(int *)stream);
}

int replace_file(int oldfd, int fd)
{
	return lodge_replace(host, oldfd, fd);
}

int read_file(int fd, unsigned long long *offset, char *buffer, int length)
{
	int n = lodge_read(host, fd, buffer, length, *offset);

	if (n > 0)
		*offset += n;
	return n;
}

int write_file(int fd, unsigned long long *offset, const char *buffer, int length)
{
	int n = lodge_write(host, fd, buffer, length, *offset);

	if (n > 0)
		*offset += n;
	return n;
}

int fsync_file(int fd, int data_only)
{
	return lodge_sync(host, fd, data_only);
}

/* ---- directories ---- */

/* Entries that have been read; those before @used have been asked for. */
struct stream {
	int fd;
	unsigned long long offset;
	unsigned int used, length;
	char entries[2048];
};

void *open_dir(char *path, int *err)
{
	struct stream *stream = kzalloc(sizeof(*stream), GFP_KERNEL);

	*err = ENOMEM;
	if (!stream)
		return NULL;
	stream->fd = lodge_open(host, path, LODGE_O_READ, 0);
	if (stream->fd < 0) {
		*err = -stream->fd;
		kfree(stream);
		return NULL;
	}
	return stream;
}

void close_dir(void *data)
{
	struct stream *stream = data;

	lodge_close(host, stream->fd);
	kfree(stream);
}

void seek_dir(void *data, unsigned long long offset)
{
	struct stream *stream = data;

	stream->offset = offset;
	stream->used = stream->length;
}

static bool fill(struct stream *stream)
{
	long n = lodge_read_directory(host, stream->fd, stream->offset, stream->entries,
				      sizeof(stream->entries));

	stream->used = 0;
	stream->length = max(n, 0L);
	return n > 0;
}

char *read_dir(void *data, unsigned long long *offset, unsigned long long *ino, int *length,
	       unsigned int *type)
{
	struct stream *stream = data;
	struct lodge_entry *entry;

	if (stream->used >= stream->length && !fill(stream))
		return NULL;
	entry = (struct lodge_entry *)(stream->entries + stream->used);
	stream->used += LODGE_ENTRY_SIZE(entry->length);
	stream->offset = entry->next;
	*offset = entry->next;
	*ino = entry->ino;
	*length = entry->length;
	*type = entry->type;
	return entry->name;
}

/* ---- changes ---- */

int set_attr(const char *path, struct hostfs_iattr *attrs, int fd)
{
	struct lodge_attributes new = {
		.set = (attrs->ia_valid & HOSTFS_ATTR_MODE ? LODGE_SET_MODE : 0) |
		       (attrs->ia_valid & HOSTFS_ATTR_UID ? LODGE_SET_UID : 0) |
		       (attrs->ia_valid & HOSTFS_ATTR_GID ? LODGE_SET_GID : 0) |
		       (attrs->ia_valid & HOSTFS_ATTR_SIZE ? LODGE_SET_SIZE : 0) |
		       (attrs->ia_valid & HOSTFS_ATTR_ATIME_SET ? LODGE_SET_ATIME : 0) |
		       (attrs->ia_valid & HOSTFS_ATTR_MTIME_SET ? LODGE_SET_MTIME : 0),
		.mode = attrs->ia_mode, .uid = attrs->ia_uid, .gid = attrs->ia_gid,
		.size = attrs->ia_size,
		.atime = attrs->ia_atime.tv_sec, .atime_ns = attrs->ia_atime.tv_nsec,
		.mtime = attrs->ia_mtime.tv_sec, .mtime_ns = attrs->ia_mtime.tv_nsec,
	};
	struct hostfs_stat st;
	long err = lodge_set_attributes(host, path, fd, &new);

	if (!err && attrs->ia_valid & (HOSTFS_ATTR_ATIME | HOSTFS_ATTR_MTIME)) {
		err = stat_file(path, &st, fd);
		if (!err) {
			attrs->ia_atime = st.atime;
			attrs->ia_mtime = st.mtime;
		}
	}
	return err;
}

int make_symlink(const char *path, const char *target)
{
	return lodge_make_link(host, path, target);
}

int unlink_file(const char *path)
{
	return lodge_remove(host, path, 0);
}

int do_mkdir(const char *path, int mode)
{
	return lodge_make_directory(host, path, mode);
}

int hostfs_do_rmdir(const char *path)
{
	return lodge_remove(host, path, 1);
}

int do_mknod(const char *path, int mode, unsigned int major, unsigned int minor)
{
	return lodge_make_node(host, path, mode, major, minor);
}

int link_file(const char *old, const char *path)
{
	return lodge_add_name(host, path, old);
}

int rename_file(char *from, char *to)
{
	return lodge_rename(host, from, to, 0);
}

int rename2_file(char *from, char *to, unsigned int flags)
{
	return lodge_rename(host, from, to, flags);
}

int file_create(char *name, int mode)
{
	return lodge_open(host, name, LODGE_O_READ | LODGE_O_WRITE | LODGE_O_CREATE, mode);
}

/* ---- and the rest ---- */

int hostfs_do_readlink(char *path, char *buffer, int size)
{
	long n = lodge_read_link(host, path, buffer, size);

	if (n >= 0 && n < size)
		buffer[n] = '\0';
	return n;
}

int do_statfs(char *root, long *bsize, long long *blocks, long long *bfree, long long *bavail,
	      long long *files, long long *ffree, void *fsid, int fsid_size, long *namelen)
{
	struct lodge_statfs st;
	int err = lodge_statfs(host, root, &st);

	if (err)
		return err;
	*bsize = st.block_size;
	*blocks = st.blocks;
	*bfree = st.free;
	*bavail = st.available;
	*files = st.files;
	*ffree = st.files_free;
	memset(fsid, 0, fsid_size);
	*namelen = st.name_length;
	return 0;
}
