// SPDX-License-Identifier: GPL-2.0
/*
 * The worker of a disk, which patches/module/ubd-worker.patch calls; and COW files, whose headers
 * are the launcher's to read and write: see patches/6.12/hot-plug-disks.patch.
 */
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/thread_info.h>
#include <os.h>

#include "../../arch/um/drivers/cow.h"
#include "../../arch/um/drivers/ubd.h"
#include "host.h"

struct disk_worker {
	struct lodge_thread *thread;
	unsigned long stack;
};

int ubd_worker_start(void (*work)(void *req), void **worker)
{
	struct disk_worker *new = kmalloc(sizeof(*new), GFP_KERNEL);
	int err = -ENOMEM;

	if (!new)
		return err;
	new->stack = __get_free_pages(GFP_KERNEL, THREAD_SIZE_ORDER);
	if (new->stack) {
		touch_stack((void *)new->stack);
		err = lodge_worker_start(host, (void (*)(struct lodge_job *))work,
					 new->stack + THREAD_SIZE, &new->thread);
	}
	if (err) {
		free_pages(new->stack, THREAD_SIZE_ORDER);
		kfree(new);
		return err;
	}
	*worker = new;
	return 0;
}

void ubd_worker_stop(void *worker)
{
	struct disk_worker *old = worker;

	lodge_thread_release(host, old->thread);
	free_pages(old->stack, THREAD_SIZE_ORDER);
	kfree(old);
}

void ubd_worker_give(void *worker, void *req)
{
	lodge_worker_give(((struct disk_worker *)worker)->thread, req);
}

void *ubd_worker_done(void)
{
	return lodge_worker_done(host);
}

/* ---- what the guest's own user opens with mconsole's config: raw files only ---- */

int file_reader(__u64 offset, char *buffer, int length, void *arg)
{
	return -EINVAL;
}

int read_cow_header(int (*reader)(__u64, char *, int, void *), void *arg, __u32 *version,
		    char **backing_file, long long *mtime, unsigned long long *size,
		    int *sector_size, __u32 *align, int *bitmap_offset)
{
	return -EINVAL;
}

int init_cow_file(int fd, char *cow_file, char *backing_file, int sector_size, int alignment,
		  int *bitmap_offset, unsigned long *bitmap_length, int *data_offset)
{
	return -EOPNOTSUPP;
}

int write_cow_header(char *cow_file, int fd, char *backing_file, int sector_size, int alignment,
		     unsigned long long *size)
{
	return -EOPNOTSUPP;
}

void cow_sizes(int version, __u64 size, int sector_size, int align, int bitmap_offset,
	       unsigned long *bitmap_length, int *data_offset)
{
}

/* Such a file is not kept from others. */
int os_lock_file(int fd, int exclusive)
{
	return 0;
}
