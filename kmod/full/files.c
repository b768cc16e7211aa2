// SPDX-License-Identifier: GPL-2.0
/*
 * A guest's descriptors. Who opens files is the host thread, in its own sandbox, with its
 * own rights; the table is that of who has the token.
 */
#include <linux/export.h>
#include <linux/falloc.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/tty.h>
#include <linux/uio.h>

#include "kmod/compat/file.h"
#include "kmod/full/host-call.h"
#include "kmod/full/instance.h"

/** files_get - Return: the file of a descriptor, as long as that is not closed; or NULL */
struct file *files_get(struct lodge_instance *inst, int fd)
{
	return fd >= 0 && fd < FULL_FDS ? inst->files[fd] : NULL;
}

/**
 * files_add - a file becomes a descriptor of a guest's
 * @inst: the guest
 * @file: the file; the reference is taken in any case
 *
 * Return: the descriptor or -EMFILE.
 */
long files_add(struct lodge_instance *inst, struct file *file)
{
	int fd;

	for (fd = 0; fd < FULL_FDS; fd++)
		if (!inst->files[fd]) {
			inst->files[fd] = file;
			return fd;
		}
	fput(file);
	return -EMFILE;
}

/**
 * files_take - the running process gives a guest its first descriptors
 * @inst: the guest, which nobody runs yet
 * @fds: its own descriptors, in the order of the guest's; -1: none there
 * @n: how many
 *
 * Return: 0 or -EBADF; files_stop() has to be called in either case.
 */
int files_take(struct lodge_instance *inst, const s32 *fds, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (fds[i] < 0)
			continue;
		inst->files[i] = fget(fds[i]);
		if (!inst->files[i])
			return -EBADF;
	}
	return 0;
}

/** files_stop - close them all; nobody runs the guest */
void files_stop(struct lodge_instance *inst)
{
	int fd;

	for (fd = 0; fd < FULL_FDS; fd++) {
		if (inst->files[fd])
			fput(inst->files[fd]);
		inst->files[fd] = NULL;
	}
}

/**
 * files_result - what the guest is told of what a call has come to
 * @inst: the guest
 * @ret: that
 *
 * What was waited for in vain, because the thread has to end, is no business of the guest's: then
 * it does not return.
 */
long files_result(struct lodge_instance *inst, long ret)
{
	if (instance_over(inst))
		thread_leave(inst);
	return ret == -ERESTARTSYS ? -EINTR : ret;
}

/** host_open - see lodge-host.h */
long host_open(struct lodge_instance *inst, const char *path, int how, int mode)
{
	static const int access[] = { O_PATH, O_RDONLY, O_WRONLY, O_RDWR };
	int flags = access[how & 3] | O_LARGEFILE | O_CLOEXEC | O_NOCTTY;
	struct file *file;

	if (how & LODGE_O_CREATE)
		flags |= O_CREAT;
	if (how & LODGE_O_EXCL)
		flags |= O_EXCL;
	if (how & LODGE_O_TRUNC)
		flags |= O_TRUNC;
	if (how & LODGE_O_APPEND)
		flags |= O_APPEND;
	file = filp_open(path, flags, mode);
	return files_result(inst, IS_ERR(file) ? PTR_ERR(file) : files_add(inst, file));
}
EXPORT_SYMBOL_GPL(lodge_open);

/** host_close - see lodge-host.h */
void host_close(struct lodge_instance *inst, int fd)
{
	struct file *file = files_get(inst, fd);

	if (!file)
		return;
	events_forget(inst, fd);
	inst->files[fd] = NULL;
	fput(file);
}
EXPORT_SYMBOL_GPL(lodge_close);

/** host_replace - see lodge-host.h */
long host_replace(struct lodge_instance *inst, int old, int fd)
{
	struct file *file = files_get(inst, fd);

	if (!file || !files_get(inst, old))
		return -EBADF;
	host_close(inst, old);
	inst->files[old] = get_file(file);
	return old;
}
EXPORT_SYMBOL_GPL(lodge_replace);

/** host_dup - see lodge-host.h */
long host_dup(struct lodge_instance *inst, int fd)
{
	struct file *file = files_get(inst, fd);

	return file ? files_add(inst, get_file(file)) : -EBADF;
}
EXPORT_SYMBOL_GPL(lodge_dup);

/** host_read - see lodge-host.h */
long host_read(struct lodge_instance *inst, int fd, void *buffer, unsigned long length,
	       long long offset)
{
	struct kvec vec = { .iov_base = buffer, .iov_len = length };
	struct file *file = files_get(inst, fd);
	struct iov_iter iter;
	loff_t pos = offset;

	if (!file)
		return -EBADF;
	if (memory_touch(inst, buffer, length))
		return -ENOMEM;
	iov_iter_kvec(&iter, READ, &vec, 1, length);
	return files_result(inst, vfs_iter_read(file, &iter, offset < 0 ? &file->f_pos : &pos, 0));
}
EXPORT_SYMBOL_GPL(lodge_read);

