// SPDX-License-Identifier: GPL-2.0
/* A guest from a file: its keys are the long options of lodge boot, and the command to run. */
#include <string.h>
#include <strings.h>

#include "boot.h"
#include "description.h"
#include "error.h"
#include "lodge.h"
#include "util.h"
#include "words.h"

#define OPTIONS_MAX 64

static noreturn void no_key(const char *key)
{
	const char *names[OPTIONS_MAX] = { DESCRIPTION_COMMAND }, *near;
	const struct option *option;
	size_t n = 1;

	for (option = boot_options; option->name && n < OPTIONS_MAX; option++)
		if (boot_is_key(option))
			names[n++] = option->name;
	near = nearest(key, names, n);
	if (near)
		die("no such key: did you mean '%s'?", near);
	die("no such key: see lodge.conf(5)");
}

/* Returns the option that a key stands for. */
static const struct option *find_key(const char *key)
{
	const struct option *option;

	for (option = boot_options; option->name; option++)
		if (!strcmp(option->name, key) && boot_is_key(option))
			return option;
	no_key(key);
}

static bool parse_yes(const char *value)
{
	static const char *const words[] = { "no", "yes", "false", "true", "off", "on", "0", "1" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcasecmp(value, words[i]))
			return i % 2;
	die("%s: neither yes nor no", value);
}

static char **parse_command(const char *value)
{
	const char *why;
	char **words = words_split(value, &why);

	if (!words)
		die("%s: %s", value, why);
	return words;
}

/*
 * Whether a later setting takes the place of one: the guest's own that of the defaults. Twice in
 * one section is a mistake.
 */
static bool is_replaced(const struct section *guest, const struct setting *setting)
{
	const struct setting *other;

	for (other = setting + 1; other < guest->settings + guest->n; other++) {
		if (strcmp(other->key, setting->key))
			continue;
		if (other->own != setting->own)
			return true;
		description_at(guest, other);
		die("is in line %u already", setting->line);
	}
	return false;
}

static void take_setting(struct boot *boot, const struct section *guest,
			 const struct setting *setting)
{
	const struct option *option;

	if (!strcmp(setting->key, DESCRIPTION_COMMAND)) {
		if (!is_replaced(guest, setting))
			boot->command = parse_command(setting->value);
		return;
	}
	option = find_key(setting->key);
	if (boot_is_given_once(option) && is_replaced(guest, setting))
		return;
	if (option->has_arg == required_argument)
		boot_take_option(boot, option->val, setting->value);
	else if (parse_yes(setting->value))
		boot_take_option(boot, option->val, NULL);
}

/**
 * boot_describe - take what a guest is from a file, or end the program with the reason
 * @boot: of boot_init(); filled in
 * @guest: of the description whose directory this is; stays the caller's
 */
void boot_describe(struct boot *boot, const struct section *guest)
{
	static char *nothing;
	size_t i;

	boot->machine.name = guest->name;
	boot->described = true;
	boot->command = &nothing;
	for (i = 0; i < guest->n; i++) {
		description_at(guest, guest->settings + i);
		take_setting(boot, guest, guest->settings + i);
	}
	description_at(guest, NULL);
	/* What is wrong with them together is about the section as a whole. */
	description_line(guest->line);
	if (boot->rootdir && !*boot->command)
		die(DESCRIPTION_COMMAND " is needed: what the guest runs");
	boot_check(boot);
	description_line(0);
}
