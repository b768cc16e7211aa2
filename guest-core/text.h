/* SPDX-License-Identifier: GPL-2.0 */
/* Text of any length, built piece by piece: what a read of a control file gives. */
#ifndef LODGE_TEXT_H
#define LODGE_TEXT_H

#include "guest-core/host.h"

/**
 * struct text - a growing piece of text; all zero is an empty one
 * @data: the text, not terminated; NULL while empty
 * @len: its length in bytes
 * @size: bytes allocated
 * @err: -ENOMEM once something did not fit; the text is then incomplete
 */
struct text {
	char *data;
	size_t len;
	size_t size;
	int err;
};

/** text_printf() - append; failures are collected in text->err */
void text_printf(struct text *text, const char *fmt, ...) __printf(2, 3);

/** text_free() - give the memory back; the text is empty then */
void text_free(struct text *text);

#endif /* LODGE_TEXT_H */
