/* SPDX-License-Identifier: GPL-2.0 */
/* What is to be written to the files of a guest: collected, checked, written all or none. */
#ifndef LODGE_SETTINGS_H
#define LODGE_SETTINGS_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

#include "lodge.h"

/**
 * struct settings - values for the files of a guest
 * @list: in the order in which they are to be written
 * @n: how many
 */
struct settings {
	struct setting {
		char *field;
		char *value;
		char *old;
	} *list;
	size_t n;
};

/* The options that run, create and set share; a command's own follow OPT_SETTINGS_END. */
enum {
	OPT_MIN = OPT_LONG_ONLY,
	OPT_SWAP,
	OPT_SWAP_MAX,
	OPT_ZSWAP_MAX,
	OPT_SETTINGS_END,
};

#define SETTINGS_USAGE								\
	"  -m, --memory SIZE      limit of its memory (memory.max)\n"		\
	"      --min SIZE         memory set aside for it (memory.min)\n"	\
	"      --swap FILE[:SIZE] its own swap file; made if it is not there\n"	\
	"      --swap-max SIZE    limit of what goes to it (memory.swap.max)\n"	\
	"      --zswap-max SIZE   limit of the compressed store (memory.zswap.max)\n"

void settings_add(struct settings *s, const char *field, const char *value);
int settings_getopt(struct settings *s, int argc, char **argv, const char *letters,
		    const struct option *own);
const char *settings_get(const struct settings *s, const char *field);
void settings_check(struct settings *s, const char *guest);
void settings_check_fields(const struct settings *s, const char *guest);
int settings_apply(struct settings *s, const char *guest, bool undo);
void settings_free(struct settings *s);

#endif
