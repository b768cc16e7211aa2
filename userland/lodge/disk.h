/* SPDX-License-Identifier: GPL-2.0 */
/* Disks of full guests: what the user names, checked, as the guest's kernel wants it. */
#ifndef LODGE_DISK_H
#define LODGE_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define DISKS_MAX 16

/**
 * struct disk - one disk
 * @file: absolute path of an image or of a block device of the host; NULL: there is no disk
 * @cow: absolute path of the file that takes what is written, or NULL
 * @readonly: the guest cannot write to it
 * @block: it is a device
 * @fd: @file, open
 * @cow_fd: @cow, open, or -1
 * @size: bytes of the disk
 * @bitmap: in the COW file, where the bitmap begins
 * @bitmap_length: bytes of it
 * @data: where the sectors begin
 */
struct disk {
	char *file, *cow;
	bool readonly, block;
	int fd, cow_fd;
	unsigned long long size;
	off_t bitmap, data;
	unsigned long long bitmap_length;
};

/**
 * struct disks - those of a guest, in the order of ubda, ubdb...
 * @list: the disks
 * @n: behind the last that is there; before it, some may have been removed
 */
struct disks {
	struct disk list[DISKS_MAX];
	size_t n;
};

void disk_open(struct disk *disk, const char *option, const char *text, const char *cow);
bool disk_lock(const struct disk *disk);
void disk_close(struct disk *disk);

bool disks_have(const struct disks *disks, const struct disk *new);
void disks_add(struct disks *disks, const char *option, const char *text, const char *cow);
char *disk_argument(const struct disks *disks, size_t i);

#endif
