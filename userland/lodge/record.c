// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "error.h"
#include "printable.h"
#include "record.h"
#include "util.h"

#define DATA_MAX 4096
#define SEQUENCE_MAX 4
/* A byte can become \u001b; the rest of a line is short. */
#define LINE_MAX_BYTES (6 * (DATA_MAX + SEQUENCE_MAX) + 256)
#define REPLACEMENT "\xef\xbf\xbd"

/* After a failure: how long nothing is written, and how long nothing is said. */
#define RETRY_MS 1000
#define SAY_MS 60000

/**
 * struct direction - one of the two
 * @type: what asciicast calls it
 * @bytes: the beginning of a character whose rest has not come
 * @n: how many
 */
struct direction {
	char type;
	char bytes[SEQUENCE_MAX];
	size_t n;
};

/**
 * struct record - a record that is being made
 * @path: absolute
 * @guest: its name, for messages
 * @fd: the file, or -1: record_rest()
 * @length: of the file, up to the last whole line
 * @began: when, by the monotonic clock
 * @output: to the terminal
 * @input: from it
 * @rows: of it
 * @columns: of it
 * @lost: bytes since the last one that could be written
 * @retry_ms: before that no more is tried
 * @say_ms: before that no more is said
 */
struct record {
	char *path;
	const char *guest;
	int fd;
	off_t length;
	struct timespec began;
	struct direction output, input;
	unsigned short rows, columns;
	unsigned long long lost;
	long long retry_ms, say_ms;
};

/* The line that is being put together. */
static struct {
	char text[LINE_MAX_BYTES];
	size_t n;
} line;

static void __printf(1, 2) add(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line.n += vsnprintf(line.text + line.n, sizeof(line.text) - line.n, fmt, ap);
	va_end(ap);
}

static void add_character(const char *bytes, size_t length)
{
	unsigned char c = *bytes;

	if (c < ' ' || c == 0x7f) {
		add("\\u%04x", c);
		return;
	}
	if (c == '"' || c == '\\')
		line.text[line.n++] = '\\';
	memcpy(line.text + line.n, bytes, length);
	line.n += length;
}

/* How long the character is that this byte begins. */
static size_t wanted(unsigned char c)
{
	return c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : SEQUENCE_MAX;
}

static bool is_partial(const char *bytes, size_t length)
{
	size_t i;

	for (i = 1; i < length; i++)
		if ((bytes[i] & 0xc0) != 0x80)
			return false;
	return (unsigned char)*bytes < 0xf5 && length < wanted(*bytes);
}

/*
 * Text of JSON is UTF-8: what is not becomes U+FFFD. A character of which the end has not come
 * waits in @direction. The data are followed by a zero.
 */
static void add_text(struct direction *direction, const char *data, size_t n)
{
	unsigned int c;
	size_t length;

	while (n) {
		length = utf8_decode(data, &c);
		if (!length && is_partial(data, n)) {
			memcpy(direction->bytes, data, n);
			direction->n = n;
			return;
		}
		if (length && c < 0x110000 && (c < 0xd800 || c > 0xdfff)) {
			add_character(data, length);
		} else {
			add(REPLACEMENT);
			length = 1;
		}
		data += length;
		n -= length;
	}
}

/**
 * record_prefix - what the files of one guest's records begin with
 * @directory: absolute path of where they go
 * @guest: its name
 *
 * Return: a path that the caller frees, with the present time in it: no two are the same.
 */
char *record_prefix(const char *directory, const char *guest)
{
	struct timespec now;
	struct tm tm;
	char text[32];

	clock_gettime(CLOCK_REALTIME, &now);
	strftime(text, sizeof(text), "%Y%m%dT%H%M%S", localtime_r(&now.tv_sec, &tm));
	return xasprintf("%s/%s-%s.%03ld", directory, guest, text, now.tv_nsec / 1000000);
}

static void failed(struct record *record, size_t bytes, int err)
{
	record->lost += bytes;
	record->retry_ms = now_ms() + RETRY_MS;
	if (now_ms() < record->say_ms)
		return;
	record->say_ms = now_ms() + SAY_MS;
	warn_guest(record->guest, NULL, "%s: %s: what is said now is not recorded", record->path,
		   strerror(err));
}

