// SPDX-License-Identifier: GPL-2.0
/*
 * host.h's files in the kernel: swap files and devices of guests.
 *
 * A page is read inside a fault, under mmap_lock.  The kernel takes a file's inode lock
 * before mmap_lock (write(2) faults in its buffer), so the file is never touched there: a
 * workqueue does it while the fault waits.  What would still deadlock is a process that
 * holds the inode lock of its own guest's swap file and faults.  write(2) and truncate(2) do,
 * so nobody else may have the file open for writing while a guest does.  Reading it with
 * O_DIRECT does too, shared, and a first write to a slot takes the lock alone: a fault of the
 * kernel's own (host_no_io()) writes nothing, and reads by way of the page cache, for which ext4
 * takes no lock.  XFS takes it shared, but for such a write, too.
 */
#include <linux/blkdev.h>
#include <linux/bvec.h>
#include <linux/completion.h>
#include <linux/falloc.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/namei.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/uio.h>
#include <linux/workqueue.h>
#include "guest-core/host.h"
#include "kmod/compat/file.h"

#define IO_PAGES	32U	/* of one request */

/**
 * struct host_file - a file that belongs to a guest
 * @filp: open for reading and writing
 * @exclusive: other writers are locked out
 * @direct: bypasses the page cache
 */
struct host_file {
	struct file *filp;
	bool exclusive;
	bool direct;
};

/* One request, on the stack of whoever waits for it. */
struct request {
	struct work_struct work;
	struct completion done;
	struct host_file *file;
	void *const *pages;
	unsigned int n;
	u64 pos;
	bool write;
	bool cached;	/* not so this time, though the file is @direct */
	int err;
};

static DEFINE_MUTEX(io_lock);	/* protects what follows */
static struct workqueue_struct *io_queue;
static unsigned int io_users;

