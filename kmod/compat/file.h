/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LODGE_COMPAT_FILE_H
#define LODGE_COMPAT_FILE_H

#include <linux/fs.h>
#include <linux/uio.h>
#include <linux/version.h>

/* Newer kernels hold off freezing of the file system in vfs_iter_write() itself. */
static inline ssize_t compat_iter_write(struct file *filp, struct iov_iter *iter, loff_t *pos)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
	ssize_t ret;

	file_start_write(filp);
	ret = vfs_iter_write(filp, iter, pos, 0);
	file_end_write(filp);
	return ret;
#else
	return vfs_iter_write(filp, iter, pos, 0);
#endif
}

#endif /* LODGE_COMPAT_FILE_H */
