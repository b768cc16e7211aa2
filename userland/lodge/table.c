// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "guests.h"
#include "size.h"
#include "table.h"
#include "util.h"

/** table_add - add a cell; a row is full after as many as there are columns */
void table_add(struct table *table, const char *cell)
{
	table->cells = xrealloc(table->cells, table->n + 1, sizeof(*table->cells));
	table->cells[table->n++] = xstrdup(cell);
}

/** table_add_size - add a cell with a size, rounded for reading; FIGURE_NONE as a dash */
void table_add_size(struct table *table, unsigned long long bytes)
{
	char text[SIZE_TEXT];

	table_add(table, bytes == FIGURE_NONE ? "-" : size_human(text, bytes));
}

/** table_add_count - add a cell with a number; FIGURE_NONE as a dash */
void table_add_count(struct table *table, unsigned long long count)
{
	char *text cleanup_free = xasprintf("%llu", count);

	table_add(table, count == FIGURE_NONE ? "-" : text);
}

static size_t width(const struct table *table, size_t column)
{
	size_t i, len, widest = 0;

	for (i = column; i < table->n; i += table->columns) {
		len = strlen(table->cells[i]);
		if (len > widest)
			widest = len;
	}
	return widest;
}

/** table_print - print the rows and empty the table */
void table_print(struct table *table)
{
	int *widths cleanup_free = xcalloc(table->columns, sizeof(*widths));
	size_t i, column;

	for (column = 0; column < table->columns; column++)
		widths[column] = width(table, column);
	for (i = 0; i < table->n; i++) {
		column = i % table->columns;
		if (table->right[column] == 'r')
			printf("%*s", widths[column], table->cells[i]);
		else if (column + 1 < table->columns)
			printf("%-*s", widths[column], table->cells[i]);
		else
			printf("%s", table->cells[i]);
		fputs(column + 1 < table->columns ? "  " : "\n", stdout);
		free(table->cells[i]);
	}
	free(table->cells);
	table->cells = NULL;
	table->n = 0;
}
