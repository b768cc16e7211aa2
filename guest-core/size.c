// SPDX-License-Identifier: GPL-2.0
/* Sizes as they are written to control files. */
#include "guest-core/guest.h"

/* Powers of 1024 that a letter stands for; -1: no such letter. */
static int size_shift(char unit)
{
	switch (unit) {
	case 'K': case 'k':
		return 10;
	case 'M': case 'm':
		return 20;
	case 'G': case 'g':
		return 30;
	case 'T': case 't':
		return 40;
	default:
		return -1;
	}
}

int size_parse(const char *text, u64 *bytes)
{
	unsigned int digit;
	int shift = 0;
	u64 value = 0;

	if (!strcmp(text, "max")) {
		*bytes = SIZE_UNLIMITED;
		return 0;
	}
	if (*text < '0' || *text > '9')
		return -EINVAL;
	for (; *text >= '0' && *text <= '9'; text++) {
		digit = *text - '0';
		if (value > (SIZE_UNLIMITED - 1 - digit) / 10)
			return -ERANGE;
		value = value * 10 + digit;
	}
	if (*text) {
		shift = size_shift(*text);
		if (shift < 0 || text[1])
			return -EINVAL;
	}
	if (value > (SIZE_UNLIMITED - 1) >> shift)
		return -ERANGE;
	*bytes = value << shift;
	return 0;
}
