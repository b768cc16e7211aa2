/* SPDX-License-Identifier: GPL-2.0 */
/* The log of a guest in the runtime directory, which is bounded: the last output is kept. */
#ifndef LODGE_GUEST_LOG_H
#define LODGE_GUEST_LOG_H

#include <stddef.h>

/**
 * struct guest_log - such a log
 * @fd: its file, or -1
 * @length: bytes in it
 */
struct guest_log {
	int fd;
	size_t length;
};

void guest_log_open(struct guest_log *log);
void guest_log_write(struct guest_log *log, const char *data, size_t length);

#endif
