// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lodge.h"
#include "top.h"
#include "util.h"

const char *const top_order_names[TOP_ORDERS] = { "name", "memory", "faults", "swap" };

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static double rate(unsigned long long before, unsigned long long after, double seconds)
{
	if (before == FIGURE_NONE || after == FIGURE_NONE || after < before || seconds <= 0)
		return -1;
	return (after - before) / seconds;
}

static const struct top_row *find_row(const struct top *top, const char *name)
{
	size_t i;

	for (i = 0; i < top->n; i++)
		if (!strcmp(top->rows[i].name, name))
			return &top->rows[i];
	return NULL;
}

/**
 * top_sample - replace a sample by a new one, with rates over the time between
 * @top: the sample before; all zero for the first
 */
void top_sample(struct top *top)
{
	struct top next = { .order = top->order, .reverse = top->reverse, .time = now() };
	double seconds = next.time - top->time;
	const struct top_row *before;
	struct guests guests;
	struct top_row *row;
	size_t i;

	guests_read(&guests);
	next.rows = xcalloc(guests.n, sizeof(*next.rows));
	for (i = 0; i < guests.n; i++) {
		row = &next.rows[next.n];
		if (!figures_read(&row->now, guests.names[i]))
			continue;
		next.n++;
		row->name = xstrdup(guests.names[i]);
		before = find_row(top, row->name);
		row->faults = before ? rate(before->now.faults, row->now.faults, seconds) : -1;
		row->major = before ? rate(before->now.major, row->now.major, seconds) : -1;
		row->refaults = before ?
			rate(before->now.refaults, row->now.refaults, seconds) : -1;
	}
	guests_free(&guests);
	top_free(top);
	*top = next;
	top_sort(top);
}

static int compare(double a, double b)
{
	return (a > b) - (a < b);
}

static double known(unsigned long long figure)
{
	return figure == FIGURE_NONE ? -1 : (double)figure;
}

static int by_order(const void *pa, const void *pb, void *arg)
{
	const struct top_row *a = pa, *b = pb;
	const struct top *top = arg;
	int diff = 0;

	switch (top->order) {
	case TOP_BY_MEMORY:
		diff = compare(known(b->now.current), known(a->now.current));
		break;
	case TOP_BY_FAULTS:
		diff = compare(b->faults, a->faults);
		break;
	case TOP_BY_SWAP:
		diff = compare(known(b->now.swap), known(a->now.swap));
		break;
	default:
		break;
	}
	if (!diff)
		diff = strcmp(a->name, b->name);
	return top->reverse ? -diff : diff;
}

/** top_sort - bring the rows into the order that @top asks for */
void top_sort(struct top *top)
{
	if (top->n)
		qsort_r(top->rows, top->n, sizeof(*top->rows), by_order, top);
}

/** top_free - give back what a sample holds */
void top_free(struct top *top)
{
	size_t i;

	for (i = 0; i < top->n; i++)
		free(top->rows[i].name);
	free(top->rows);
	top->rows = NULL;
	top->n = 0;
}
