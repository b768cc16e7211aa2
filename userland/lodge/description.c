// SPDX-License-Identifier: GPL-2.0
/* Files that describe guests: sections, settings, and where in them an error is. */
#include <ctype.h>
#include <errno.h>
#include <libgen.h>
#include <string.h>

#include "description.h"
#include "error.h"
#include "lodge.h"
#include "util.h"

#define DEFAULTS "defaults"

/* What is being looked at. */
static struct {
	const char *file;
	const struct section *guest;
	const struct setting *setting;
	unsigned int line;
} at;

/* How well a setting fits a message about an option: by its name, by its value, too. */
static unsigned int fits(const struct setting *setting, const char *text)
{
	char *what cleanup_free = NULL;
	size_t key = strlen(setting->key);

	if (strncmp(text, setting->key, key) || (text[key] != ':' && text[key] != ' '))
		return 0;
	if (strstr(text + key, setting->value))
		return 3;
	/* Of a file its whole path may be known by now. */
	what = xstrndup(setting->value, strcspn(setting->value, ",:"));
	return strstr(text + key, what) ? 2 : 1;
}

/* The line that a message is about; if several might be, the section's. */
static unsigned int line_of(const struct section *guest, const char *text)
{
	unsigned int fit, best = 0, line = guest->line;
	size_t i;

	for (i = 0; i < guest->n; i++) {
		fit = fits(guest->settings + i, text);
		if (!fit || fit < best)
			continue;
		line = fit == best ? guest->line : guest->settings[i].line;
		best = fit;
	}
	return line;
}

/* Returns FILE:LINE: GUEST[: KEY] for a message, and leaves the dashes of an option out of that. */
static char *place(const char **text)
{
	bool option = starts_with(*text, "--");

	if (!at.guest)
		return at.line ? xasprintf("%s:%u", at.file, at.line) : xstrdup(at.file);
	if (option)
		*text += 2;
	if (!at.setting && (option || at.line))
		return xasprintf("%s:%u: %s", at.file,
				 option ? line_of(at.guest, *text) : at.line, at.guest->name);
	if (!at.setting)
		return xasprintf("%s: %s", at.file, at.guest->name);
	if (option)
		return xasprintf("%s:%u: %s", at.file, at.setting->line, at.guest->name);
	return xasprintf("%s:%u: %s: %s", at.file, at.setting->line, at.guest->name,
			 at.setting->key);
}

/**
 * description_at - what messages are about from now on
 * @guest: of the description that was read last
 * @setting: of the guest, or NULL
 */
void description_at(const struct section *guest, const struct setting *setting)
{
	at.guest = guest;
	at.setting = setting;
	error_set_place(place);
}

static char *trim(char *text)
{
	size_t length;

	while (isspace((unsigned char)*text))
		text++;
	for (length = strlen(text); length && isspace((unsigned char)text[length - 1]); length--)
		text[length - 1] = '\0';
	return text;
}

/* Returns the next line with those that it goes on in, which the caller frees; NULL at the end. */
static char *read_line(FILE *in, unsigned int *number)
{
	char *whole = NULL, *line = NULL;
	size_t size = 0, used = 0;
	ssize_t n;

	do {
		n = getline(&line, &size, in);
		if (n < 0)
			break;
		++*number;
		if (memchr(line, '\0', n)) {
			at.line = *number;
			die("holds a zero byte: not a text");
		}
		while (n && (line[n - 1] == '\n' || line[n - 1] == '\r'))
			line[--n] = '\0';
		whole = xrealloc(whole, used + n + 1, 1);
		memcpy(whole + used, line, n + 1);
		used += n;
		if (n && line[n - 1] == '\\')
			whole[used - 1] = ' ';
	} while (n && line[n - 1] == '\\');
	free(line);
	return whole;
}

static void add_setting(struct section *section, char *line)
{
	char *equals = strchr(line, '=');

	if (!equals)
		die("%s: neither [NAME] nor KEY = VALUE", line);
	*equals = '\0';
	section->settings = xrealloc(section->settings, section->n + 1,
				     sizeof(*section->settings));
	section->settings[section->n++] = (struct setting){
		.key = xstrdup(trim(line)), .value = xstrdup(trim(equals + 1)), .line = at.line,
	};
}

static char *section_name(char *line)
{
	char *end = strchr(line, ']');

	if (!end || end[1])
		die("%s: not [NAME]", line);
	*end = '\0';
	return trim(line + 1);
}

/* All sections as they are; the caller frees none of them. */
static size_t read_sections(FILE *in, struct section **sections)
{
	unsigned int number = 0;
	size_t n = 0;
	char *whole, *line;

	*sections = NULL;
	for (;;) {
		at.line = number + 1;
		whole = read_line(in, &number);
		if (!whole)
			return n;
		line = trim(whole);
		if (*line == '[') {
			*sections = xrealloc(*sections, n + 1, sizeof(**sections));
			(*sections)[n++] = (struct section){
				.name = xstrdup(section_name(line)), .line = at.line,
			};
		} else if (*line && *line != '#' && *line != ';') {
			if (!n)
				die("%s: stands before the first [NAME]", line);
			add_setting(*sections + n - 1, line);
		}
		free(whole);
	}
}

/**
 * description_read - read a file, or end the program with the reason
 * @description: filled in; it lives as long as the program
 * @file: its path, stays the caller's
 */
void description_read(struct description *description, const char *file)
{
	FILE *in cleanup_file = fopen(file, "re");
	static const struct section nothing;
	const struct section *defaults = &nothing;
	struct section *sections;
	size_t i, n;

	if (!in)
		die_errno(errno, "%s", file);
	*description = (struct description){ .file = file };
	at.file = file;
	error_set_place(place);
	n = read_sections(in, &sections);
	at.line = 0;
	if (ferror(in))
		die_errno(errno, "cannot be read");
	for (i = 0; i < n; i++) {
		at.line = sections[i].line;
		if (strcmp(sections[i].name, DEFAULTS))
			continue;
		if (defaults != &nothing)
			die("[" DEFAULTS "] is in line %u already", defaults->line);
		defaults = sections + i;
	}
	for (i = 0; i < n; i++)
		if (sections + i != defaults)
			description_expand(description, defaults, sections + i);
	at.line = 0;
	if (!description->n)
		die("describes no guest: [NAME] begins one");
	description_check_shared(description);
	error_set_place(NULL);
}

/** description_line - the line that messages are about while no setting is */
void description_line(unsigned int line)
{
	at.line = line;
}

/** description_enter - go to the directory that paths in the file are relative to */
void description_enter(const struct description *description)
{
	char *copy cleanup_free = xstrdup(description->file);
	const char *directory = dirname(copy);

	if (chdir(directory))
		die_errno(errno, "%s", directory);
}

/** description_find - the guest of this name, or NULL */
const struct section *description_find(const struct description *description, const char *guest)
{
	size_t i;

	for (i = 0; i < description->n; i++)
		if (!strcmp(description->guests[i].name, guest))
			return description->guests + i;
	return NULL;
}
