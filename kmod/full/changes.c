// SPDX-License-Identifier: GPL-2.0
/*
 * Changes that a guest makes to directories of the host's that it was given: with the host thread's
 * own rights, below the root of its sandbox.
 */
#include <linux/cred.h>
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/namei.h>

#include "kmod/compat/fs.h"
#include "kmod/full/host-call.h"
#include "kmod/full/instance.h"

/* ---- new names ---- */

enum make { MAKE_DIRECTORY, MAKE_NODE, MAKE_LINK };

static int make(const char *name, enum make what, umode_t mode, dev_t dev, const char *target)
{
	struct path dir;
	struct dentry *new = kern_path_create(AT_FDCWD, name, &dir,
					      what == MAKE_DIRECTORY ? LOOKUP_DIRECTORY : 0);
	struct compat_idmap *idmap;
	struct inode *inode;
	int err;

	if (IS_ERR(new))
		return PTR_ERR(new);
	idmap = compat_mnt_idmap(&dir);
	inode = d_inode(dir.dentry);
	switch (what) {
	case MAKE_DIRECTORY:
		err = vfs_mkdir(idmap, inode, new, mode);
		break;
	case MAKE_NODE:
		err = vfs_mknod(idmap, inode, new, mode, dev);
		break;
	default:
		err = vfs_symlink(idmap, inode, new, target);
	}
	done_path_create(&dir, new);
	return err;
}

/** host_make_directory - see lodge-host.h */
long host_make_directory(struct lodge_instance *inst, const char *name, int mode)
{
	return make(name, MAKE_DIRECTORY, mode & 01777, 0, NULL);
}
EXPORT_SYMBOL_GPL(lodge_make_directory);

/** host_make_node - see lodge-host.h */
long host_make_node(struct lodge_instance *inst, const char *name, int mode, unsigned int major,
		    unsigned int minor)
{
	if (!S_ISREG(mode) && !S_ISCHR(mode) && !S_ISBLK(mode) && !S_ISFIFO(mode) &&
	    !S_ISSOCK(mode))
		return -EINVAL;
	return make(name, MAKE_NODE, mode, MKDEV(major, minor), NULL);
}
EXPORT_SYMBOL_GPL(lodge_make_node);

/** host_make_link - see lodge-host.h */
long host_make_link(struct lodge_instance *inst, const char *name, const char *target)
{
	return make(name, MAKE_LINK, 0, 0, target);
}
EXPORT_SYMBOL_GPL(lodge_make_link);

/** host_add_name - see lodge-host.h */
long host_add_name(struct lodge_instance *inst, const char *name, const char *old)
{
	struct path dir, path;
	struct dentry *new;
	int err;

	err = kern_path(old, 0, &path);
	if (err)
		return err;
	new = kern_path_create(AT_FDCWD, name, &dir, 0);
	err = PTR_ERR_OR_ZERO(new);
	if (!err) {
		err = -EXDEV;
		if (dir.mnt == path.mnt)
			err = vfs_link(path.dentry, compat_mnt_idmap(&dir), d_inode(dir.dentry),
				       new, NULL);
		done_path_create(&dir, new);
	}
	path_put(&path);
	return err;
}
EXPORT_SYMBOL_GPL(lodge_add_name);

/* ---- names that go ---- */

/* A name that was found, and the directory that it is in, which may be written to. */
struct found {
	struct path path, dir;
};

static int find(const char *name, struct found *found)
{
	int err = kern_path(name, 0, &found->path);

	if (err)
		return err;
	/* Where something is mounted, as a share is, its directory is not the guest's. */
	err = found->path.dentry == found->path.mnt->mnt_root ? -EBUSY :
	      mnt_want_write(found->path.mnt);
	if (err) {
		path_put(&found->path);
		return err;
	}
	found->dir = (struct path){
		.mnt = found->path.mnt, .dentry = dget_parent(found->path.dentry),
	};
	return 0;
}

static void let_go(struct found *found)
{
	mnt_drop_write(found->path.mnt);
	dput(found->dir.dentry);
	path_put(&found->path);
}

/* With the directory locked: it may have gone, or moved, since it was found. */
static bool is_there(const struct found *found)
{
	return found->path.dentry->d_parent == found->dir.dentry &&
	       !d_unhashed(found->path.dentry) && d_is_positive(found->path.dentry);
}

/** host_remove - see lodge-host.h */
long host_remove(struct lodge_instance *inst, const char *name, int is_directory)
{
	struct compat_idmap *idmap;
	struct found found;
	struct inode *dir;
	int err = find(name, &found);

	if (err)
		return err;
	idmap = compat_mnt_idmap(&found.path);
	dir = d_inode(found.dir.dentry);
	inode_lock_nested(dir, I_MUTEX_PARENT);
	if (!is_there(&found))
		err = -ENOENT;
	else if (is_directory)
		err = vfs_rmdir(idmap, dir, found.path.dentry);
	else
		err = vfs_unlink(idmap, dir, found.path.dentry, NULL);
	inode_unlock(dir);
	let_go(&found);
	return err;
}
EXPORT_SYMBOL_GPL(lodge_remove);

/* With both directories locked. @trap: of lock_rename(). */
static int rename_to(struct found *old, const struct path *dir, const char *name,
		     struct dentry *trap, unsigned int flags)
{
	struct dentry *new = lookup_one_len(name, dir->dentry, strlen(name));
	struct renamedata rename;
	int err = 0;

