// SPDX-License-Identifier: GPL-2.0
/*
 * The orders of one boot: /order in the initramfs, records of key=value that
 * end in a NUL byte each. A key may come more than once where a list is meant.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init.h"

static void append(char **list, unsigned int max, char *value, const char *key)
{
	unsigned int n;

	for (n = 0; list[n]; n++)
		;
	if (n == max)
		die("more than %u of %s", max, key);
	list[n] = value;
}

static void take(struct order *order, const char *key, char *value)
{
	if (!strcmp(key, "arg"))
		append(order->argv, MAX_ARGS, value, key);
	else if (!strcmp(key, "env"))
		append(order->env, MAX_ENV, value, key);
	else if (!strcmp(key, "share"))
		append(order->shares, MAX_SHARES, value, key);
	else if (!strcmp(key, "cwd"))
		order->cwd = value;
	else if (!strcmp(key, "module"))
		order->module = value;
	else if (!strcmp(key, "params"))
		order->params = value;
	else if (!strcmp(key, "disk"))
		order->disk = value;
	else if (!strcmp(key, "limit"))
		order->limit = strtoul(value, NULL, 10);
	else if (!strcmp(key, "tty"))
		order->tty = sscanf(value, "%hux%hu", &order->rows,
				    &order->cols) == 2;
	else if (!strcmp(key, "keep-tmp"))
		order->keep_tmp = true;
	else if (!strcmp(key, "input"))
		order->input = true;
	else
		die("order: unknown key %s", key);
}

void order_read(struct order *order)
{
	char *text, *at, *equals;
	struct stat st;
	int fd;

	fd = open("/order", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		die("/order: %m");
	text = malloc(st.st_size + 1);
	if (!text || read(fd, text, st.st_size) != st.st_size)
		die("/order: cannot be read");
	close(fd);
	text[st.st_size] = '\0';

	order->cwd = "/";
	order->params = "";
	for (at = text; at < text + st.st_size; at += strlen(at) + 1) {
		equals = strchr(at, '=');
		if (!equals)
			die("order: no value: %s", at);
		*equals = '\0';
		take(order, at, equals + 1);
		at = equals + 1;
	}
	if (!order->argv[0])
		die("order: no command");
}
