/* SPDX-License-Identifier: GPL-2.0 */
/* Files that describe guests: lodge.conf(5). What a key means is lodge boot's business. */
#ifndef LODGE_DESCRIPTION_H
#define LODGE_DESCRIPTION_H

#include <stdbool.h>
#include <stddef.h>

/* What stands in a file beside the options of lodge boot: what the guest runs. */
#define DESCRIPTION_COMMAND "command"

/**
 * struct setting - one line of a section
 * @key: what stands before the equals sign
 * @value: what stands behind it; of a guest, with all % replaced
 * @line: of the file
 * @own: it is not one of the defaults
 */
struct setting {
	char *key, *value;
	unsigned int line;
	bool own;
};

/**
 * struct section - a section, or one of the guests that it stands for
 * @name: what stands in the brackets, or the guest's name
 * @line: of the brackets
 * @settings: of a guest, the defaults' before its own
 * @n: how many
 */
struct section {
	char *name;
	unsigned int line;
	struct setting *settings;
	size_t n;
};

/**
 * struct description - what a file says
 * @file: its path, as it was given
 * @guests: in the order of the file
 * @n: how many
 */
struct description {
	const char *file;
	struct section *guests;
	size_t n;
};

void description_read(struct description *description, const char *file);
void description_enter(const struct description *description);
const struct section *description_find(const struct description *description, const char *guest);

void description_line(unsigned int line);
void description_at(const struct section *guest, const struct setting *setting);

/* Of description-guests.c: the guests that sections stand for. */
void description_expand(struct description *description, const struct section *defaults,
			const struct section *section);
void description_check_shared(const struct description *description);

#endif
