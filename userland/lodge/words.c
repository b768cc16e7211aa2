// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <string.h>

#include "util.h"
#include "words.h"

static bool is_escape(char quote, char next)
{
	return next && (!quote || (quote == '"' && (next == '"' || next == '\\')));
}

/* Copies a word without its quotes. Returns what follows it, or NULL if a quote has no end. */
static const char *take_word(const char *at, char *word)
{
	char quote = 0;

	for (; *at && (quote || !isspace((unsigned char)*at)); at++) {
		if (*at == quote) {
			quote = 0;
		} else if (!quote && (*at == '"' || *at == '\'')) {
			quote = *at;
		} else {
			if (*at == '\\' && is_escape(quote, at[1]))
				at++;
			*word++ = *at;
		}
	}
	*word = '\0';
	return quote ? NULL : at;
}

/**
 * words_split - split a text at its blanks
 * @text: in which '...' and "..." hold blanks; \ takes what follows as it is, between "..." only
 *	another \ and a ", between '...' nothing
 * @why: set on failure
 *
 * Return: the words, and NULL behind them, which the caller frees one by one; NULL on failure.
 */
char **words_split(const char *text, const char **why)
{
	char **words = xcalloc(strlen(text) / 2 + 2, sizeof(*words));
	const char *at = text;
	size_t n = 0;

	for (;;) {
		while (isspace((unsigned char)*at))
			at++;
		if (!*at)
			return words;
		words[n] = xcalloc(strlen(at) + 1, 1);
		at = take_word(at, words[n++]);
		if (!at)
			break;
	}
	*why = "a quote has no end";
	while (n)
		free(words[--n]);
	free(words);
	return NULL;
}
