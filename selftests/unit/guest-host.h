/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest for unit tests: the host side of its memory subsystem without processes, and what
 * tests do to its files.
 */
#ifndef LODGE_GUEST_HOST_H
#define LODGE_GUEST_HOST_H

#include "guest-core/guest.h"

#define MACHINE_PAGES	(0x40000000UL / PAGE_SIZE)

/* What making a guest, and binding to it, shall answer. */
extern int guest_init_err, guest_bind_err;

/* How many processes are in it, and how often it called its host. */
extern int processes, removals, notified, freed;

/* What the guest t1 is. */
extern const struct guest_kind simulated;

/* The guest t1 of the test that runs. */
extern struct guest *guest;

/** guest_setup(), guest_teardown() - of a test: make it, and see that all of it is gone again */
int guest_setup(void **state);
int guest_teardown(void **state);

/** put_bytes() - write to a file of the guest, as an administrator or not */
int put_bytes(const char *name, const char *value, size_t len, bool privileged);

/** put() - write text to a file as an administrator, try() as a user that it was given to */
int put(const char *name, const char *value);
int try(const char *name, const char *value);

/** file_of() - a file of the guest by name */
const struct guest_file *file_of(const char *name);

void assert_content(const char *name, const char *wanted);

/** assert_refused() - a write gives this error, and this reason in last_error */
void assert_refused(const char *name, const char *value, int err, const char *reason);

/** make_file() - an empty file of this size in /tmp; @path has room for 32 bytes */
void make_file(char *path, off_t size);

#endif /* LODGE_GUEST_HOST_H */
