// SPDX-License-Identifier: GPL-2.0
/* Spaces on the kernel's side: their files, their life, and how they are found. */
#include <linux/dcache.h>
#include <linux/file.h>
#include <linux/hashtable.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/pseudo_fs.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>

#include "kmod/mm-guest.h"

#define SPACE_FS_MAGIC	0x6c737063	/* "lspc" */

static DEFINE_HASHTABLE(by_mm, 8);
static DEFINE_SPINLOCK(by_mm_lock);	/* protects changes of @by_mm; readers use RCU */
static struct vfsmount *space_mnt;
static struct kmem_cache *space_cache;
static struct workqueue_struct *teardown_queue;

/* ---- the file system that the files are on ---- */

static char *space_dname(struct dentry *dentry, char *buffer, int len)
{
	struct guest *guest = d_inode(dentry)->i_private;
	char name[GUEST_NAME_MAX + sizeof("[lodge:]")];
	int n = snprintf(name, sizeof(name), "[lodge:%s]", guest->name) + 1;

	if (n > len)
		return ERR_PTR(-ENAMETOOLONG);
	return memcpy(buffer + len - n, name, n);
}

static const struct dentry_operations space_dops = {
	.d_dname = space_dname,
};

static const struct address_space_operations space_aops = {
	.dirty_folio = noop_dirty_folio,
};

static void space_evict_inode(struct inode *inode)
{
	/* No page is in the inode's page cache; frames only point to its mapping. */
	clear_inode(inode);
	/* The root has no guest. */
	if (inode->i_private) {
		guest_put(inode->i_private);
		module_put(THIS_MODULE);
	}
}

static const struct super_operations space_sops = {
	.statfs = simple_statfs,
	.drop_inode = generic_delete_inode,
	.evict_inode = space_evict_inode,
};

static int space_init_fs(struct fs_context *fc)
{
	struct pseudo_fs_context *ctx = init_pseudo(fc, SPACE_FS_MAGIC);

	if (!ctx)
		return -ENOMEM;
	ctx->ops = &space_sops;
	ctx->dops = &space_dops;
	return 0;
}

/* No owner: the module mounts it itself, and would pin itself. */
static struct file_system_type space_fs = {
	.name = "lodge_spaces",
	.init_fs_context = space_init_fs,
	.kill_sb = kill_anon_super,
};

struct inode *mm_space_new_inode(struct guest *guest)
{
	struct inode *inode = new_inode(space_mnt->mnt_sb);

	if (!inode)
		return ERR_PTR(-ENOMEM);
	inode->i_ino = get_next_ino();
	inode->i_mode = S_IFREG | 0600;
	inode->i_size = MAX_LFS_FILESIZE;
	inode->i_mapping->a_ops = &space_aops;
	/* It outlives files: O_PATH of what is in /proc/PID/map_files holds a path only. */
	__module_get(THIS_MODULE);
	guest_get(guest);
	inode->i_private = guest;
	/*
	 * An inode open for writing: or khugepaged takes executable mappings for a program's text.
	 */
	atomic_set(&inode->i_writecount, 1);
	/* Core dumps take shared mappings of files without a name for anonymous memory. */
	clear_nlink(inode);
	return inode;
}

/* ---- life ---- */

static void free_space_rcu(struct rcu_head *rcu)
{
	kmem_cache_free(space_cache, container_of(rcu, struct mm_space, rcu));
}

/* The portable part of a space ends, or could not begin. */
static void end_space(struct mm_guest *mg, struct mm_space *ms)
{
	xa_erase(&mg->spaces, ms->space.id);
	if (ms->space.root)
		space_exit(&ms->space);
	/* With the last process, what CPUs hold back goes too: the pool's figures are zero then. */
	if (xa_empty(&mg->spaces))
		pool_drain(mg->pool);
}

static void teardown(struct mm_space *ms)
{
	struct mm_guest *mg = ms->mg;

	if (ms->mm) {
		spin_lock(&by_mm_lock);
		hash_del_rcu(&ms->by_mm);
		spin_unlock(&by_mm_lock);
		mmdrop(ms->mm);
	}
	end_space(mg, ms);
	call_rcu(&ms->rcu, free_space_rcu);
	mm_guest_unuse(mg);
}

static void teardown_work(struct work_struct *work)
{
	teardown(container_of(work, struct mm_space, teardown));
}

void mm_space_put(struct mm_space *ms)
{
	if (refcount_dec_and_test(&ms->refs))
		teardown(ms);
}

void mm_space_put_later(struct mm_space *ms)
{
	if (refcount_dec_and_test(&ms->refs))
		queue_work(teardown_queue, &ms->teardown);
}

int mm_space_release(struct inode *inode, struct file *file)
{
	mm_space_put(file->private_data);
	return 0;
}

static void init_mapping(struct mm_space *ms)
{
	address_space_init_once(&ms->mapping);
	ms->mapping.host = ms->mg->inode;
	ms->mapping.a_ops = &space_aops;
	mapping_set_gfp_mask(&ms->mapping, GFP_KERNEL);
}

