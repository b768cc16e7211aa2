/* SPDX-License-Identifier: GPL-2.0 */
/* lodge top: samples of all guests, and the live screen that shows them. */
#ifndef LODGE_TOP_H
#define LODGE_TOP_H

#include <stdbool.h>
#include <stddef.h>

#include "guests.h"

/**
 * struct top_row - one guest at one moment
 * @name: of the guest
 * @now: its figures
 * @faults: page faults per second since the sample before; negative in a guest's first
 * @major: those that waited for the swap file, per second
 * @refaults: faults on pages evicted a short while ago, per second
 */
struct top_row {
	char *name;
	struct figures now;
	double faults, major, refaults;
};

enum top_order { TOP_BY_NAME, TOP_BY_MEMORY, TOP_BY_FAULTS, TOP_BY_SWAP, TOP_ORDERS };

/**
 * struct top - all guests at one moment
 * @rows: one for each, in the order asked for
 * @n: how many
 * @time: of the sample, in seconds
 * @order: what to sort by; biggest first, names from A to Z
 * @reverse: the other way round
 */
struct top {
	struct top_row *rows;
	size_t n;
	double time;
	enum top_order order;
	bool reverse;
};

extern const char *const top_order_names[TOP_ORDERS];

void top_sample(struct top *top);
void top_sort(struct top *top);
void top_free(struct top *top);
void top_screen(struct top *top, double delay);

#endif
