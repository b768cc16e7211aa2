/* SPDX-License-Identifier: GPL-2.0 */
/* Memory, text, time: allocation that cannot fail, clean-up at the end of a scope, near names. */
#ifndef LODGE_UTIL_H
#define LODGE_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free_p(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_fd_p(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_file_p(FILE **file)
{
	if (*file)
		fclose(*file);
}

#ifndef __printf
#define __printf_checked(text, first) format(printf, text, first)
#define __printf(text, first) __attribute__((__printf_checked(text, first)))
#endif

#define cleanup_free __attribute__((cleanup(cleanup_free_p)))
#define cleanup_fd __attribute__((cleanup(cleanup_fd_p)))
#define cleanup_file __attribute__((cleanup(cleanup_file_p)))

void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) __printf(1, 2);

long long now_ms(void);
bool starts_with(const char *s, const char *prefix);
const char *nearest(const char *word, const char *const *words, size_t n);

#endif
