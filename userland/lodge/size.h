/* SPDX-License-Identifier: GPL-2.0 */
/* Sizes in bytes, as people write and read them. */
#ifndef LODGE_SIZE_H
#define LODGE_SIZE_H

#include <stdbool.h>
#include <limits.h>

#define SIZE_NO_LIMIT ULLONG_MAX
#define SIZE_TEXT 24

bool size_parse(const char *text, unsigned long long *bytes);
const char *size_exact(char buf[SIZE_TEXT], unsigned long long bytes);
const char *size_human(char buf[SIZE_TEXT], unsigned long long bytes);

#endif
