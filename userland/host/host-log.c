// SPDX-License-Identifier: GPL-2.0
/* host.h in user space: text, log and complaints about bugs. */
#include "userland/host/host-user.h"

ssize_t strscpy(char *to, const char *from, size_t size)
{
	size_t len = strnlen(from, size);

	if (!size)
		return -E2BIG;
	if (len == size) {
		memcpy(to, from, size - 1);
		to[size - 1] = 0;
		return -E2BIG;
	}
	memcpy(to, from, len + 1);
	return len;
}

static atomic_long_t lines[HOST_LOG_ERR + 1];

void host_log(enum host_log_level level, const char *fmt, ...)
{
	va_list args;

	atomic_long_inc(&lines[level]);
	if (!getenv("HOST_LOG"))
		return;
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
}

unsigned long host_log_count(enum host_log_level level)
{
	return atomic_long_read(&lines[level]);
}

void host_bug(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: %s\n", file, line, what);
	abort();
}