/** host_write - see lodge-host.h */
long host_write(struct lodge_instance *inst, int fd, const void *buffer, unsigned long length,
		long long offset)
{
	struct kvec vec = { .iov_base = (void *)buffer, .iov_len = length };
	struct file *file = files_get(inst, fd);
	struct iov_iter iter;
	loff_t pos = offset;

	if (!file)
		return -EBADF;
	if (memory_touch(inst, buffer, length))
		return -ENOMEM;
	iov_iter_kvec(&iter, WRITE, &vec, 1, length);
	return files_result(inst, compat_iter_write(file, &iter, offset < 0 ? &file->f_pos : &pos));
}
EXPORT_SYMBOL_GPL(lodge_write);

/** host_seek - see lodge-host.h */
long host_seek(struct lodge_instance *inst, int fd, long long offset)
{
	struct file *file = files_get(inst, fd);
	loff_t pos;

	if (!file)
		return -EBADF;
	pos = vfs_llseek(file, offset, SEEK_SET);
	return pos < 0 ? pos : 0;
}
EXPORT_SYMBOL_GPL(lodge_seek);

/** host_clear - see lodge-host.h */
long host_clear(struct lodge_instance *inst, int fd, int hole, long long offset, long long length)
{
	struct file *file = files_get(inst, fd);
	int mode = FALLOC_FL_KEEP_SIZE | (hole ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE);

	if (!file)
		return -EBADF;
	return files_result(inst, vfs_fallocate(file, mode, offset, length));
}
EXPORT_SYMBOL_GPL(lodge_clear);

/** host_set_blocking - see lodge-host.h */
long host_set_blocking(struct lodge_instance *inst, int fd, int blocking)
{
	struct file *file = files_get(inst, fd);

	if (!file)
		return -EBADF;
	spin_lock(&file->f_lock);
	if (blocking)
		file->f_flags &= ~O_NONBLOCK;
	else
		file->f_flags |= O_NONBLOCK;
	spin_unlock(&file->f_lock);
	return 0;
}
EXPORT_SYMBOL_GPL(lodge_set_blocking);

static struct tty_struct *terminal(struct lodge_instance *inst, int fd)
{
	struct file *file = files_get(inst, fd);
	struct inode *inode = file ? file_inode(file) : NULL;

	/* Its consoles are pseudo-terminals of the launcher's. */
	if (!inode || !S_ISCHR(inode->i_mode) || imajor(inode) < UNIX98_PTY_SLAVE_MAJOR ||
	    imajor(inode) >= UNIX98_PTY_SLAVE_MAJOR + UNIX98_PTY_MAJOR_COUNT ||
	    !file->private_data)
		return NULL;
	return ((struct tty_file_private *)file->private_data)->tty;
}

/** host_is_terminal - see lodge-host.h */
long host_is_terminal(struct lodge_instance *inst, int fd)
{
	return terminal(inst, fd) ? 1 : 0;
}
EXPORT_SYMBOL_GPL(lodge_is_terminal);

/** host_terminal_raw - see lodge-host.h */
long host_terminal_raw(struct lodge_instance *inst, int fd)
{
	struct tty_struct *tty = terminal(inst, fd);
	struct ktermios termios;

	if (!tty)
		return -ENOTTY;
	down_read(&tty->termios_rwsem);
	termios = tty->termios;
	up_read(&tty->termios_rwsem);
	/* As cfmakeraw(3). */
	termios.c_iflag &= ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
	termios.c_oflag &= ~OPOST;
	termios.c_lflag &= ~(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	termios.c_cflag &= ~(CSIZE | PARENB);
	termios.c_cflag |= CS8;
	termios.c_cc[VMIN] = 1;
	termios.c_cc[VTIME] = 0;
	return tty_set_termios(tty, &termios);
}
EXPORT_SYMBOL_GPL(lodge_terminal_raw);

/** host_window_size - see lodge-host.h */
long host_window_size(struct lodge_instance *inst, int fd, unsigned short *rows,
		      unsigned short *columns)
{
	struct tty_struct *tty = terminal(inst, fd);

	if (!tty)
		return -ENOTTY;
	mutex_lock(&tty->winsize_mutex);
	*rows = tty->winsize.ws_row;
	*columns = tty->winsize.ws_col;
	mutex_unlock(&tty->winsize_mutex);
	return 0;
}
EXPORT_SYMBOL_GPL(lodge_window_size);

/** host_log - see lodge-host.h */
void host_log(struct lodge_instance *inst, const char *text, unsigned long length)
{
	/* The guest's first words go where its later ones go. */
	if (files_get(inst, 1))
		host_write(inst, 1, text, length, -1);
}
EXPORT_SYMBOL_GPL(lodge_log);
