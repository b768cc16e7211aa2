// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "error.h"
#include "guest-log.h"
#include "util.h"

/* The runtime directory is memory: of the log, this much and as much before it is kept. */
#define FILE_MAX (512U << 10)

static void make(struct guest_log *log)
{
	log->fd = open(log->path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	log->length = 0;
}

/**
 * guest_log_open - begin a log of the guest whose directory this is
 * @log: filled in
 * @path: of its file there; stays the caller's, and must outlive the log
 */
void guest_log_open(struct guest_log *log, const char *path)
{
	log->path = path;
	make(log);
	if (log->fd < 0)
		die_errno(errno, "%s", path);
}

/** guest_log_write - add to the log; a full disk costs the log, not the guest */
void guest_log_write(struct guest_log *log, const char *data, size_t length)
{
	char *before cleanup_free = NULL;

	if (log->length > FILE_MAX) {
		before = xasprintf("%s.1", log->path);
		rename(log->path, before);
		close(log->fd);
		make(log);
	}
	if (log->fd >= 0 && write(log->fd, data, length) > 0)
		log->length += length;
}
