// SPDX-License-Identifier: GPL-2.0
/*
 * The module says why it refuses in last_error. Those words may be somebody else's by the time
 * they are read, or a user may not read them; then the error number has to do.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "refusal.h"
#include "lodge.h"
#include "util.h"

/* The first row that fits counts; one without a field fits all. */
static const struct {
	const char *field;
	int err;
	const char *words;
} rows[] = {
	{ "mkdir", EINVAL, "not a name for a guest" },
	{ "mkdir", EBUSY,
	  "a system call that has to be caught is held by something else: see the kernel's log" },
	{ "rmdir", EBUSY, "it still has processes" },
	{ "rmdir", ENOTEMPTY, "it still has processes" },
	{ "rmdir", EPERM, "not permitted: this takes root" },
	{ "rmdir", EACCES, "not permitted: this takes root" },
	{ "procs", EINVAL, "not the id of a process that can be bound" },
	{ "procs", EOPNOTSUPP, "a process can only bind itself" },
	{ "procs", EBUSY, "the process is in a guest already, for life" },
	{ "procs", EAGAIN, "the process has threads, or shares its memory: bind it earlier" },
	{ "procs", ENOMEM, "neither the pool nor the host has memory for its tables" },
	{ "autoremove", EINVAL, "neither 0 nor 1" },
	{ "memory.max", EBUSY, "more is in use and cannot be reclaimed" },
	{ "memory.max", EINVAL, "less than memory.min" },
	{ "memory.max", ERANGE, "more than the machine's memory" },
	{ "memory.min", ENOMEM, "the host has not so much free memory" },
	{ "memory.min", EINVAL, "more than memory.max" },
	{ "memory.min", ERANGE, "more than the machine's memory" },
	{ "memory.reclaim", EAGAIN, "not so much could be reclaimed" },
	{ "memory.zswap.max", EOPNOTSUPP, "the compressed store is not built in" },
	{ "memory.swap.file", EBUSY, "in use, or the guest has a swap file that is not empty" },
	{ "memory.swap.file", EEXIST, "another guest swaps to this file" },
	{ "memory.swap.file", EINVAL, "neither a regular file nor a block device with a size" },
	{ "memory.swap.file", ENOSPC, "its file system has no room for it" },
	{ "memory.swap.file", EOPNOTSUPP,
	  "its file system cannot set space aside, or swap files are not built in" },
	{ "memory.swap.file", ENOENT, "no such file" },
	{ "memory.swap.file", EACCES, "not permitted: the file, or the guest, is not yours" },
	{ NULL, EPERM, "not permitted: this takes root, or being the user the guest was given to" },
	{ NULL, EACCES,
	  "not permitted: this takes root, or being the user the guest was given to" },
	{ NULL, ENOENT, "no such guest or field" },
	{ NULL, ENODEV, "the guest has just gone" },
	{ NULL, EEXIST, "exists already" },
	{ NULL, EBUSY, "in use" },
	{ NULL, EINVAL, "not a value that it can have" },
	{ NULL, ERANGE, "too large a number" },
	{ NULL, ENOMEM, "the host has no memory for it" },
	{ NULL, EAGAIN, "not all of it could be done" },
	{ NULL, EINTR, "interrupted" },
	{ NULL, EOPNOTSUPP, "not supported" },
};

/**
 * refusal - why a guest's file, or the tree, refused something
 * @field: name of the file that was written; "mkdir" or "rmdir" for a guest's directory
 * @err: positive error number
 *
 * Return: text that is not the caller's.
 */
const char *refusal(const char *field, int err)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].err == err && (!rows[i].field || !strcmp(rows[i].field, field)))
			return rows[i].words;
	return strerror(err);
}