static int io_get(void)
{
	int err = 0;

	mutex_lock(&io_lock);
	if (!io_users)
		io_queue = alloc_workqueue("lodge_io", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (io_queue)
		io_users++;
	else
		err = -ENOMEM;
	mutex_unlock(&io_lock);
	return err;
}

static void io_put(void)
{
	mutex_lock(&io_lock);
	if (!--io_users) {
		destroy_workqueue(io_queue);
		io_queue = NULL;
	}
	mutex_unlock(&io_lock);
}

/* ---- reading and writing ---- */

static ssize_t read_cached(struct file *filp, struct iov_iter *iter, loff_t *pos)
{
	struct kiocb kiocb;
	ssize_t ret;

	init_sync_kiocb(&kiocb, filp);
	kiocb.ki_flags &= ~IOCB_DIRECT;
	kiocb.ki_pos = *pos;
	ret = filp->f_op->read_iter(&kiocb, iter);
	*pos = kiocb.ki_pos;
	return ret;
}

static ssize_t transfer_once(struct host_file *file, struct iov_iter *iter, loff_t *pos, bool write,
			     bool cached)
{
	if (write)
		return compat_iter_write(file->filp, iter, pos);
	if (cached)
		return read_cached(file->filp, iter, pos);
	return vfs_iter_read(file->filp, iter, pos, 0);
}

/* Without direct I/O: the page cache must not hold a second copy of the guest's memory. */
static int drop_cache(struct host_file *file, u64 pos, size_t bytes, bool write)
{
	struct address_space *mapping = file->filp->f_mapping;
	int err = 0;

	if (write)
		err = filemap_write_and_wait_range(mapping, pos, pos + bytes - 1);
	invalidate_mapping_pages(mapping, pos >> PAGE_SHIFT, (pos + bytes - 1) >> PAGE_SHIFT);
	return err;
}

static int transfer(struct host_file *file, void *const *pages, unsigned int n, u64 pos, bool write,
		    bool cached)
{
	struct bio_vec vec[IO_PAGES];
	struct iov_iter iter;
	loff_t at = pos;
	unsigned int i;

	for (i = 0; i < n; i++) {
		vec[i].bv_page = virt_to_page(pages[i]);
		vec[i].bv_offset = offset_in_page(pages[i]);
		vec[i].bv_len = PAGE_SIZE;
	}
	iov_iter_bvec(&iter, write ? ITER_SOURCE : ITER_DEST, vec, n, n * PAGE_SIZE);
	while (iov_iter_count(&iter)) {
		ssize_t ret = transfer_once(file, &iter, &at, write, cached);

		if (ret < 0)
			return ret;
		/* The end of the file or the device. */
		if (!ret)
			return -EIO;
	}
	return file->direct && !cached ? 0 : drop_cache(file, pos, n * PAGE_SIZE, write);
}

static void request_run(struct request *req)
{
	/* Memory for the I/O may not be sought in a guest, which might need this I/O for it. */
	unsigned int flags = memalloc_noio_save();
	unsigned int n;

	for (; req->n && !req->err; req->n -= n, req->pages += n, req->pos += n * PAGE_SIZE) {
		n = min(req->n, IO_PAGES);
		req->err = transfer(req->file, req->pages, n, req->pos, req->write,
				    req->cached);
		cond_resched();
	}
	memalloc_noio_restore(flags);
}

static void request_work(struct work_struct *work)
{
	struct request *req = container_of(work, struct request, work);

	request_run(req);
	complete(&req->done);
}

static int request(struct host_file *file, void *const *pages, unsigned int n, u64 pos, bool write)
{
	struct request req = { .file = file, .pages = pages, .n = n, .pos = pos, .write = write,
			       .cached = file->direct && !write && host_no_io() };

	/* Kernel threads hold no mmap_lock, have no file size limit and no signals. */
	if (!current->mm) {
		request_run(&req);
	} else {
		INIT_WORK_ONSTACK(&req.work, request_work);
		init_completion(&req.done);
		queue_work(io_queue, &req.work);
		wait_for_completion(&req.done);
		destroy_work_on_stack(&req.work);
	}
	switch (req.err) {
	case 0:
		return 0;
	case -ENOSPC:
	case -EDQUOT:
		return -ENOSPC;
	default:
		return -EIO;
	}
}

int host_file_write(struct host_file *file, const void *const *pages, unsigned int n, u64 pos)
{
	return request(file, (void *const *)pages, n, pos, true);
}

int host_file_read(struct host_file *file, void *const *pages, unsigned int n, u64 pos)
{
	return request(file, pages, n, pos, false);
}

/* ---- opening ---- */

static bool type_ok(const struct inode *inode)
{
	return S_ISREG(inode->i_mode) || S_ISBLK(inode->i_mode);
}

/* Opening a device of another kind could already do something. */
static int check_type(const char *name)
{
	struct path path;
	int err = kern_path(name, LOOKUP_FOLLOW, &path);

	if (err)
		return err;
	err = type_ok(d_backing_inode(path.dentry)) ? 0 : -EINVAL;
	path_put(&path);
	return err;
}

/*
 * Keep other writers away, swapon and other guests among them.  The count of an inode is
 * the number of its writers, or minus the number of those who deny writing; here the one
 * writer denies it to the others.  A block device is claimed by O_EXCL instead.
 */
static bool deny_writers(struct file *filp)
{
	return atomic_cmpxchg(&file_inode(filp)->i_writecount, 1, -1) == 1;
}

static void allow_writers(struct file *filp)
{
	atomic_add(2, &file_inode(filp)->i_writecount);
}

/* Some devices and file systems take O_DIRECT and then want more than a page aligned to a page. */
static bool direct_works(struct host_file *file)
{
	void *page = (void *)__get_free_page(GFP_KERNEL);
	bool works = false;

	if (page)
		works = i_size_read(file->filp->f_mapping->host) < PAGE_SIZE ||
			transfer(file, &page, 1, 0, false, false) != -EINVAL;
	free_page((unsigned long)page);
	return works;
}

static void set_direct(struct host_file *file, bool direct)
{
	struct file *filp = file->filp;

	spin_lock(&filp->f_lock);
	filp->f_flags = direct ? filp->f_flags | O_DIRECT : filp->f_flags & ~O_DIRECT;
	filp->f_iocb_flags = iocb_flags(filp);
	/* The page cache must not read ahead what is written past it meanwhile. */
	filp->f_mode = direct ? filp->f_mode | FMODE_RANDOM : filp->f_mode & ~FMODE_RANDOM;
	spin_unlock(&filp->f_lock);
	file->direct = direct;
}

/* Not by opening it twice: a file that was let go counts as a writer until the task returns. */
static void try_direct(struct host_file *file)
{
	if (!(file->filp->f_mode & FMODE_CAN_ODIRECT))
		return;
	set_direct(file, true);
	if (!direct_works(file))
		set_direct(file, false);
}

struct host_file *host_file_open(const char *path)
{
	struct host_file *file;
	struct file *filp;
	int err;

	err = check_type(path);
	if (err)
		return ERR_PTR(err);
	file = kzalloc(sizeof(*file), GFP_KERNEL);
	if (!file)
		return ERR_PTR(-ENOMEM);
	err = io_get();
	if (err)
		goto err_file;
	filp = filp_open(path, O_RDWR | O_LARGEFILE | O_EXCL, 0);
	if (IS_ERR(filp)) {
		err = PTR_ERR(filp) == -ETXTBSY ? -EBUSY : PTR_ERR(filp);
		goto err_io;
	}
	file->filp = filp;
	err = -EINVAL;
	if (!type_ok(file_inode(filp)))
		goto err_filp;
	err = -EBUSY;
	if (IS_SWAPFILE(filp->f_mapping->host))
		goto err_filp;
	if (S_ISREG(file_inode(filp)->i_mode)) {
		file->exclusive = deny_writers(filp);
		if (!file->exclusive)
			goto err_filp;
	}
	try_direct(file);
	return file;

err_filp:
	filp_close(filp, NULL);
err_io:
	io_put();
err_file:
	kfree(file);
	return ERR_PTR(err);
}

void host_file_close(struct host_file *file)
{
	if (file->exclusive)
		allow_writers(file->filp);
	filp_close(file->filp, NULL);
	io_put();
	kfree(file);
}

u64 host_file_size(struct host_file *file)
{
	return i_size_read(file->filp->f_mapping->host);
}

int host_file_reserve(struct host_file *file, u64 size)
{
	int err;

	if (S_ISBLK(file_inode(file->filp)->i_mode))
		return host_file_size(file) < size ? -ENOSPC : 0;
	err = vfs_fallocate(file->filp, 0, 0, size);
	switch (err) {
	case 0:
	case -EOPNOTSUPP:
		return err;
	case -EFBIG:
	case -EDQUOT:
		return -ENOSPC;
	default:
		return err;
	}
}

bool host_file_names(struct host_file *file, const char *name)
{
	struct inode *mine = file_inode(file->filp), *other;
	struct path path;
	bool same;

	if (kern_path(name, LOOKUP_FOLLOW, &path))
		return false;
	other = d_backing_inode(path.dentry);
	same = S_ISBLK(mine->i_mode) ? S_ISBLK(other->i_mode) && mine->i_rdev == other->i_rdev :
				       mine == other;
	path_put(&path);
	return same;
}
