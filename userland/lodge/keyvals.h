/* SPDX-License-Identifier: GPL-2.0 */
/* Files of "key value" lines: memory.stat and memory.events. */
#ifndef LODGE_KEYVALS_H
#define LODGE_KEYVALS_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct keyvals - the lines of one file, in its order
 * @list: the lines
 * @n: how many
 */
struct keyvals {
	struct keyval {
		char *key;
		unsigned long long value;
	} *list;
	size_t n;
};

int keyvals_read(struct keyvals *kv, const char *guest, const char *file);
bool keyvals_get(const struct keyvals *kv, const char *key, unsigned long long *value);
void keyvals_free(struct keyvals *kv);

#endif
