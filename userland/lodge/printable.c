// SPDX-License-Identifier: GPL-2.0
#include <stdbool.h>
#include <stddef.h>

#include "printable.h"

static bool is_control(unsigned int c)
{
	return (c < ' ' && c != '\n' && c != '\t') || (c >= 0x7f && c < 0xa0);
}

/**
 * utf8_decode - decode the character that a text begins with
 * @data: ends with a zero at the latest
 * @c: filled in
 *
 * Return: the length of the UTF-8 sequence in bytes, 0 if it is none.
 */
size_t utf8_decode(const char *data, unsigned int *c)
{
	static const unsigned int smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *text = (const unsigned char *)data;
	size_t length, i;

	*c = text[0];
	if (*c < 0x80)
		return 1;
	if (*c < 0xc0 || *c >= 0xf8)
		return 0;
	length = *c < 0xe0 ? 2 : *c < 0xf0 ? 3 : 4;
	*c &= 0x7f >> length;
	for (i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | (text[i] & 0x3f);
	}
	return *c < smallest[length] ? 0 : length;
}

/**
 * make_printable - replace what a terminal could take for a command
 * @text: from somebody who is not trusted
 *
 * Control characters become question marks, those above 0x7f too, and bytes that are not
 * UTF-8, which may be some: a newline and a tab stay.
 */
void make_printable(char *text)
{
	unsigned int c;
	size_t length;

	while (*text) {
		length = utf8_decode(text, &c);
		if (length && !is_control(c)) {
			text += length;
			continue;
		}
		*text++ = '?';
		for (; length > 1; length--)
			*text++ = '?';
	}
}
