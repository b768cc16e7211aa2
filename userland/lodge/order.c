// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "guest-linux/init/channel.h"

#include "error.h"
#include "order.h"
#include "terminal.h"
#include "util.h"

static void add_string(struct strings *text, const char *string)
{
	size_t length = strlen(string) + 1;

	text->bytes = xrealloc(text->bytes, text->length + length, 1);
	memcpy(text->bytes + text->length, string, length);
	text->length += length;
}

static void add_number(struct strings *text, size_t number)
{
	char *string cleanup_free = xasprintf("%zu", number);

	add_string(text, string);
}

/**
 * order_variable - add a variable to an environment
 * @text: the environment
 * @variable: NAME=VALUE, or NAME to pass on what it is here, if it is anything
 */
void order_variable(struct strings *text, const char *variable)
{
	char *pair cleanup_free = NULL;
	const char *value = getenv(variable);

	if (!*variable || *variable == '=')
		die_usage("boot", "--env: %s: not NAME=VALUE", variable);
	if (strchr(variable, '=')) {
		add_string(text, variable);
	} else if (value) {
		pair = xasprintf("%s=%s", variable, value);
		add_string(text, pair);
	}
}

/**
 * order_write - say in bytes what is to be run; ends the program if that is too long
 * @text: empty; the caller frees its bytes
 * @order: what is to be run
 */
void order_write(struct strings *text, const struct order *order)
{
	unsigned short rows, columns;
	size_t n = 0;

	terminal_size(&rows, &columns);
	add_string(text, order->terminal ? "t" : "");
	add_number(text, rows);
	add_number(text, columns);
	add_string(text, order->host);
	add_string(text, order->directory);
	while (order->command[n])
		n++;
	add_number(text, n);
	for (n = 0; order->command[n]; n++)
		add_string(text, order->command[n]);
	/* What comes later wins. */
	add_string(text, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	add_string(text, "HOME=/root");
	add_string(text, "USER=root");
	add_string(text, "LOGNAME=root");
	order_variable(text, "TERM");
	order_variable(text, "LANG");
	order_variable(text, "LC_ALL");
	text->bytes = xrealloc(text->bytes, text->length + order->environment.length, 1);
	if (order->environment.length)
		memcpy(text->bytes + text->length, order->environment.bytes,
		       order->environment.length);
	text->length += order->environment.length;
	if (text->length > ORDER_MAX)
		die("the command and its environment are longer than %u bytes", ORDER_MAX);
}
