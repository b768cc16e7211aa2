// SPDX-License-Identifier: GPL-2.0
/* The control tree's directories; see control-fs.h. */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/fsnotify.h>
#include <linux/module.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <linux/statfs.h>
#include <linux/sysfs.h>

#include "kmod/compat/fs.h"
#include "kmod/control-fs.h"
#include "lodge/lodge.h"

static struct file_system_type control_fs_type;
static struct workqueue_struct *removals;

struct inode *control_inode_new(struct super_block *sb, umode_t mode, struct guest *guest)
{
	struct inode *inode = new_inode(sb);

	if (!inode)
		return NULL;
	inode->i_ino = get_next_ino();
	inode->i_mode = mode;
	inode->i_uid = current_fsuid();
	inode->i_gid = current_fsgid();
	compat_inode_made(inode);
	if (guest)
		guest_get(guest);
	inode->i_private = guest;
	return inode;
}

static void control_evict_inode(struct inode *inode)
{
	struct guest *guest = inode->i_private;

	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	if (guest)
		guest_put(guest);
}

/* ---- mkdir ---- */

/* The user to whom the whole tree was given makes guests as the administrator does. */
static bool may_make_guests(struct inode *root)
{
	if (!uid_eq(root->i_uid, GLOBAL_ROOT_UID) && uid_eq(root->i_uid, current_fsuid()))
		return true;
	return capable(CAP_SYS_ADMIN);
}

static void drop_files(struct control_dir *dir, struct inode **inodes)
{
	for (; dir->nr_files; dir->nr_files--) {
		iput(inodes[dir->nr_files - 1]);
		dput(dir->files[dir->nr_files - 1]);
	}
}

static int make_files(struct control_dir *dir, const struct guest_file *table,
		      struct inode **inodes)
{
	const struct guest_file *row;
	struct dentry *dentry;

	for_each_guest_file(row, table) {
		if (WARN_ON_ONCE(dir->nr_files == CONTROL_FILES_MAX))
			return -ENOSPC;
		dentry = control_file_new(dir->dentry, row, dir->guest, &inodes[dir->nr_files]);
		if (!dentry)
			return -ENOMEM;
		dir->files[dir->nr_files++] = dentry;
	}
	return 0;
}

static const struct inode_operations guest_dir_inode_ops = {
	.lookup = simple_lookup,
};

/* Make a guest's directory visible, with all its files or not at all. */
static int make_dir(struct inode *root, struct control_dir *dir, umode_t mode)
{
	const struct guest_subsystem *const *subsystems = dir->guest->kind->subsystems;
	struct inode *inodes[CONTROL_FILES_MAX];
	struct dentry *dentry = dir->dentry;
	struct inode *inode;
	unsigned int n;
	int err;

	err = make_files(dir, guest_core_files, inodes);
	for (n = 0; !err && subsystems[n]; n++)
		err = make_files(dir, subsystems[n]->files, inodes);
	inode = err ? NULL : control_inode_new(dentry->d_sb, S_IFDIR | (mode & 0755), dir->guest);
	if (!inode) {
		drop_files(dir, inodes);
		return -ENOMEM;
	}
	inode->i_op = &guest_dir_inode_ops;
	inode->i_fop = &simple_dir_operations;
	inc_nlink(inode);

	/* Nobody looks inside before all is there. */
	inode_lock_nested(inode, I_MUTEX_CHILD);
	d_instantiate(dentry, inode);
	dget(dentry);
	for (n = 0; n < dir->nr_files; n++)
		d_add(dir->files[n], inodes[n]);
	inode_unlock(inode);
	inc_nlink(root);
	compat_inode_changed(root);
	return 0;
}

static void remove_work(struct work_struct *work);

/* The root is locked. */
static int make_guest(struct inode *root, struct dentry *dentry, umode_t mode,
		      const struct guest_kind *kind)
{
	const char *name = dentry->d_name.name;
	struct control_dir *dir;
	struct guest *guest;
	int err;

	dir = kzalloc(sizeof(*dir), GFP_KERNEL);
	if (!dir)
		return -ENOMEM;
	err = guest_create(name, dentry->d_name.len, kind, &guest);
	if (err) {
		kfree(dir);
		return err;
	}
	dir->guest = guest;
	dir->dentry = dentry;
	init_waitqueue_head(&dir->pollers);
	INIT_WORK(&dir->remove, remove_work);
	WRITE_ONCE(guest->tree, dir);

	err = make_dir(root, dir, mode);
	if (err) {
		complain(&guest_root_error, err, name, "the host has no memory for its directory");
		/* Nobody has seen it yet: there is nothing to retire from. */
		guest_destroy(guest);
		return err;
	}
	/* Its own hold on the tree: somebody has it mounted, so this is not the first. */
	atomic_inc(&dentry->d_sb->s_active);
	return 0;
}

