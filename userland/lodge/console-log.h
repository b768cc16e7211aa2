/* SPDX-License-Identifier: GPL-2.0 */
/* What a guest has said at a console: the last of it in memory, more of it in two files. */
#ifndef LODGE_CONSOLE_LOG_H
#define LODGE_CONSOLE_LOG_H

#include <stddef.h>

#include "guest-log.h"
#include "kernel-log.h"

/**
 * struct console_log - the log of a console
 * @kept: the last of it
 * @path: of the file in the guest's directory
 * @file: there
 */
struct console_log {
	struct kernel_log *kept;
	char *path;
	struct guest_log file;
};

char *console_log_path(const char *id);
void console_log_open(struct console_log *log, const char *id, struct kernel_log *kept);
void console_log_add(struct console_log *log, const char *data, size_t length);
size_t console_log_first(const struct console_log *log);
const char *console_log_piece(const struct console_log *log, size_t at, size_t *length);
void console_log_close(struct console_log *log);

#endif
