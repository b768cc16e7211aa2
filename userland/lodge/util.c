// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "error.h"
#include "util.h"

/** xcalloc - calloc() that ends the program instead of failing; the caller frees */
void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size);

	if (!p)
		die_errno(ENOMEM, "memory of lodge itself");
	return p;
}

/** xrealloc - reallocarray() that ends the program instead of failing; the caller frees */
void *xrealloc(void *p, size_t n, size_t size)
{
	p = reallocarray(p, n ? n : 1, size);
	if (!p)
		die_errno(ENOMEM, "memory of lodge itself");
	return p;
}

/** xstrdup - strdup() that ends the program instead of failing; the caller frees */
char *xstrdup(const char *s)
{
	return xstrndup(s, strlen(s));
}

/** xstrndup - strndup() that ends the program instead of failing; the caller frees */
char *xstrndup(const char *s, size_t n)
{
	char *p = strndup(s, n);

	if (!p)
		die_errno(ENOMEM, "memory of lodge itself");
	return p;
}

/** xasprintf - asprintf() that ends the program instead of failing; the caller frees */
char *xasprintf(const char *fmt, ...)
{
	char *text;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		die_errno(ENOMEM, "memory of lodge itself");
	return text;
}

/** starts_with - whether @s begins with @prefix */
bool starts_with(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Optimal string alignment: insert, delete, replace, swap two neighbours, each at cost one. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t *rows cleanup_free = xcalloc(strlen(b) + 1, 3 * sizeof(*rows));
	size_t la = strlen(a), lb = strlen(b), i, j, differ;
	size_t *older = rows, *old = rows + lb + 1, *now = rows + 2 * (lb + 1), *swap;

	for (j = 0; j <= lb; j++)
		old[j] = j;
	for (i = 1; i <= la; i++) {
		now[0] = i;
		for (j = 1; j <= lb; j++) {
			differ = a[i - 1] != b[j - 1];
			now[j] = min3(old[j] + 1, now[j - 1] + 1, old[j - 1] + differ);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    older[j - 2] + 1 < now[j])
				now[j] = older[j - 2] + 1;
		}
		swap = older;
		older = old;
		old = now;
		now = swap;
	}
	return old[lb];
}

/**
 * nearest - the word that a mistyped one was meant to be
 * @word: what was typed
 * @words: what it could have been
 * @n: how many
 *
 * Return: one of @words, or NULL when none is near enough to be worth suggesting.
 */
const char *nearest(const char *word, const char *const *words, size_t n)
{
	size_t i, d, best = strlen(word) / 3 + 2;
	const char *found = NULL;

	for (i = 0; i < n; i++) {
		d = edit_distance(word, words[i]);
		if (d < best) {
			best = d;
			found = words[i];
		}
	}
	return found;
}

/** now_ms - milliseconds of the monotonic clock */
long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}
