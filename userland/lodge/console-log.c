// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <unistd.h>

#include "console-log.h"
#include "rundir.h"
#include "util.h"

/**
 * console_log_path - where in a guest's directory the log of a console is
 * @id: of the console
 *
 * What was said before it is at the same path with ".1". Return: a path that the caller frees.
 */
char *console_log_path(const char *id)
{
	return xasprintf(RUNDIR_CONSOLES "/%s.log", id);
}

/**
 * console_log_open - begin a log in the present guest's directory
 * @log: filled in
 * @id: of the console
 * @kept: empty; must outlive the log
 */
void console_log_open(struct console_log *log, const char *id, struct kernel_log *kept)
{
	*log = (struct console_log){ .kept = kept, .path = console_log_path(id) };
	guest_log_open(&log->file, log->path);
}

/** console_log_add - remember output */
void console_log_add(struct console_log *log, const char *data, size_t length)
{
	kernel_log_add(log->kept, data, length);
	guest_log_write(&log->file, data, length);
}

/** console_log_first - where what is kept begins, in bytes since the guest has begun */
size_t console_log_first(const struct console_log *log)
{
	size_t written = log->kept->written;

	return written > KERNEL_LOG_KEPT ? written - KERNEL_LOG_KEPT : 0;
}

/**
 * console_log_piece - what follows a place in the log
 * @log: the log
 * @at: the place, not before console_log_first()
 * @length: of what lies there in one piece; 0 at the end of the log
 */
const char *console_log_piece(const struct console_log *log, size_t at, size_t *length)
{
	size_t from = at % KERNEL_LOG_KEPT;

	*length = log->kept->written - at;
	if (*length > KERNEL_LOG_KEPT - from)
		*length = KERNEL_LOG_KEPT - from;
	return log->kept->text + from;
}

/** console_log_close - end it; its files stay */
void console_log_close(struct console_log *log)
{
	if (log->file.fd >= 0)
		close(log->file.fd);
	free(log->path);
	log->path = NULL;
}
