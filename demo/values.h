/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEMO_VALUES_H
#define DEMO_VALUES_H

#include <stddef.h>

/* With its header, such a value fills one page of redis' allocator. */
#define VALUE_SIZE 4000

void value_make(char *value, unsigned long key);

#endif
