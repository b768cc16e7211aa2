/* SPDX-License-Identifier: GPL-2.0 */
/* Tables on stdout: columns as wide as their widest cell. */
#ifndef LODGE_TABLE_H
#define LODGE_TABLE_H

#include <stddef.h>

/**
 * struct table - rows of cells
 * @columns: number of columns
 * @right: for each column 'r' if its cells are to stand at its right edge, else 'l'
 * @cells: row by row
 * @n: number of cells
 */
struct table {
	size_t columns;
	const char *right;
	char **cells;
	size_t n;
};

void table_add(struct table *table, const char *cell);
void table_add_size(struct table *table, unsigned long long bytes);
void table_add_count(struct table *table, unsigned long long count);
void table_print(struct table *table);

#endif
