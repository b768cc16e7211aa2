/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Copy-on-write disks as User-mode Linux has them: a file with the sectors that differ from those
 * of a backing file, which stays as it is. Read in versions 1 to 3, written in version 3.
 *
 * A file is a header, a bitmap with a bit for each sector that the file has itself, and room for
 * all sectors, most of it a hole. The header names the backing file, its size, and when it was
 * modified: a backing file of which that is no longer true does not belong to these sectors.
 */
#ifndef LODGE_COW_H
#define LODGE_COW_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define COW_SECTOR 512
/* A guest's kernel counts the bytes before the sectors in an int. */
#define COW_SIZE_MAX (8ULL << 40)

struct cow_layout;

/**
 * struct cow - an open COW file
 * @path: its name
 * @fd: the file
 * @layout: where its header has what
 * @version: 1 to 3
 * @backing: name of the backing file
 * @mtime: when that was modified, in seconds since 1970
 * @size: bytes of the disk, and of the backing file
 * @bitmap: where the bitmap begins
 * @bitmap_length: bytes of it; sectors beyond are the backing file's
 * @data: where the sectors begin
 * @merging: a merge into the backing file was begun, and is to be repeated
 */
struct cow {
	const char *path;
	int fd;
	const struct cow_layout *layout;
	unsigned int version;
	char *backing;
	unsigned int mtime;
	unsigned long long size;
	off_t bitmap;
	unsigned long long bitmap_length;
	off_t data;
	bool merging;
};

/**
 * struct cow_runs - a walk over the sectors that a COW file has itself
 * @cow: the file
 * @next: the first sector not yet looked at
 * @first: of the run found, the first byte of the disk
 * @length: its bytes
 * @piece: part of the bitmap, from its byte @loaded on
 */
struct cow_runs {
	const struct cow *cow;
	unsigned long long next;
	unsigned long long first, length;
	unsigned long long loaded;
	size_t n;
	unsigned char piece[65536];
};

bool cow_is(int fd);
char *cow_open(struct cow *cow, const char *path, int flags);
void cow_close(struct cow *cow);
char *cow_difference(const struct cow *cow);
char *cow_check(const char *path);
void cow_create(const char *path, const char *backing);

bool cow_next_run(struct cow_runs *runs);
bool cow_is_current(const struct cow *cow);
void cow_set_header(struct cow *cow, const char *backing, unsigned int mtime);
void cow_set_mtime(struct cow *cow, unsigned int mtime);
bool cow_mark_merging(struct cow *cow);
void cow_begin_version_3(struct cow *cow, int fd, const char *path, const char *backing,
			 unsigned int mtime, unsigned long long size);

#endif
