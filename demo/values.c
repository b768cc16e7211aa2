// SPDX-License-Identifier: GPL-2.0
/* The value of a key: computed, so that nobody has to keep it to know it. */
#include <string.h>

#include "values.h"

/* Half of each piece is random, half repeats: LZ4 makes about half of it. */
#define PIECE 80
#define RANDOM 40

static unsigned long mix(unsigned long x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9;
	x ^= x >> 27;
	x *= 0x94d049bb133111eb;
	return x ^ x >> 31;
}

/** value_make - compute the VALUE_SIZE bytes that belong to a key */
void value_make(char *value, unsigned long key)
{
	static const char text[PIECE - RANDOM + 1] = "a value of the lodge demo, made for you ";
	unsigned long state = mix(key + 1), word;
	size_t at, i;

	for (at = 0; at < VALUE_SIZE; at += PIECE) {
		for (i = 0; i < RANDOM; i += sizeof(word)) {
			state += 0x9e3779b97f4a7c15;
			word = mix(state);
			memcpy(value + at + i, &word, sizeof(word));
		}
		memcpy(value + at + RANDOM, text, PIECE - RANDOM);
	}
}
