/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The files of a guest's directory in the control tree.  A file is a row in the
 * table of the subsystem that it belongs to; nothing else knows its name.
 */
#ifndef LODGE_FILES_H
#define LODGE_FILES_H

#include "guest-core/text.h"

struct guest;

/**
 * struct guest_file - one file of a guest's directory
 * @name: as in the directory
 * @mode: permission bits
 * @show: append the file's content; NULL for a file that is only written.
 *	Runs beside writes and other reads.
 * @store: take a value: not empty, no newline at its end, may be changed; NULL for a
 *	file that is only read.  Returns 0 or the negative error number that
 *	guest_error() gave.  guest->lock is held unless @unlocked.
 * @polled: a change counted by guest_notify() wakes its pollers
 * @holds: guest_hold() while it is open for writing
 * @unlocked: @store takes guest->lock itself, because it first waits for something
 *	that the writer chose, such as a file system in user space
 */
struct guest_file {
	const char *name;
	unsigned short mode;
	int (*show)(struct guest *guest, struct text *out);
	int (*store)(struct guest *guest, char *value);
	bool polled;
	bool holds;
	bool unlocked;
};

/* A table of files ends with a row without a name. */
#define for_each_guest_file(file, table) \
	for ((file) = (table); (file) && (file)->name; (file)++)

#endif /* LODGE_FILES_H */
