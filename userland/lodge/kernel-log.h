/* SPDX-License-Identifier: GPL-2.0 */
/* What a full guest's kernel says: the last of it, kept in case the guest fails. */
#ifndef LODGE_KERNEL_LOG_H
#define LODGE_KERNEL_LOG_H

#include <stdbool.h>
#include <stddef.h>

#define KERNEL_LOG_KEPT 65536

/**
 * struct kernel_log - the end of a log
 * @fd: the read end of a pipe that the guest writes to; -1 at its end, or if there is none
 * @live: also copy everything to standard error
 * @text: a ring
 * @written: bytes ever put into it
 */
struct kernel_log {
	int fd;
	bool live;
	char text[KERNEL_LOG_KEPT];
	size_t written;
};

void kernel_log_add(struct kernel_log *log, const char *data, size_t length);
void kernel_log_read(struct kernel_log *log);
char *kernel_log_tail(const struct kernel_log *log, size_t lines);

#endif
