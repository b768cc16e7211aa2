// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "keyvals.h"
#include "util.h"

static bool parse_line(char *line, struct keyval *kv)
{
	char *value = strchr(line, ' ');
	char *end;

	if (!value || value == line || !isdigit((unsigned char)value[1]))
		return false;
	*value++ = '\0';
	errno = 0;
	kv->value = strtoull(value, &end, 10);
	if (errno || *end)
		return false;
	kv->key = xstrdup(line);
	return true;
}

/**
 * keyvals_read - read a file of "key value" lines; lines of another form are skipped
 * @kv: filled in; the caller frees it with keyvals_free(), on failure too
 * @guest: name
 * @file: name
 *
 * Return: 0 or a negative error number.
 */
int keyvals_read(struct keyvals *kv, const char *guest, const char *file)
{
	char *text cleanup_free = control_read(guest, file);
	char *line, *rest;

	*kv = (struct keyvals){ 0 };
	if (!text)
		return -errno;
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		kv->list = xrealloc(kv->list, kv->n + 1, sizeof(*kv->list));
		if (parse_line(line, &kv->list[kv->n]))
			kv->n++;
	}
	return 0;
}

/** keyvals_get - find the value of @key; false, and @value untouched, when it is not there */
bool keyvals_get(const struct keyvals *kv, const char *key, unsigned long long *value)
{
	size_t i;

	for (i = 0; i < kv->n; i++) {
		if (!strcmp(kv->list[i].key, key)) {
			*value = kv->list[i].value;
			return true;
		}
	}
	return false;
}

/** keyvals_free - give back what keyvals_read() took */
void keyvals_free(struct keyvals *kv)
{
	size_t i;

	for (i = 0; i < kv->n; i++)
		free(kv->list[i].key);
	free(kv->list);
	*kv = (struct keyvals){ 0 };
}
