// SPDX-License-Identifier: GPL-2.0
/*
 * Files of the host by name, as a guest looks at them. Paths are those of the host thread: its
 * root is that of its sandbox, which is what keeps a guest in there.
 */
#include <linux/export.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <linux/statfs.h>

#include "kmod/compat/fs.h"
#include "kmod/full/host-call.h"
#include "kmod/full/instance.h"

/**
 * names_find - find a file of the host's
 * @inst: the guest
 * @name: its name, if there is no descriptor
 * @fd: its descriptor, or -1
 * @follow: what a link there leads to
 * @path: filled in; path_put() it
 */
int names_find(struct lodge_instance *inst, const char *name, int fd, bool follow,
	       struct path *path)
{
	struct file *file;

	if (fd < 0)
		return kern_path(name, follow ? LOOKUP_FOLLOW : 0, path);
	file = files_get(inst, fd);
	if (!file)
		return -EBADF;
	*path = file->f_path;
	path_get(path);
	return 0;
}

static void fill(struct lodge_stat *st, const struct kstat *k)
{
	*st = (struct lodge_stat){
		.ino = k->ino, .size = k->size, .blocks = k->blocks, .mode = k->mode,
		.nlink = k->nlink, .block_size = k->blksize,
		.uid = from_kuid_munged(current_user_ns(), k->uid),
		.gid = from_kgid_munged(current_user_ns(), k->gid),
		.major = MAJOR(k->rdev), .minor = MINOR(k->rdev),
		.dev_major = MAJOR(k->dev), .dev_minor = MINOR(k->dev),
		.atime = k->atime.tv_sec, .atime_ns = k->atime.tv_nsec,
		.mtime = k->mtime.tv_sec, .mtime_ns = k->mtime.tv_nsec,
		.ctime = k->ctime.tv_sec, .ctime_ns = k->ctime.tv_nsec,
	};
	if (k->result_mask & STATX_BTIME) {
		st->btime = k->btime.tv_sec;
		st->btime_ns = k->btime.tv_nsec;
	}
}

/** host_stat - see lodge-host.h */
long host_stat(struct lodge_instance *inst, const char *name, int fd, int follow,
	       struct lodge_stat *st)
{
	struct kstat stat;
	struct path path;
	int err;

	err = names_find(inst, name, fd, follow, &path);
	if (err)
		return err;
	err = vfs_getattr(&path, &stat, STATX_BASIC_STATS | STATX_BTIME, AT_STATX_SYNC_AS_STAT);
	path_put(&path);
	if (!err)
		fill(st, &stat);
	return err;
}
EXPORT_SYMBOL_GPL(lodge_stat);

/** host_access - see lodge-host.h */
long host_access(struct lodge_instance *inst, const char *name, int mode)
{
	struct path path;
	int err;

	err = kern_path(name, LOOKUP_FOLLOW, &path);
	if (err)
		return err;
	if (mode & MAY_WRITE && __mnt_is_readonly(path.mnt))
		err = -EROFS;
	else
		err = compat_path_permission(&path, mode & (MAY_READ | MAY_WRITE | MAY_EXEC));
	path_put(&path);
	return err;
}
EXPORT_SYMBOL_GPL(lodge_access);

/** host_read_link - see lodge-host.h */
long host_read_link(struct lodge_instance *inst, const char *name, char *buffer, int size)
{
	DEFINE_DELAYED_CALL(done);
	const char *target;
	struct path path;
	long n;

	if (memory_touch(inst, buffer, size))
		return -ENOMEM;
	n = kern_path(name, 0, &path);
	if (n)
		return n;
	target = d_is_symlink(path.dentry) ? vfs_get_link(path.dentry, &done) : ERR_PTR(-EINVAL);
	if (IS_ERR(target)) {
		n = PTR_ERR(target);
	} else {
		n = min_t(size_t, strlen(target), size);
		memcpy(buffer, target, n);
	}
	do_delayed_call(&done);
	path_put(&path);
	return n;
}
EXPORT_SYMBOL_GPL(lodge_read_link);

/** host_statfs - see lodge-host.h */
long host_statfs(struct lodge_instance *inst, const char *name, struct lodge_statfs *st)
{
	struct kstatfs stat;
	struct path path;
	int err;

	err = kern_path(name, LOOKUP_FOLLOW, &path);
	if (err)
		return err;
	err = vfs_statfs(&path, &stat);
	path_put(&path);
	if (err)
		return err;
	*st = (struct lodge_statfs){
		.block_size = stat.f_bsize, .name_length = stat.f_namelen,
		.blocks = stat.f_blocks, .free = stat.f_bfree, .available = stat.f_bavail,
		.files = stat.f_files, .files_free = stat.f_ffree,
	};
	return 0;
}
EXPORT_SYMBOL_GPL(lodge_statfs);

/** host_sync - see lodge-host.h */
long host_sync(struct lodge_instance *inst, int fd, int data_only)
{
	struct file *file = files_get(inst, fd);

	return file ? vfs_fsync(file, data_only) : -EBADF;
}
EXPORT_SYMBOL_GPL(lodge_sync);

/* ---- directories ---- */

/* @last: the entry whose end is not known before the next one comes; or NULL */
struct reader {
	struct dir_context ctx;
	char *buffer;
	size_t used, size;
	struct lodge_entry *last;
};

static bool take(struct dir_context *ctx, const char *name, int length, loff_t offset, u64 ino,
		 unsigned int type)
{
	struct reader *r = container_of(ctx, struct reader, ctx);
	struct lodge_entry *entry = (void *)(r->buffer + r->used);

	if (r->last)
		r->last->next = offset;
	if (LODGE_ENTRY_SIZE(length) > r->size - r->used)
		return false;
	entry->ino = ino;
	entry->type = type;
	entry->length = length;
	memcpy(entry->name, name, length);
	entry->name[length] = '\0';
	r->last = entry;
	r->used += LODGE_ENTRY_SIZE(length);
	return true;
}

/** host_read_directory - see lodge-host.h */
long host_read_directory(struct lodge_instance *inst, int fd, unsigned long long offset,
			 void *buffer, unsigned long size)
{
	struct reader r = { .ctx.actor = take, .buffer = buffer, .size = size };
	struct file *file = files_get(inst, fd);
	loff_t pos;
	int err;

	if (!file)
		return -EBADF;
	if (memory_touch(inst, buffer, size))
		return -ENOMEM;
	pos = vfs_llseek(file, offset, SEEK_SET);
	if (pos < 0)
		return pos;
	err = iterate_dir(file, &r.ctx);
	if (err)
		return err;
	if (r.last)
		r.last->next = r.ctx.pos;
	return r.used;
}
EXPORT_SYMBOL_GPL(lodge_read_directory);
