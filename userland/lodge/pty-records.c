// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest-linux/pty-record.h"

#include "error.h"
#include "poll-list.h"
#include "pty-records.h"
#include "record.h"
#include "util.h"

#define HEAD offsetof(struct pty_message, data)
/* As Linux has it: what a guest can open. */
#define PTYS_MAX 4096
/* The guest chooses how many it uses; descriptors are lodge's. */
#define AWAKE_MAX 64
/* After a failure: how long nothing is tried, and how long nothing is said. */
#define RETRY_MS 1000
#define SAY_MS 60000
/* Of its messages at once, so that others are heard, too. */
#define MESSAGES_MAX 64

/**
 * struct recorded_pty - one that is open in the guest
 * @next: another one; who has used its record last comes first
 * @id: the guest's kernel's name for it
 * @file: number of the record's file, 0 if there is none yet
 * @rows: of its window
 * @columns: of its window
 * @record: of it, once something was said there
 * @retry_ms: it could not be made, and before that no more is tried
 */
struct recorded_pty {
	struct recorded_pty *next;
	unsigned long long id;
	unsigned long file;
	unsigned short rows, columns;
	struct record *record;
	long long retry_ms;
};

/**
 * struct pty_records - all of a guest
 * @prefix: what the names of the files begin with
 * @guest: its name, for messages
 * @socket: lodge's end of the line to its kernel, -1 when that has ended
 * @guest_end: the other end, until the guest has been started
 * @ready: what poll() found
 * @list: those that are open
 * @n: how many
 * @files: records so far
 * @lost: it was said that there are too many
 * @say_ms: before that it is not said that a record cannot be made
 */
struct pty_records {
	char *prefix;
	const char *guest;
	int socket, guest_end;
	short ready;
	struct recorded_pty *list;
	size_t n;
	unsigned long files;
	bool lost;
	long long say_ms;
};

/**
 * pty_records_open - get ready to record what passes through a guest's pseudo-terminals
 * @prefix: what the names of the files begin with
 * @guest: its name, for messages; must outlive them
 *
 * Return: the records, for pty_records_close(); ends the program on failure.
 */
struct pty_records *pty_records_open(const char *prefix, const char *guest)
{
	struct pty_records *records = xcalloc(1, sizeof(*records));
	int line[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, line))
		die_errno(errno, "socketpair");
	records->prefix = xstrdup(prefix);
	records->guest = guest;
	records->socket = line[0];
	records->guest_end = line[1];
	return records;
}

/** pty_records_pass_on - what the guest's kernel is told; in its process. The caller frees it. */
char *pty_records_pass_on(const struct pty_records *records)
{
	fcntl(records->guest_end, F_SETFD, 0);
	return xasprintf("lodge_record_ptys=%d", records->guest_end);
}

/** pty_records_close_guest_end - close what only the guest is to have */
void pty_records_close_guest_end(struct pty_records *records)
{
	close(records->guest_end);
	records->guest_end = -1;
}

/** pty_records_poll - what to wait for */
void pty_records_poll(struct pty_records *records, struct poll_list *list)
{
	poll_list_add(list, records->socket, POLLIN, &records->ready);
}

/* Puts it in front: those at the end have been silent for longest. */
static struct recorded_pty *find(struct pty_records *records, unsigned long long id)
{
	struct recorded_pty **link = &records->list, *pty;

	while ((pty = *link) && pty->id != id)
		link = &pty->next;
	if (!pty)
		return NULL;
	*link = pty->next;
	pty->next = records->list;
	records->list = pty;
	return pty;
}

/* Forgets the first of the list. */
static void forget_first(struct pty_records *records)
{
	struct recorded_pty *pty = records->list;

	records->list = pty->next;
	records->n--;
	record_close(pty->record);
	free(pty);
}

static struct recorded_pty *new_pty(struct pty_records *records, unsigned long long id)
{
	struct recorded_pty *pty;

