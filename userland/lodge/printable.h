/* SPDX-License-Identifier: GPL-2.0 */
/* Text that a guest may have written, on its way to a terminal or into a file. */
#ifndef LODGE_PRINTABLE_H
#define LODGE_PRINTABLE_H

#include <stddef.h>

size_t utf8_decode(const char *data, unsigned int *c);
void make_printable(char *text);

#endif
