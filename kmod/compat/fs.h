/* SPDX-License-Identifier: GPL-2.0 */
/* File system interfaces that differ between the kernels we serve. */
#ifndef LODGE_COMPAT_FS_H
#define LODGE_COMPAT_FS_H

#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/version.h>

/* What inode operations get first: struct compat_idmap * in all of them. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define compat_idmap user_namespace
#else
#define compat_idmap mnt_idmap
#endif

/* Who is who on a mounted file system. */
static inline struct compat_idmap *compat_mnt_idmap(const struct path *path)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
	return mnt_user_ns(path->mnt);
#else
	return mnt_idmap(path->mnt);
#endif
}

/* What the running thread may do with a file. */
static inline int compat_path_permission(const struct path *path, int mask)
{
	return inode_permission(compat_mnt_idmap(path), d_inode(path->dentry), mask);
}

/* What vfs_rename() gets; both directories are on one mounted file system. */
static inline struct renamedata compat_renamedata(const struct path *old_dir, struct dentry *old,
						  const struct path *new_dir, struct dentry *new,
						  unsigned int flags)
{
	return (struct renamedata){
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
		.old_mnt_userns = compat_mnt_idmap(old_dir),
		.new_mnt_userns = compat_mnt_idmap(new_dir),
#else
		.old_mnt_idmap = compat_mnt_idmap(old_dir),
		.new_mnt_idmap = compat_mnt_idmap(new_dir),
#endif
		.old_dir = d_inode(old_dir->dentry), .old_dentry = old,
		.new_dir = d_inode(new_dir->dentry), .new_dentry = new, .flags = flags,
	};
}

/* An inode was made now. */
static inline void compat_inode_made(struct inode *inode)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
	inode->i_ctime = current_time(inode);
	inode->i_atime = inode->i_ctime;
	inode->i_mtime = inode->i_ctime;
#else
	simple_inode_init_ts(inode);
#endif
}

/* A directory's content has changed now. */
static inline void compat_inode_changed(struct inode *inode)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
	inode->i_ctime = current_time(inode);
	inode->i_mtime = inode->i_ctime;
#else
	inode_set_mtime_to_ts(inode, inode_set_ctime_current(inode));
#endif
}

#endif /* LODGE_COMPAT_FS_H */