	if (records->n == PTYS_MAX) {
		if (!records->lost)
			warn_guest(records->guest, NULL,
				   "it has more than %d pseudo-terminals: not all are recorded",
				   PTYS_MAX);
		records->lost = true;
		return NULL;
	}
	pty = xcalloc(1, sizeof(*pty));
	*pty = (struct recorded_pty){
		.next = records->list, .id = id, .rows = 24, .columns = 80,
	};
	records->list = pty;
	records->n++;
	return pty;
}

/* Lets those sleep that have been silent for longest. */
static void spare_descriptors(struct pty_records *records)
{
	struct recorded_pty *pty;
	size_t awake = 0;

	for (pty = records->list; pty; pty = pty->next)
		if (pty->record && !record_rests(pty->record) && ++awake > AWAKE_MAX)
			record_rest(pty->record);
}

static struct record *record_of(struct pty_records *records, struct recorded_pty *pty,
				unsigned int number)
{
	char *path cleanup_free = NULL, *title cleanup_free = NULL;

	if (pty->record || now_ms() < pty->retry_ms)
		return pty->record;
	if (!pty->file)
		pty->file = ++records->files;
	path = xasprintf("%s-pty%lu.cast", records->prefix, pty->file);
	title = xasprintf("%s: pts/%u", records->guest, number);
	pty->record = record_open(path, title, records->guest, pty->rows, pty->columns);
	if (pty->record)
		return pty->record;
	pty->retry_ms = now_ms() + RETRY_MS;
	if (now_ms() >= records->say_ms) {
		records->say_ms = now_ms() + SAY_MS;
		warn_guest(records->guest, NULL, "%s: %s: what is said now is not recorded", path,
			   strerror(errno));
	}
	return NULL;
}

static void take_size(struct recorded_pty *pty, const char *data, size_t length)
{
	struct winsize size;

	if (length != sizeof(size))
		return;
	memcpy(&size, data, sizeof(size));
	if (!size.ws_row || !size.ws_col)
		return;
	pty->rows = size.ws_row;
	pty->columns = size.ws_col;
	record_size(pty->record, pty->rows, pty->columns);
}

static void take_message(struct pty_records *records, const struct pty_message *message,
			 size_t length)
{
	struct recorded_pty *pty = find(records, message->pty);

	if (pty && (message->event == PTY_OPENED || message->event == PTY_CLOSED)) {
		forget_first(records);
		pty = NULL;
	}
	if (message->event == PTY_CLOSED)
		return;
	if (!pty)
		pty = new_pty(records, message->pty);
	if (!pty)
		return;
	switch (message->event) {
	case PTY_OUTPUT:
		record_output(record_of(records, pty, message->number), message->data, length);
		break;
	case PTY_INPUT:
		record_input(record_of(records, pty, message->number), message->data, length);
		break;
	case PTY_WINDOW:
		take_size(pty, message->data, length);
		break;
	}
	spare_descriptors(records);
}

/** pty_records_move - take what poll() found */
void pty_records_move(struct pty_records *records)
{
	struct pty_message message;
	ssize_t n;
	int i;

	if (!records->ready)
		return;
	for (i = 0; i < MESSAGES_MAX; i++) {
		n = recv(records->socket, &message, sizeof(message), MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			close(records->socket);
			records->socket = -1;
			records->ready = 0;
			return;
		}
		if (n >= (ssize_t)HEAD)
			take_message(records, &message, n - HEAD);
	}
}

/** pty_records_close - take the rest, and end all of them */
void pty_records_close(struct pty_records *records)
{
	struct pollfd fd = { .events = POLLIN };

	for (;;) {
		fd.fd = records->socket;
		if (records->socket < 0 || poll(&fd, 1, 0) <= 0)
			break;
		records->ready = fd.revents;
		pty_records_move(records);
	}
	while (records->list)
		forget_first(records);
	if (records->socket >= 0)
		close(records->socket);
	free(records->prefix);
	free(records);
}
