/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEMO_WATCH_H
#define DEMO_WATCH_H

#include <stdbool.h>
#include <stddef.h>

#define MAX_GUESTS 8

/**
 * struct guest - what is known of one guest
 * @name: its name, a directory of the control tree
 * @note: one line in which the demo says what runs in it
 * @limit: memory.max; sizes are in bytes
 * @current: memory.current
 * @peak: memory.peak
 * @resident: of @current, in frames
 * @store: of @current, the compressed store
 * @tables: of @current, what the guest needs to keep account of its pages
 * @stored: what is in the store, before compression
 * @swap: what is in the swap file
 * @majors: faults that brought a page back, since it was made
 * @rate: @majors by second, over the last seconds
 */
struct guest {
	const char *name;
	char note[128];
	unsigned long long limit, current, peak, resident, store, tables, stored, swap;
	unsigned long long majors;
	double rate;
};

/**
 * struct bystander - what the process outside every guest says
 * @anon: its RssAnon in bytes
 * @rounds: how often it has summed up its memory
 * @wrong: how often the sum was another
 * @faults: its page faults since its memory was filled
 * @pool: mappings of it that are a guest's
 */
struct bystander {
	unsigned long long anon;
	long rounds, wrong, faults, pool;
};

struct picture {
	double seconds;
	struct guest guests[MAX_GUESTS];
	size_t n;
	struct bystander outside;
	unsigned long long available;
};

void sample_guest(struct guest *guest, const char *notes);
void sample_outside(struct bystander *outside, const char *state);
unsigned long long sample_available(void);

void view_screen(const struct picture *picture, bool unicode);
void view_lines(const struct picture *picture);

#endif
