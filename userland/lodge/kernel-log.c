// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "kernel-log.h"
#include "util.h"

/** kernel_log_add - remember what the guest has said */
void kernel_log_add(struct kernel_log *log, const char *data, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++)
		log->text[log->written++ % KERNEL_LOG_KEPT] = data[i];
}

/** kernel_log_read - take what has come; the pipe must be ready to be read */
void kernel_log_read(struct kernel_log *log)
{
	char data[4096];
	ssize_t n;

	n = read(log->fd, data, sizeof(data));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		close(log->fd);
		log->fd = -1;
		return;
	}
	kernel_log_add(log, data, n);
	if (log->live && fwrite(data, 1, n, stderr) != (size_t)n)
		log->live = false;
}

/**
 * kernel_log_tail - the last lines of the log
 * @lines: how many
 *
 * A guest wrote it: what a terminal could take for a command is replaced.
 *
 * Return: text that ends with a newline unless it is empty; the caller frees it.
 */
char *kernel_log_tail(const struct kernel_log *log, size_t lines)
{
	size_t first = log->written > KERNEL_LOG_KEPT ? log->written - KERNEL_LOG_KEPT : 0;
	char *text = xcalloc(log->written - first + 2, 1);
	size_t i, n = 0, start;
	char c;

	for (i = first; i < log->written; i++) {
		c = log->text[i % KERNEL_LOG_KEPT];
		if (c == '\r')
			continue;
		text[n++] = (c >= ' ' && c < 127) || c == '\n' || c == '\t' ? c : '?';
	}
	while (n && text[n - 1] == '\n')
		n--;
	for (start = n; start; start--)
		if (text[start - 1] == '\n' && !--lines)
			break;
	memmove(text, text + start, n - start);
	n -= start;
	if (n)
		text[n++] = '\n';
	text[n] = '\0';
	return text;
}