static int control_mkdir(struct compat_idmap *idmap, struct inode *root, struct dentry *dentry,
			 umode_t mode)
{
	if (!may_make_guests(root))
		return complain(&guest_root_error, -EPERM, dentry->d_name.name,
				"making a guest takes CAP_SYS_ADMIN, or being given this directory");
	return make_guest(root, dentry, mode, &confined_kind);
}

void guest_host_free(struct guest *guest)
{
	kfree(guest->tree);
}

/* What mkdir(2) does around control_mkdir(). */
static int make_in(struct dentry *root, const char *name, const struct guest_kind *kind,
		   struct guest **guest)
{
	struct inode *inode = d_inode(root);
	struct dentry *dentry;
	int err;

	inode_lock_nested(inode, I_MUTEX_PARENT);
	dentry = lookup_one_len(name, root, strlen(name));
	err = PTR_ERR_OR_ZERO(dentry);
	if (err)
		goto out;
	if (d_really_is_positive(dentry))
		err = complain(&guest_root_error, -EEXIST, name, "there is one of this name");
	else
		err = make_guest(inode, dentry, 0755, kind);
	if (!err) {
		*guest = d_inode(dentry)->i_private;
		guest_get(*guest);
		fsnotify_mkdir(inode, dentry);
	}
	dput(dentry);
out:
	inode_unlock(inode);
	return err;
}

int control_make(const char *name, const struct guest_kind *kind, struct guest **guest)
{
	const char *reason = guest_name_error(name, strlen(name));
	struct vfsmount *mount = NULL;
	int count = 0, err;

	if (reason)
		return complain(&guest_root_error, -EINVAL, name, "%s", reason);
	/* The tree need not be mounted anywhere, and from now on it is the guest that holds it. */
	err = simple_pin_fs(&control_fs_type, &mount, &count);
	if (err)
		return err;
	err = make_in(mount->mnt_root, name, kind, guest);
	simple_release_fs(&mount, &count);
	return err;
}

/* ---- rmdir ---- */

/* Take a removed guest's directory apart; the root and the directory are locked. */
static void remove_files(struct inode *root, struct control_dir *dir)
{
	struct inode *inode = d_inode(dir->dentry);
	unsigned int n;

	for (n = 0; n < dir->nr_files; n++) {
		/* Something may be mounted on it. */
		d_invalidate(dir->files[n]);
		clear_nlink(d_inode(dir->files[n]));
		dput(dir->files[n]);
	}
	clear_nlink(inode);
	drop_nlink(root);
	compat_inode_changed(inode);
	compat_inode_changed(root);
}

static int control_rmdir(struct inode *root, struct dentry *dentry)
{
	struct guest *guest = d_inode(dentry)->i_private;
	int err = guest_retire(guest, RETIRE_ALWAYS);

	if (err == -EBUSY)
		return complain(&guest_root_error, err, guest->name, "it has processes");
	if (err == -EINPROGRESS)
		return complain(&guest_root_error, -EBUSY, guest->name,
				"one of its files is being written");
	if (err)
		return -ENOENT;
	/* The pool is back with the host before the name is free. */
	guest_destroy(guest);
	remove_files(root, guest->tree);
	dput(dentry);
	deactivate_super(root->i_sb);
	return 0;
}

/* What rmdir(2) does around control_rmdir(), for a guest that nobody can use any more. */
static void remove_dir(struct control_dir *dir)
{
	struct dentry *dentry = dir->dentry;
	struct super_block *sb = dentry->d_sb;
	struct inode *root = d_inode(sb->s_root);
	struct inode *inode = d_inode(dentry);

	inode_lock_nested(root, I_MUTEX_PARENT);
	inode_lock(inode);
	remove_files(root, dir);
	inode->i_flags |= S_DEAD;
	dont_mount(dentry);
	inode_unlock(inode);
	d_invalidate(dentry);
	fsnotify_rmdir(root, dentry);
	dput(dentry);
	inode_unlock(root);
	deactivate_super(sb);
}

