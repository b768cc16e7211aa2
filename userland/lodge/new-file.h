/* SPDX-License-Identifier: GPL-2.0 */
/* Files that are there whole or not at all, and bytes read, written and copied to the last one. */
#ifndef LODGE_NEW_FILE_H
#define LODGE_NEW_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/**
 * struct new_file - a file that has no name yet
 * @path: the name it is to have
 * @fd: open for reading and writing
 * @directory: where file systems without O_TMPFILE hold it, or NULL
 */
struct new_file {
	const char *path;
	int fd;
	char *directory;
};

void new_file_open(struct new_file *file, const char *path);
void new_file_set_size(const struct new_file *file, unsigned long long size);
void new_file_name(struct new_file *file, bool replace);

void file_read(int fd, const char *path, void *bytes, size_t n, off_t at);
void file_write(int fd, const char *path, const void *bytes, size_t n, off_t at);
void file_sync(int fd, const char *path);

/**
 * struct file_part - bytes of an open file
 * @fd: the file
 * @path: its name, for messages
 * @at: the first byte
 */
struct file_part {
	int fd;
	const char *path;
	off_t at;
};

void file_copy(struct file_part from, struct file_part to, unsigned long long n);
void file_copy_sparse(struct file_part from, struct file_part to, unsigned long long n,
		      void (*progress)(off_t at));
bool file_same(int a, const char *a_path, int b, const char *b_path, unsigned long long n);

#endif
