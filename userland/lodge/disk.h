/* SPDX-License-Identifier: GPL-2.0 */
/* Disks of full guests: what the user names, checked, as the guest's kernel wants it. */
#ifndef LODGE_DISK_H
#define LODGE_DISK_H

#include <stdbool.h>
#include <stddef.h>

#define DISKS_MAX 16

/**
 * struct disk - one disk
 * @file: absolute path of an image or of a block device of the host
 * @cow: absolute path of the file that takes what is written, or NULL
 * @readonly: the guest cannot write to it
 * @block: it is a device
 */
struct disk {
	char *file, *cow;
	bool readonly, block;
};

/**
 * struct disks - those of a guest, in the order of ubda, ubdb...
 * @list: the disks
 * @n: how many
 */
struct disks {
	struct disk list[DISKS_MAX];
	size_t n;
};

void disks_add(struct disks *disks, const char *option, const char *text, const char *cow);
char *disk_argument(const struct disks *disks, size_t i);

#endif
