// SPDX-License-Identifier: GPL-2.0
/* Open files of the control tree: reading, writing, polling. */
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "kmod/compat/fs.h"
#include "kmod/control-fs.h"

/**
 * struct open_file - an open file
 * @lock: protects the rest
 * @text: its content when reading began
 * @seen: guest->events when it was read last, 0 before that
 */
struct open_file {
	struct mutex lock;
	struct text text;
	int seen;
};

static const struct guest_file *row_of(struct file *file)
{
	return file_dentry(file)->d_fsdata;
}

static struct guest *guest_of(struct file *file)
{
	return file_inode(file)->i_private;
}

static bool holds(struct file *file)
{
	return row_of(file)->holds && (file->f_mode & FMODE_WRITE);
}

static int control_open(struct inode *inode, struct file *file)
{
	const struct guest_file *row = row_of(file);
	struct open_file *open;

	/* Permission bits do not stop everybody. */
	if (((file->f_mode & FMODE_READ) && !row->show) ||
	    ((file->f_mode & FMODE_WRITE) && !row->store))
		return -EINVAL;
	open = kzalloc(sizeof(*open), GFP_KERNEL_ACCOUNT);
	if (!open)
		return -ENOMEM;
	mutex_init(&open->lock);
	file->private_data = open;
	if (holds(file))
		guest_hold(guest_of(file));
	return 0;
}

static int control_release(struct inode *inode, struct file *file)
{
	struct open_file *open = file->private_data;

	if (holds(file))
		guest_unhold(guest_of(file));
	text_free(&open->text);
	kfree(open);
	return 0;
}

/* Take the file's content as it is now. */
static int take_content(struct file *file, struct open_file *open)
{
	const struct guest_file *row = row_of(file);
	struct guest *guest = guest_of(file);
	int err;

	text_free(&open->text);
	if (guest) {
		WRITE_ONCE(open->seen, atomic_read(&guest->events));
		smp_mb(); /* a change while we read must wake again */
		err = guest_read(guest, row, &open->text);
	} else {
		err = row->show(NULL, &open->text) ? : open->text.err;
	}
	if (err)
		text_free(&open->text);
	return err;
}

static ssize_t control_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	struct open_file *open = file->private_data;
	ssize_t ret = 0;

	mutex_lock(&open->lock);
	if (!*pos || !open->text.data)
		ret = take_content(file, open);
	if (!ret)
		ret = simple_read_from_buffer(buf, len, pos, open->text.data, open->text.len);
	mutex_unlock(&open->lock);
	return ret;
}

static bool opener_is_admin(struct file *file)
{
	return file_ns_capable(file, &init_user_ns, CAP_SYS_ADMIN);
}

/*
 * What is written acts for the writer (it opens files, it binds him), but somebody
 * else may have chosen the file: a program with more rights can be made to write to a
 * descriptor that it inherited.
 */
static bool writer_is_opener(struct file *file)
{
	const struct cred *opener = file->f_cred;
	const struct cred *writer = current_cred();

	if (opener_is_admin(file))
		return true;
	return uid_eq(opener->fsuid, writer->fsuid) && opener->user_ns == writer->user_ns &&
	       cap_issubset(writer->cap_effective, opener->cap_effective);
}

static ssize_t control_write(struct file *file, const char __user *buf, size_t len, loff_t *pos)
{
	const struct guest_file *row = row_of(file);
	struct guest *guest = guest_of(file);
	size_t copied;
	char *value;
	int err;

	if (!writer_is_opener(file))
		return guest_error(guest, -EPERM, row->name, "", "somebody else opened the file");

	/* One byte too many is enough for guest_write() to refuse. */
	copied = min_t(size_t, len, GUEST_VALUE_MAX + 1);
	value = memdup_user_nul(buf, copied);
	if (IS_ERR(value))
		return PTR_ERR(value);
	err = guest_write(guest, row, value, copied, opener_is_admin(file));
	kfree(value);
	if (err)
		return err;
	*pos += len;
	return len;
}

static __poll_t control_poll(struct file *file, poll_table *wait)
{
	struct open_file *open = file->private_data;
	struct guest *guest = guest_of(file);
	__poll_t mask = DEFAULT_POLLMASK;
	struct control_dir *dir;

	if (!row_of(file)->polled)
		return mask;
	dir = guest->tree;
	poll_wait(file, &dir->pollers, wait);
	if (atomic_read(&guest->events) != READ_ONCE(open->seen))
		mask |= EPOLLERR | EPOLLPRI;
	return mask;
}

static const struct file_operations control_file_ops = {
	.owner = THIS_MODULE,
	.open = control_open,
	.release = control_release,
	.read = control_read,
	.write = control_write,
	.poll = control_poll,
	.llseek = generic_file_llseek,
};

/* Opening for writing truncates, which means nothing here. */
static int control_setattr(struct compat_idmap *idmap, struct dentry *dentry, struct iattr *attr)
{
	attr->ia_valid &= ~ATTR_SIZE;
	return simple_setattr(idmap, dentry, attr);
}

static const struct inode_operations control_file_inode_ops = {
	.setattr = control_setattr,
};

struct dentry *control_file_new(struct dentry *parent, const struct guest_file *row,
				struct guest *guest, struct inode **inode)
{
	struct dentry *dentry = d_alloc_name(parent, row->name);

	if (!dentry)
		return NULL;
	*inode = control_inode_new(parent->d_sb, S_IFREG | row->mode, guest);
	if (!*inode) {
		dput(dentry);
		return NULL;
	}
	(*inode)->i_op = &control_file_inode_ops;
	(*inode)->i_fop = &control_file_ops;
	dentry->d_fsdata = (void *)row;
	return dentry;
}

void guest_host_notify(struct guest *guest)
{
	struct control_dir *dir = READ_ONCE(guest->tree);

	if (dir && wq_has_sleeper(&dir->pollers))
		wake_up_poll(&dir->pollers, EPOLLERR | EPOLLPRI);
}
