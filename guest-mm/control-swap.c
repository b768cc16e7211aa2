// SPDX-License-Identifier: GPL-2.0
/*
 * memory.swap.file: which file a guest's swap file tier has, and that no two guests
 * have the same.
 */
#include "guest-mm/control.h"
#include "guest-mm/pool.h"

static const char field[] = "memory.swap.file";

/*
 * Protects the list and all guests' swap_file, swap_path and swap_link, which change only
 * under guest->lock too.  Taken inside that.  Never held while something is opened: that
 * may take as long as a user's own file system likes.
 */
static DEFINE_MUTEX(swap_files_lock);
static LIST_HEAD(swap_files);

int swap_file_show(struct guest *guest, struct text *out)
{
	mutex_lock(&swap_files_lock);
	text_printf(out, "%s\n", guest->memory->swap_file ? guest->memory->swap_path : "none");
	mutex_unlock(&swap_files_lock);
	return 0;
}

void swap_file_forget(struct guest *guest)
{
	struct memory_control *memory = guest->memory;

	mutex_lock(&swap_files_lock);
	if (memory->swap_file) {
		list_del(&memory->swap_link);
		kfree(memory->swap_path);
		memory->swap_file = NULL;
		memory->swap_path = NULL;
	}
	mutex_unlock(&swap_files_lock);
}

void swap_file_limit(struct guest *guest)
{
	struct memory_control *memory = guest->memory;
	u64 bytes;

	if (!memory->swap_file)
		return;
	bytes = min_t(u64, memory->limit[LIMIT_SWAP], host_file_size(memory->swap_file));
	tier_swap_file_set_max(guest->pool->tiers[TIER_SWAP_FILE], bytes >> PAGE_SHIFT);
}

/* Without guest->lock: it takes as long as reading the file, and limits may change meanwhile. */
static int empty(struct guest *guest, char *value)
{
	struct tier *tier = guest->pool->tiers[TIER_SWAP_FILE];
	int err = pool_swapoff(guest->pool);

	switch (err) {
	case -EBUSY:
		return guest_error(guest, err, field, value,
				   "no room in the guest's memory for the %llu bytes that are in it",
				   (unsigned long long)tier_swap_file_used(tier) << PAGE_SHIFT);
	case -EALREADY:
		return guest_error(guest, -EBUSY, field, value, "it is being taken away already");
	case -EIO:
		return guest_error(guest, err, field, value, "a page in it cannot be read");
	default:
		return err;
	}
}

static int detach(struct guest *guest, char *value)
{
	int err = empty(guest, value);

	if (err)
		return err;
	mutex_lock(&guest->lock);
	if (guest->memory->swap_file)
		err = tier_swap_file_detach(guest->pool->tiers[TIER_SWAP_FILE]);
	if (err)
		guest_error(guest, err, field, value, "it is in use again");
	else
		swap_file_forget(guest);
	mutex_unlock(&guest->lock);
	return err;
}

static const char used_elsewhere[] = "another guest swaps to this file";

static bool in_use(const char *path)
{
	struct memory_control *memory;

	list_for_each_entry(memory, &swap_files, swap_link)
		if (host_file_names(memory->swap_file, path))
			return true;
	return false;
}

/* Give the guest a file.  On success the tier owns it, and @path is the guest's. */
static int attach(struct guest *guest, struct host_file *file, char *path)
{
	struct memory_control *memory = guest->memory;
	int err;

	mutex_lock(&guest->lock);
	mutex_lock(&swap_files_lock);
	if (memory->swap_file) {
		err = guest_error(guest, -EBUSY, field, path,
				  "the guest has a swap file already: write none first");
	} else if (in_use(path)) {
		err = guest_error(guest, -EEXIST, field, path, used_elsewhere);
	} else {
		err = tier_swap_file_attach(guest->pool->tiers[TIER_SWAP_FILE], file,
					    host_file_size(file) >> PAGE_SHIFT);
		if (!err) {
			memory->swap_file = file;
			memory->swap_path = path;
			list_add(&memory->swap_link, &swap_files);
		}
	}
	mutex_unlock(&swap_files_lock);
	if (!err)
		swap_file_limit(guest);
	mutex_unlock(&guest->lock);
	return err;
}

/* Is the open file one that can be swapped to? */
static int check_file(struct guest *guest, struct host_file *file, const char *path)
{
	u64 size = host_file_size(file);
	int err;

	if (size < PAGE_SIZE)
		return guest_error(guest, -EINVAL, field, path,
				   "the file is empty: its size is what it can hold");
	err = host_file_reserve(file, size);
	if (err == -ENOSPC)
		return guest_error(guest, err, field, path,
				   "its file system has no room for %llu bytes",
				   (unsigned long long)size);
	if (err == -EOPNOTSUPP)
		return guest_error(guest, err, field, path,
				   "its file system cannot set space aside");
	return err;
}

int swap_file_store(struct guest *guest, char *value)
{
	struct host_file *file;
	size_t size;
	char *path;
	int err;

	if (!guest->pool->tiers[TIER_SWAP_FILE])
		return guest_error(guest, -EOPNOTSUPP, field, value, "swap files are not built in");
	if (!strcmp(value, "none"))
		return detach(guest, value);
	if (value[0] != '/')
		return guest_error(guest, -EINVAL, field, value,
				   "neither none nor a path from the root");

	size = strlen(value) + 1;
	path = kmalloc(size, GFP_KERNEL);
	if (!path)
		return -ENOMEM;
	memcpy(path, value, size);
	/* Opening it would fail as well, but for a reason that says less. */
	mutex_lock(&swap_files_lock);
	err = !guest->memory->swap_file && in_use(path) ? -EEXIST : 0;
	mutex_unlock(&swap_files_lock);
	if (err) {
		guest_error(guest, err, field, path, used_elsewhere);
		goto err_path;
	}
	file = host_file_open(path);
	if (IS_ERR(file)) {
		err = PTR_ERR(file);
		if (err == -EINVAL)
			guest_error(guest, err, field, path,
				    "neither a regular file nor a block device");
		else
			guest_error(guest, err, field, path, "cannot be opened: %s",
				    error_words(err));
		goto err_path;
	}
	err = check_file(guest, file, path);
	if (!err)
		err = attach(guest, file, path);
	if (err)
		goto err_file;
	return 0;

err_file:
	host_file_close(file);
err_path:
	kfree(path);
	return err;
}
