// SPDX-License-Identifier: GPL-2.0
/* The guests that sections of a description stand for: several alike, defaults, % in values. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "description.h"
#include "error.h"
#include "guests.h"
#include "lodge.h"
#include "util.h"

#define ALIKE_MAX 1000

/**
 * struct range - the numbers of guests that are alike
 * @given: there are some
 * @head: what the names begin with
 * @tail: what they end with
 * @first: of the numbers
 * @last: of them
 * @width: digits of each, with zeros in front
 */
struct range {
	bool given;
	char *head, *tail;
	unsigned long first, last;
	int width;
};

static unsigned long number(const char *section, const char *text, char **end)
{
	unsigned long n;

	errno = 0;
	n = strtoul(text, end, 10);
	if (*text < '0' || *text > '9' || errno)
		die("[%s]: not NAME{FIRST..LAST}", section);
	return n;
}

/* NAME{FIRST..LAST}, as the shell has it. */
static struct range parse_range(const char *section)
{
	const char *brace = strchr(section, '{');
	struct range range = { 0 };
	char *end;

	if (!brace)
		return range;
	range.given = true;
	range.head = xstrndup(section, brace - section);
	range.first = number(section, brace + 1, &end);
	if (brace[1] == '0')
		range.width = end - brace - 1;
	if (!starts_with(end, ".."))
		die("[%s]: not NAME{FIRST..LAST}", section);
	range.last = number(section, end + 2, &end);
	if (*end != '}' || strchr(end + 1, '{'))
		die("[%s]: not NAME{FIRST..LAST}", section);
	range.tail = xstrdup(end + 1);
	if (range.last < range.first)
		die("[%s]: the last is before the first", section);
	if (range.last - range.first >= ALIKE_MAX)
		die("[%s]: more than %d guests", section, ALIKE_MAX);
	return range;
}

static void append(char **text, const char *more, size_t n)
{
	size_t length = strlen(*text);

	*text = xrealloc(*text, length + n + 1, 1);
	memcpy(*text + length, more, n);
	(*text)[length + n] = '\0';
}

/* %n is the guest's name, %i its number, %% a percent sign. */
static const char *replacement(char letter, const char *name, const char *index)
{
	switch (letter) {
	case 'n':
		return name;
	case 'i':
		if (!index)
			die("%%i: only a guest of [NAME{FIRST..LAST}] has a number");
		return index;
	case '%':
		return "%";
	}
	die("%%%.1s: there are %%n, the guest's name, %%i, its number, and %%%%", &letter);
}

static char *replace(const char *value, const char *name, const char *index)
{
	const char *percent, *with;
	char *text = xstrdup("");

	for (; (percent = strchr(value, '%')); value = percent + 2) {
		append(&text, value, percent - value);
		with = replacement(percent[1], name, index);
		append(&text, with, strlen(with));
	}
	append(&text, value, strlen(value));
	return text;
}

/* A key without a value takes back what was said before: the defaults. */
static void forget(struct section *guest, const char *key)
{
	size_t i, n = 0;

	for (i = 0; i < guest->n; i++) {
		if (!strcmp(guest->settings[i].key, key)) {
			free(guest->settings[i].key);
			free(guest->settings[i].value);
		} else {
			guest->settings[n++] = guest->settings[i];
		}
	}
	guest->n = n;
}

static void add_settings(struct section *guest, const struct section *section, bool own)
{
	const struct setting *setting;
	size_t i;

	for (i = 0; i < section->n; i++) {
		setting = section->settings + i;
		if (!*setting->value) {
			forget(guest, setting->key);
			continue;
		}
		guest->settings = xrealloc(guest->settings, guest->n + 1,
					   sizeof(*guest->settings));
		guest->settings[guest->n++] = (struct setting){
			.key = xstrdup(setting->key), .value = xstrdup(setting->value),
			.line = setting->line, .own = own,
		};
	}
}

