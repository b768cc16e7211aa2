// SPDX-License-Identifier: GPL-2.0
/*
 * Backings: where the untouched pages of a writable private file mapping come from.
 *
 * A page is read through the page cache when it is touched first, and is the guest's own from then
 * on.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/pagemap.h>

#include "kmod/mm-guest.h"

/**
 * struct backing - a file, and which of its pages stands where
 * @refs: one for each slot of a table, and those of lookups
 * @file: the file
 * @delta: page of the file minus virtual page number
 */
struct backing {
	atomic_long_t refs;
	struct file *file;
	s64 delta;
};

struct backing *backing_create(struct file *file, u64 vpn, u64 pgoff)
{
	struct backing *backing = kmalloc(sizeof(*backing), GFP_POOL);

	if (!backing)
		return NULL;
	atomic_long_set(&backing->refs, 1);
	backing->file = get_file(file);
	backing->delta = pgoff - vpn;
	return backing;
}

struct backing *backing_moved(struct backing *backing, s64 delta)
{
	return backing_create(backing->file, 0, backing->delta - delta);
}

void backing_get_n(struct backing *backing, unsigned int n)
{
	atomic_long_add(n, &backing->refs);
}

void backing_put_n(struct backing *backing, unsigned int n)
{
	if (!atomic_long_sub_and_test(n, &backing->refs))
		return;
	fput(backing->file);
	kfree(backing);
}

/* Through the page cache, as a fault of the host does it: takes no lock of the inode. */
static int read_cached(struct file *file, pgoff_t index, void *data)
{
	struct page *page = read_mapping_page(file->f_mapping, index, file);

	if (IS_ERR(page))
		return PTR_ERR(page) == -EINTR ? -EINTR : -EIO;
	memcpy(data, page_address(page), PAGE_SIZE);
	put_page(page);
	return 0;
}

/* For file systems that keep no pages of their own, such as overlayfs, which passes reads on. */
static int read_through(struct file *file, loff_t pos, void *data)
{
	size_t got = 0;

	while (got < PAGE_SIZE) {
		ssize_t n = kernel_read(file, data + got, PAGE_SIZE - got, &pos);

		if (n < 0)
			return n == -EINTR ? -EINTR : -EIO;
		if (!n)
			break;
		got += n;
	}
	memset(data + got, 0, PAGE_SIZE - got);
	return 0;
}

int backing_read(struct backing *backing, u64 vpn, void *data)
{
	struct file *file = backing->file;
	pgoff_t index = vpn + backing->delta;
	loff_t size = i_size_read(file_inode(file));
	loff_t pos = (loff_t)index << PAGE_SHIFT;
	int err;

	if (pos >= size)
		return -EFAULT;
	if (!file->f_mapping->a_ops->read_folio)
		return read_through(file, pos, data);
	err = read_cached(file, index, data);
	/* Nobody promises that the page cache is zero behind the end of the file. */
	if (!err && size - pos < PAGE_SIZE)
		memset(data + (size - pos), 0, PAGE_SIZE - (size - pos));
	return err;
}
