/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The control tree: a file system in which mkdir makes a guest and rmdir removes it.
 *
 * There is one superblock, mounted any number of times.  Every guest holds it, so
 * guests do not depend on a mount; and as it holds the module, so does every
 * guest, every mount and every open file.
 */
#ifndef LODGE_CONTROL_FS_H
#define LODGE_CONTROL_FS_H

#include <linux/dcache.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "guest-core/guest.h"

#define CONTROL_FILES_MAX	32

/**
 * struct control_dir - a guest's directory; lives as long as struct guest
 * @guest: the guest
 * @dentry: the directory; a reference, as for all its files, until it is removed
 * @nr_files: its files
 * @files: in the order of the tables
 * @pollers: who waits for a polled file to change
 * @remove: removes the guest if autoremove says so; holds a reference to the guest while queued
 */
struct control_dir {
	struct guest *guest;
	struct dentry *dentry;
	unsigned int nr_files;
	struct dentry *files[CONTROL_FILES_MAX];
	wait_queue_head_t pollers;
	struct work_struct remove;
};

int control_fs_init(void);
void control_fs_exit(void);

/**
 * control_make() - make a guest that nobody has made with mkdir, with its directory
 * It belongs to the running thread's user, which has to be one of the initial user namespace.
 * @guest: gets the guest, which has to be busy from the start, with a reference
 * Return: 0; -EEXIST; -ENOMEM; or what guest_create() answers
 */
int control_make(const char *name, const struct guest_kind *kind, struct guest **guest);

/**
 * control_leave() - nobody is in a guest of control_make() any more, and it is not busy
 * Puts the reference. With autoremove, the guest is gone when this returns. May sleep.
 */
void control_leave(struct guest *guest);

/**
 * control_file_new() - a file that is not in its directory yet: d_add() it with the inode
 * @parent: directory
 * @row: what the file does
 * @guest: whose file, NULL for the root's own
 * @inode: gets the inode
 * Return: NULL if there is no memory
 */
struct dentry *control_file_new(struct dentry *parent, const struct guest_file *row,
				struct guest *guest, struct inode **inode);

/** control_inode_new() - an inode owned by the running task; with @guest, holding a reference */
struct inode *control_inode_new(struct super_block *sb, umode_t mode, struct guest *guest);

/** confined_kind - guests as mkdir makes them */
extern const struct guest_kind confined_kind;

/** control_root_files - the root's own files, ended by a row without a name */
extern const struct guest_file control_root_files[];

#endif /* LODGE_CONTROL_FS_H */
