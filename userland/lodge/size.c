// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "size.h"

/* What a size may have behind it, as the module takes it; only what is shown may be larger. */
static const char units[] = "KMGT";
static const char shown_units[] = "KMGTPE";

/**
 * size_parse - read a size
 * @text: "max", or a whole number with at most one of K, M, G, T behind it (powers of 1024,
 *        either case, "iB" or "B" allowed after it)
 * @bytes: where it goes; SIZE_NO_LIMIT for "max"
 *
 * Return: false when @text is anything else, or more than fits.
 */
bool size_parse(const char *text, unsigned long long *bytes)
{
	const char *unit;
	uintmax_t value;
	int shift = 0;
	char *end;

	if (!strcmp(text, "max")) {
		*bytes = SIZE_NO_LIMIT;
		return true;
	}
	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	value = strtoumax(text, &end, 10);
	if (errno)
		return false;
	unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
	if (unit) {
		shift = 10 * (unit - units + 1);
		end++;
		if (*end && strcasecmp(end, "iB") && strcasecmp(end, "B"))
			return false;
	} else if (*end && strcasecmp(end, "B")) {
		return false;
	}
	/* The largest value stands for "max" and is no size. */
	if (value > (SIZE_NO_LIMIT - 1) >> shift)
		return false;
	*bytes = value << shift;
	return true;
}

/** size_exact - write a size so that size_parse() gives back the same number; returns @buf */
const char *size_exact(char buf[SIZE_TEXT], unsigned long long bytes)
{
	int unit = -1;

	while (bytes != SIZE_NO_LIMIT && bytes && !(bytes & 1023) && units[unit + 1]) {
		bytes >>= 10;
		unit++;
	}
	if (bytes == SIZE_NO_LIMIT)
		snprintf(buf, SIZE_TEXT, "max");
	else if (unit < 0)
		snprintf(buf, SIZE_TEXT, "%llu", bytes);
	else
		snprintf(buf, SIZE_TEXT, "%llu%c", bytes, units[unit]);
	return buf;
}

/** size_human - write a size in at most five characters, rounded; returns @buf */
const char *size_human(char buf[SIZE_TEXT], unsigned long long bytes)
{
	double value = bytes;
	int unit = -1;

	while (value >= 1023.5 && shown_units[unit + 1]) {
		value /= 1024;
		unit++;
	}
	if (bytes == SIZE_NO_LIMIT)
		snprintf(buf, SIZE_TEXT, "max");
	else if (unit < 0)
		snprintf(buf, SIZE_TEXT, "%llu", bytes);
	else if (value < 99.95 && value != (unsigned long long)value)
		snprintf(buf, SIZE_TEXT, "%.1f%c", value, shown_units[unit]);
	else
		snprintf(buf, SIZE_TEXT, "%.0f%c", value, shown_units[unit]);
	return buf;
}