/* A line is in the file as a whole, or not at all. */
static bool write_line(struct record *record)
{
	ssize_t n;
	int err;

	if (record->fd < 0)
		record->fd = open(record->path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
	if (record->fd < 0)
		return false;
	n = write(record->fd, line.text, line.n);
	if (n == (ssize_t)line.n) {
		record->length += n;
		return true;
	}
	err = n < 0 ? errno : ENOSPC;
	if (n > 0 && ftruncate(record->fd, record->length))
		err = errno;
	errno = err;
	return false;
}

static void begin_line(const struct record *record, char type)
{
	struct timespec now;
	long long us;

	clock_gettime(CLOCK_MONOTONIC, &now);
	us = (now.tv_sec - record->began.tv_sec) * 1000000LL +
	     (now.tv_nsec - record->began.tv_nsec) / 1000;
	line.n = 0;
	add("[%lld.%06lld, \"%c\", \"", us / 1000000, us % 1000000, type);
}

/* Whoever plays it is to see that there is a gap. Returns whether the record goes on. */
static bool goes_on(struct record *record)
{
	if (!record->lost)
		return true;
	if (now_ms() < record->retry_ms)
		return false;
	begin_line(record, 'm');
	add("%llu bytes are missing here\"]\n", record->lost);
	if (!write_line(record)) {
		failed(record, 0, errno);
		return false;
	}
	record->lost = 0;
	return true;
}

static void add_event(struct record *record, struct direction *direction, const char *data,
		      size_t length)
{
	char bytes[SEQUENCE_MAX + DATA_MAX + 1];
	size_t n = direction->n, empty;

	if (!goes_on(record)) {
		record->lost += length;
		return;
	}
	memcpy(bytes, direction->bytes, n);
	memcpy(bytes + n, data, length);
	n += length;
	bytes[n] = '\0';
	direction->n = 0;
	begin_line(record, direction->type);
	empty = line.n;
	add_text(direction, bytes, n);
	if (line.n == empty)
		return;
	add("\"]\n");
	if (!write_line(record))
		failed(record, n, errno);
}

static void add_data(struct record *record, struct direction *direction, const char *data,
		     size_t length)
{
	size_t n;

	for (; length; data += n, length -= n) {
		n = length < DATA_MAX ? length : DATA_MAX;
		add_event(record, direction, data, n);
	}
}

/** record_output - record what the terminal shows; nothing without a @record */
void record_output(struct record *record, const char *data, size_t length)
{
	if (record)
		add_data(record, &record->output, data, length);
}

/** record_input - record what is typed; nothing without a @record */
void record_input(struct record *record, const char *data, size_t length)
{
	if (record)
		add_data(record, &record->input, data, length);
}

/** record_size - record that the terminal is so large now; nothing without a @record */
void record_size(struct record *record, unsigned short rows, unsigned short columns)
{
	if (!record || (record->rows == rows && record->columns == columns))
		return;
	record->rows = rows;
	record->columns = columns;
	if (!goes_on(record))
		return;
	begin_line(record, 'r');
	add("%ux%u\"]\n", columns, rows);
	if (!write_line(record))
		failed(record, 0, errno);
}

/**
 * record_open - begin a record
 * @path: of a file that is not there yet; absolute
 * @title: what it is of, without anything that JSON would quote
 * @guest: its name, for messages; must outlive it
 * @rows, @columns: how large the terminal is at first
 *
 * Return: the record, for record_close(); NULL with errno set if it cannot be made.
 */
struct record *record_open(const char *path, const char *title, const char *guest,
			   unsigned short rows, unsigned short columns)
{
	struct record *record = xcalloc(1, sizeof(*record));
	int err;

	record->path = xstrdup(path);
	record->guest = guest;
	record->output.type = 'o';
	record->input.type = 'i';
	record->rows = rows;
	record->columns = columns;
	clock_gettime(CLOCK_MONOTONIC, &record->began);
	line.n = 0;
	add("{\"version\": 2, \"width\": %u, \"height\": %u, \"timestamp\": %lld, ",
	    columns, rows, (long long)time(NULL));
	add("\"title\": \"%s\"}\n", title);
	record->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	if (record->fd >= 0 && write_line(record))
		return record;
	err = errno;
	if (record->fd >= 0)
		unlink(path);
	record_close(record);
	errno = err;
	return NULL;
}

/** record_rests - whether it needs no descriptor now */
bool record_rests(const struct record *record)
{
	return record->fd < 0;
}

/** record_rest - do without a descriptor until there is more to record */
void record_rest(struct record *record)
{
	if (record->fd >= 0)
		close(record->fd);
	record->fd = -1;
}

/** record_close - end a record; harmless without one */
void record_close(struct record *record)
{
	if (!record)
		return;
	record_rest(record);
	free(record->path);
	free(record);
}