/* Only now: what the guest has taken back of the defaults need not make sense for it. */
static void replace_all(struct section *guest, const char *index)
{
	struct setting *setting;
	char *value;

	for (setting = guest->settings; setting < guest->settings + guest->n; setting++) {
		description_at(guest, setting);
		value = replace(setting->value, guest->name, index);
		free(setting->value);
		setting->value = value;
	}
	description_at(NULL, NULL);
}

static void add_guest(struct description *description, const struct section *defaults,
		      const struct section *section, char *name, const char *index)
{
	const struct section *other = description_find(description, name);
	const struct section named = { .name = name };
	struct section *guest;

	description_at(&named, NULL);
	guest_check_name(name);
	if (other)
		die("is in line %u already", other->line);
	description->guests = xrealloc(description->guests, description->n + 1,
				       sizeof(*description->guests));
	guest = description->guests + description->n++;
	*guest = (struct section){ .name = name, .line = section->line };
	add_settings(guest, defaults, false);
	add_settings(guest, section, true);
	replace_all(guest, index);
}

/**
 * description_expand - add the guests that a section stands for, or end the program with the reason
 * @description: gets them
 * @defaults: what all guests have
 * @section: the section
 */
void description_expand(struct description *description, const struct section *defaults,
			const struct section *section)
{
	struct range range;
	unsigned long i;

	description_line(section->line);
	range = parse_range(section->name);
	if (!range.given) {
		add_guest(description, defaults, section, xstrdup(section->name), NULL);
		return;
	}
	for (i = range.first; i <= range.last; i++) {
		char *index cleanup_free = xasprintf("%0*lu", range.width, i);

		add_guest(description, defaults, section,
			  xasprintf("%s%s%s", range.head, index, range.tail), index);
	}
	free(range.head);
	free(range.tail);
}

static bool has_key(const struct section *guest, const char *key)
{
	size_t i;

	for (i = 0; i < guest->n; i++)
		if (!strcmp(guest->settings[i].key, key))
			return true;
	return false;
}

/* Whether two guests that both said this would be in each other's way. */
static bool is_alone(const struct section *guest, const struct setting *setting)
{
	static const char *const one_address[] = {
		"address=", "mac=", "tap=", "fd=", NULL
	};
	const char *key = setting->key, *value = setting->value;
	size_t i;

	if (!strcmp(key, "cow") || !strcmp(key, "publish"))
		return true;
	if (!strcmp(key, "root"))
		return !has_key(guest, "cow") && !strstr(value, ",ro");
	if (!strcmp(key, "disk"))
		return !strstr(value, ",ro");
	for (i = 0; !strcmp(key, "net") && one_address[i]; i++)
		if (strstr(value, one_address[i]))
			return true;
	return false;
}

static void check_alone(const struct description *description, size_t guest,
			const struct setting *setting)
{
	const struct section *other;
	size_t i, j;

	for (i = 0; i < guest; i++) {
		other = description->guests + i;
		for (j = 0; j < other->n; j++) {
			if (strcmp(other->settings[j].key, setting->key) ||
			    strcmp(other->settings[j].value, setting->value) ||
			    !is_alone(other, other->settings + j))
				continue;
			description_at(description->guests + guest, setting);
			die("%s: is that of %s already: %%n, the guest's name, and %%i, its "
			    "number, make a difference", setting->value, other->name);
		}
	}
}

/**
 * description_check_shared - end the program if two guests have what only one can have
 * @description: with all guests
 *
 * A disk that two of them write to, say: which is what happens to guests that are alike when
 * there is no % in a value.
 */
void description_check_shared(const struct description *description)
{
	const struct section *guest;
	size_t i, j;

	for (i = 0; i < description->n; i++) {
		guest = description->guests + i;
		for (j = 0; j < guest->n; j++)
			if (is_alone(guest, guest->settings + j))
				check_alone(description, i, guest->settings + j);
	}
}
