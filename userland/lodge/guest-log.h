/* SPDX-License-Identifier: GPL-2.0 */
/* A log of a guest in the runtime directory, which is bounded: the last output is kept. */
#ifndef LODGE_GUEST_LOG_H
#define LODGE_GUEST_LOG_H

#include <stddef.h>

/**
 * struct guest_log - such a log
 * @path: of its file in the guest's directory; what was said before is at the same path with ".1"
 * @fd: the file, or -1
 * @length: bytes in it
 */
struct guest_log {
	const char *path;
	int fd;
	size_t length;
};

void guest_log_open(struct guest_log *log, const char *path);
void guest_log_write(struct guest_log *log, const char *data, size_t length);

#endif