	if (IS_ERR(new))
		return PTR_ERR(new);
	if (!is_there(old))
		err = -ENOENT;
	else if (flags & RENAME_NOREPLACE && d_is_positive(new))
		err = -EEXIST;
	else if (flags & RENAME_EXCHANGE && d_is_negative(new))
		err = -ENOENT;
	else if (old->path.dentry == trap)
		err = -EINVAL;
	else if (new == trap)
		err = flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
	if (!err) {
		rename = compat_renamedata(&old->dir, old->path.dentry, dir, new, flags);
		err = vfs_rename(&rename);
	}
	dput(new);
	return err;
}

/* Return: the last part of a name; @dir: filled in with the directory that it is in. */
static const char *directory_of(const char *name, struct path *dir, int *err)
{
	const char *last = strrchr(name, '/');
	char *text;

	if (!last || !last[1]) {
		*err = -EINVAL;
		return NULL;
	}
	text = kstrndup(name, max_t(size_t, last - name, 1), GFP_KERNEL_ACCOUNT);
	*err = text ? kern_path(text, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, dir) : -ENOMEM;
	kfree(text);
	return last + 1;
}

/** host_rename - see lodge-host.h */
long host_rename(struct lodge_instance *inst, const char *old, const char *new,
		 unsigned int flags)
{
	struct dentry *trap;
	struct found found;
	struct path dir;
	const char *last;
	int err;

	last = directory_of(new, &dir, &err);
	if (err)
		return err;
	err = find(old, &found);
	if (err)
		goto out;
	err = -EXDEV;
	if (found.path.mnt != dir.mnt)
		goto out_found;
	trap = lock_rename(found.dir.dentry, dir.dentry);
	err = PTR_ERR_OR_ZERO(trap);
	if (!err) {
		err = rename_to(&found, &dir, last, trap, flags);
		unlock_rename(found.dir.dentry, dir.dentry);
	}
out_found:
	let_go(&found);
out:
	path_put(&dir);
	return err;
}
EXPORT_SYMBOL_GPL(lodge_rename);

/* ---- attributes ---- */

/* Return: false if the host thread has no name for such an owner. */
static bool take_owner(struct iattr *attr, const struct lodge_attributes *new, umode_t mode)
{
	kuid_t uid = make_kuid(current_user_ns(), new->uid);
	kgid_t gid = make_kgid(current_user_ns(), new->gid);

	if (new->set & LODGE_SET_UID) {
		if (!uid_valid(uid))
			return false;
		attr->ia_valid |= ATTR_UID;
		attr->ia_vfsuid = VFSUIDT_INIT(uid);
	}
	if (new->set & LODGE_SET_GID) {
		if (!gid_valid(gid))
			return false;
		attr->ia_valid |= ATTR_GID;
		attr->ia_vfsgid = VFSGIDT_INIT(gid);
	}
	if (!S_ISDIR(mode))
		attr->ia_valid |= ATTR_KILL_SUID | ATTR_KILL_SGID | ATTR_KILL_PRIV;
	return true;
}

static int change(const struct path *path, struct iattr *attr)
{
	int err = mnt_want_write(path->mnt);

	if (err)
		return err;
	inode_lock(d_inode(path->dentry));
	err = notify_change(compat_mnt_idmap(path), path->dentry, attr, NULL);
	inode_unlock(d_inode(path->dentry));
	mnt_drop_write(path->mnt);
	return err;
}

static int set_attributes(const struct path *path, const struct lodge_attributes *new)
{
	umode_t mode = d_inode(path->dentry)->i_mode;
	struct iattr attr = { .ia_valid = ATTR_CTIME };
	int err = 0;

	if (new->set & (LODGE_SET_UID | LODGE_SET_GID)) {
		if (!take_owner(&attr, new, mode))
			return -EINVAL;
		err = change(path, &attr);
	}
	/* After the owner, who takes bits of it away. */
	if (!err && new->set & LODGE_SET_MODE) {
		attr = (struct iattr){
			.ia_valid = ATTR_CTIME | ATTR_MODE,
			.ia_mode = (new->mode & S_IALLUGO) | (mode & ~S_IALLUGO),
		};
		err = change(path, &attr);
	}
	if (!err && new->set & LODGE_SET_SIZE)
		err = vfs_truncate(path, new->size);
	if (!err && new->set & (LODGE_SET_ATIME | LODGE_SET_MTIME)) {
		attr = (struct iattr){
			.ia_valid = ATTR_CTIME |
				    (new->set & LODGE_SET_ATIME ? ATTR_ATIME | ATTR_ATIME_SET : 0) |
				    (new->set & LODGE_SET_MTIME ? ATTR_MTIME | ATTR_MTIME_SET : 0),
			.ia_atime = { .tv_sec = new->atime, .tv_nsec = new->atime_ns },
			.ia_mtime = { .tv_sec = new->mtime, .tv_nsec = new->mtime_ns },
		};
		err = change(path, &attr);
	}
	return err;
}

/** host_set_attributes - see lodge-host.h */
long host_set_attributes(struct lodge_instance *inst, const char *name, int fd,
			 const struct lodge_attributes *attributes)
{
	struct path path;
	int err = names_find(inst, name, fd, true, &path);

	if (err)
		return err;
	err = set_attributes(&path, attributes);
	path_put(&path);
	return err;
}
EXPORT_SYMBOL_GPL(lodge_set_attributes);