static void remove_work(struct work_struct *work)
{
	struct control_dir *dir = container_of(work, struct control_dir, remove);
	struct guest *guest = dir->guest;
	int err;

	do
		err = guest_retire(guest, RETIRE_IF_AUTOREMOVE);
	while (err == -EINPROGRESS);
	if (!err) {
		guest_destroy(guest);
		remove_dir(dir);
	}
	guest_put(guest);
}

void guest_host_remove(struct guest *guest)
{
	struct control_dir *dir = guest->tree;

	guest_get(guest);
	if (!queue_work(removals, &dir->remove))
		guest_put(guest);
}

void control_leave(struct guest *guest)
{
	struct control_dir *dir = guest->tree;

	guest_idle(guest);
	flush_work(&dir->remove);
	guest_put(guest);
}

static const struct inode_operations root_inode_ops = {
	.lookup = simple_lookup,
	.mkdir = control_mkdir,
	.rmdir = control_rmdir,
};

/* ---- the superblock ---- */

static const struct super_operations control_super_ops = {
	.statfs = simple_statfs,
	.drop_inode = generic_delete_inode,
	.evict_inode = control_evict_inode,
};

static int control_fill_super(struct super_block *sb, struct fs_context *fc)
{
	const struct guest_file *row;
	struct dentry *dentry;
	struct inode *inode;

	sb->s_maxbytes = MAX_LFS_FILESIZE;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_blocksize_bits = PAGE_SHIFT;
	sb->s_magic = LODGE_MAGIC;
	sb->s_op = &control_super_ops;
	sb->s_iflags |= SB_I_NOEXEC | SB_I_NODEV;
	sb->s_time_gran = 1;

	inode = control_inode_new(sb, S_IFDIR | 0755, NULL);
	if (!inode)
		return -ENOMEM;
	/* Whoever mounts it first does not thereby own it. */
	inode->i_uid = GLOBAL_ROOT_UID;
	inode->i_gid = GLOBAL_ROOT_GID;
	inode->i_op = &root_inode_ops;
	inode->i_fop = &simple_dir_operations;
	inc_nlink(inode);
	sb->s_root = d_make_root(inode);
	if (!sb->s_root)
		return -ENOMEM;

	for_each_guest_file(row, control_root_files) {
		dentry = control_file_new(sb->s_root, row, NULL, &inode);
		if (!dentry)
			return -ENOMEM;
		inode->i_uid = GLOBAL_ROOT_UID;
		inode->i_gid = GLOBAL_ROOT_GID;
		d_add(dentry, inode);
	}
	return 0;
}

static int control_get_tree(struct fs_context *fc)
{
	/* Read-only is a matter of the mount: others share the superblock. */
	fc->sb_flags &= ~SB_RDONLY;
	return get_tree_single(fc, control_fill_super);
}

static const struct fs_context_operations control_context_ops = {
	.get_tree = control_get_tree,
};

static int control_init_fs_context(struct fs_context *fc)
{
	fc->ops = &control_context_ops;
	return 0;
}

static struct file_system_type control_fs_type = {
	.owner = THIS_MODULE,
	.name = LODGE_FS_TYPE,
	.init_fs_context = control_init_fs_context,
	.kill_sb = kill_litter_super,
};
MODULE_ALIAS_FS(LODGE_FS_TYPE);

int control_fs_init(void)
{
	int err;

	removals = alloc_workqueue("lodge", WQ_UNBOUND, 0);
	if (!removals)
		return -ENOMEM;
	err = sysfs_create_mount_point(fs_kobj, LODGE_FS_TYPE);
	if (err)
		goto err_workqueue;
	err = register_filesystem(&control_fs_type);
	if (err)
		goto err_mount_point;
	return 0;

err_mount_point:
	sysfs_remove_mount_point(fs_kobj, LODGE_FS_TYPE);
err_workqueue:
	destroy_workqueue(removals);
	return err;
}

void control_fs_exit(void)
{
	unregister_filesystem(&control_fs_type);
	sysfs_remove_mount_point(fs_kobj, LODGE_FS_TYPE);
	/* A removal may have let go of the module, but not returned yet. */
	destroy_workqueue(removals);
}
