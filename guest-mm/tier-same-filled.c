// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that repeat one word: they take no memory, the handle is the word.
 *
 * The tier keeps nothing of its own, so one object serves all pools.
 */
#include "guest-mm/tier.h"

#define WORDS	(PAGE_SIZE / sizeof(unsigned long))

static struct tier same_filled;

static int same_filled_create(struct pool *pool, struct tier **tier)
{
	*tier = &same_filled;
	return 0;
}

static void same_filled_destroy(struct tier *tier)
{
}

static int same_filled_store(struct tier *tier, const void *data, unsigned long *handle)
{
	const unsigned long *word = data;

	/* Pages that differ often begin alike, with zeroes: the last word tells sooner. */
	if (word[0] != word[WORDS - 1] || memcmp(word, word + 1, PAGE_SIZE - sizeof(*word)))
		return -EINVAL;
	*handle = word[0];
	return 0;
}

static int same_filled_load(struct tier *tier, unsigned long handle, void *data)
{
	unsigned long *word = data;
	unsigned int i;

	if (!handle) {
		memset(data, 0, PAGE_SIZE);
		return 0;
	}
	for (i = 0; i < WORDS; i++)
		word[i] = handle;
	return 0;
}

static void same_filled_drop(struct tier *tier, unsigned long handle)
{
}

static unsigned long same_filled_used_pages(struct tier *tier)
{
	return 0;
}

const struct tier_ops tier_same_filled_ops = {
	.name = "same-filled",
	.create = same_filled_create,
	.destroy = same_filled_destroy,
	.store = same_filled_store,
	.load = same_filled_load,
	.drop = same_filled_drop,
	.used_pages = same_filled_used_pages,
};
