// SPDX-License-Identifier: GPL-2.0
/*
 * redis-client SOCKET fill|check COUNT NOTE: write or verify COUNT computed values,
 * many to a round trip. NOTE is a file that always says how far it is.
 *
 * On standard output, at the end: right=N wrong=N missing=N. Status 0: all right.
 */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "values.h"

#define BATCH 64

static char buffer[BATCH * (VALUE_SIZE + 128)];
static char expected[VALUE_SIZE];

static FILE *dial(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	FILE *stream;
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		errx(2, "%s: too long for a socket", path);
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		err(2, "%s", path);
	stream = fdopen(fd, "r");
	if (!stream)
		err(2, "fdopen");
	setvbuf(stream, NULL, _IOFBF, 1 << 16);
	return stream;
}

static void send_all(int fd, const char *data, size_t len)
{
	ssize_t n;

	while (len) {
		n = write(fd, data, len);
		if (n < 0)
			err(2, "redis-server");
		data += n;
		len -= n;
	}
}

static void receive(FILE *stream, char *data, size_t len)
{
	if (fread(data, 1, len, stream) != len)
		errx(2, "redis-server has hung up");
}

static void receive_line(FILE *stream, char *line, size_t size)
{
	if (!fgets(line, size, stream))
		errx(2, "redis-server has hung up");
}

static void fill(FILE *stream, unsigned long key, unsigned long end)
{
	char name[32], line[256];
	size_t len = 0;
	unsigned long i;

	for (i = key; i < end; i++) {
		int n = snprintf(name, sizeof(name), "key:%06lu", i);

		len += sprintf(buffer + len, "*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n",
			       n, name, VALUE_SIZE);
		value_make(buffer + len, i);
		len += VALUE_SIZE;
		buffer[len++] = '\r';
		buffer[len++] = '\n';
	}
	send_all(fileno(stream), buffer, len);
	for (i = key; i < end; i++) {
		receive_line(stream, line, sizeof(line));
		if (strcmp(line, "+OK\r\n"))
			errx(2, "SET was refused: %s", line);
	}
}

static unsigned long wrong, missing;

static void check(FILE *stream, unsigned long key, unsigned long end)
{
	static char value[VALUE_SIZE + 2];
	char name[32], line[256];
	size_t len = 0;
	unsigned long i;

	for (i = key; i < end; i++) {
		int n = snprintf(name, sizeof(name), "key:%06lu", i);

		len += sprintf(buffer + len, "*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n", n, name);
	}
	send_all(fileno(stream), buffer, len);
	for (i = key; i < end; i++) {
		receive_line(stream, line, sizeof(line));
		if (!strcmp(line, "$-1\r\n")) {
			missing++;
			continue;
		}
		if (line[0] != '$' || atoi(line + 1) != VALUE_SIZE)
			errx(2, "GET of key %lu: %s", i, line);
		receive(stream, value, sizeof(value));
		value_make(expected, i);
		if (memcmp(value, expected, VALUE_SIZE))
			wrong++;
	}
}

static void note(const char *path, const char *what, unsigned long done, unsigned long count)
{
	FILE *file = fopen(path, "w");

	if (!file)
		err(2, "%s", path);
	fprintf(file, "%s %lu of %lu\n", what, done, count);
	fclose(file);
}

int main(int argc, char **argv)
{
	unsigned long count, key, end;
	FILE *stream;
	bool filling;

	if (argc != 5)
		errx(2, "usage: redis-client SOCKET fill|check COUNT NOTE");
	filling = !strcmp(argv[2], "fill");
	count = strtoull(argv[3], NULL, 10);
	stream = dial(argv[1]);
	for (key = 0; key < count; key = end) {
		end = key + BATCH < count ? key + BATCH : count;
		(filling ? fill : check)(stream, key, end);
		if (end % 512 == 0 || end == count)
			note(argv[4], filling ? "filled with" : "read back and right:",
			     end - wrong - missing, count);
	}
	printf("right=%lu wrong=%lu missing=%lu\n", count - wrong - missing, wrong, missing);
	return wrong || missing;
}
