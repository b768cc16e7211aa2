// SPDX-License-Identifier: GPL-2.0
/* Text of any length; see text.h. */
#include "guest-core/text.h"

#define TEXT_FIRST	512

static bool text_grow(struct text *text, size_t need)
{
	size_t size = text->size ? text->size : TEXT_FIRST;
	char *data;

	while (size < need)
		size *= 2;
	data = kvmalloc(size, GFP_KERNEL);
	if (!data)
		return false;
	if (text->len)
		memcpy(data, text->data, text->len);
	kvfree(text->data);
	text->data = data;
	text->size = size;
	return true;
}

void text_printf(struct text *text, const char *fmt, ...)
{
	size_t room = text->size - text->len;
	va_list args;
	int n;

	if (text->err)
		return;
	va_start(args, fmt);
	n = vsnprintf(room ? text->data + text->len : NULL, room, fmt, args);
	va_end(args);
	if ((size_t)n >= room) {
		if (!text_grow(text, text->len + n + 1)) {
			text->err = -ENOMEM;
			return;
		}
		va_start(args, fmt);
		vsnprintf(text->data + text->len, text->size - text->len, fmt, args);
		va_end(args);
	}
	text->len += n;
}

void text_free(struct text *text)
{
	kvfree(text->data);
	memset(text, 0, sizeof(*text));
}