struct mm_space *mm_space_create(struct mm_guest *mg, struct file **filep)
{
	struct mm_space *ms = kmem_cache_zalloc(space_cache, GFP_POOL);
	struct file *file;
	int err;
	u32 id;

	if (!ms)
		return ERR_PTR(-ENOMEM);
	/*
	 * An id is not used again soon:
	 * stale notes of who maps a page must not lead to another space.
	 */
	err = xa_alloc_cyclic(&mg->spaces, &id, NULL,
			      XA_LIMIT(1, (1U << (64 - MAPPER_VPN_BITS)) - 1),
			      &mg->next_id, GFP_POOL);
	if (err < 0)
		goto err_free;
	err = space_init(&ms->space, mg->pool, id);
	if (err)
		goto err_space;
	ms->mg = mg;
	refcount_set(&ms->refs, 1);
	mutex_init(&ms->layout);
	INIT_WORK(&ms->teardown, teardown_work);
	init_mapping(ms);

	ihold(mg->inode);
	file = alloc_file_pseudo(mg->inode, space_mnt, "lodge", O_RDWR | O_LARGEFILE,
				 &mapping_file_ops);
	if (IS_ERR(file)) {
		iput(mg->inode);
		err = PTR_ERR(file);
		goto err_space;
	}
	/* alloc_file_pseudo() takes no reference to the module, but the last fput() drops one. */
	__module_get(THIS_MODULE);
	file->f_mapping = &ms->mapping;
	file->private_data = ms;
	ms->file = file;
	mm_guest_use(mg);
	*filep = file;
	return ms;

err_space:
	end_space(mg, ms);
err_free:
	kmem_cache_free(space_cache, ms);
	return ERR_PTR(err);
}

void mm_space_publish(struct mm_space *ms, struct mm_struct *mm)
{
	mmgrab(mm);
	ms->mm = mm;
	xa_store(&ms->mg->spaces, ms->space.id, ms, GFP_KERNEL);
	spin_lock(&by_mm_lock);
	hash_add_rcu(by_mm, &ms->by_mm, (unsigned long)mm);
	spin_unlock(&by_mm_lock);
}

/* ---- finding ---- */

struct mm_space *mm_space_find(struct mm_struct *mm)
{
	struct mm_space *ms;

	if (!mm)
		return NULL;
	rcu_read_lock();
	hash_for_each_possible_rcu(by_mm, ms, by_mm, (unsigned long)mm) {
		if (ms->mm == mm && refcount_inc_not_zero(&ms->refs)) {
			rcu_read_unlock();
			return ms;
		}
	}
	rcu_read_unlock();
	return NULL;
}

struct mm_space *mm_space_current(void)
{
	struct mm_space *ms = mm_space_find(current->mm);

	if (!ms && current->mm && !host_dying()) {
		pr_warn("lodge: %s[%d] killed: it has lost its guest\n",
			current->comm, task_tgid_nr(current));
		send_sig(SIGKILL, current, 1);
	}
	return ms;
}

struct mm_space *mm_space_find_id(struct mm_guest *mg, u32 id)
{
	struct mm_space *ms;

	rcu_read_lock();
	ms = xa_load(&mg->spaces, id);
	if (ms && !refcount_inc_not_zero(&ms->refs))
		ms = NULL;
	rcu_read_unlock();
	return ms;
}

struct space *backend_space_next(struct pool *pool, u32 *id)
{
	struct mm_guest *mg = pool->owner;
	unsigned long index = *id;
	struct mm_space *ms;

	rcu_read_lock();
	for (ms = xa_find(&mg->spaces, &index, U32_MAX, XA_PRESENT);
	     ms && !refcount_inc_not_zero(&ms->refs);
	     ms = xa_find_after(&mg->spaces, &index, U32_MAX, XA_PRESENT))
		;
	rcu_read_unlock();
	*id = index;
	return ms ? &ms->space : NULL;
}

void backend_space_put(struct pool *pool, struct space *space)
{
	mm_space_put(container_of(space, struct mm_space, space));
}

/* ---- module ---- */

int __init mm_space_init(void)
{
	int err = -ENOMEM;

	space_cache = kmem_cache_create("lodge_space", sizeof(struct mm_space), 0, 0, NULL);
	if (!space_cache)
		return -ENOMEM;
	teardown_queue = alloc_workqueue("lodge", WQ_UNBOUND, 0);
	if (!teardown_queue)
		goto err_cache;
	space_mnt = kern_mount(&space_fs);
	if (IS_ERR(space_mnt)) {
		err = PTR_ERR(space_mnt);
		goto err_queue;
	}
	return 0;

err_queue:
	destroy_workqueue(teardown_queue);
err_cache:
	kmem_cache_destroy(space_cache);
	return err;
}

void mm_space_exit(void)
{
	destroy_workqueue(teardown_queue);
	kern_unmount(space_mnt);
	rcu_barrier();
	kmem_cache_destroy(space_cache);
}
