/* SPDX-License-Identifier: GPL-2.0 */
/* How lodge says that something went wrong: always "lodge: guest: field: reason" on stderr. */
#ifndef LODGE_ERROR_H
#define LODGE_ERROR_H

#include <stdnoreturn.h>

#include "util.h"

#define STATUS_FAILED 1
#define STATUS_RUN_FAILED 125
#define STATUS_CANNOT_RUN 126
#define STATUS_NOT_FOUND 127

void error_set_status(int status);
int error_status(void);
void error_set_place(char *(*in)(const char **text));

void warn(const char *fmt, ...) __printf(1, 2);
void warn_guest(const char *guest, const char *field, const char *fmt, ...)
	__printf(3, 4);

noreturn void die(const char *fmt, ...) __printf(1, 2);
noreturn void die_errno(int err, const char *fmt, ...) __printf(2, 3);
noreturn void die_guest(const char *guest, const char *field, const char *fmt, ...)
	__printf(3, 4);
noreturn void die_usage(const char *command, const char *fmt, ...)
	__printf(2, 3);

#endif
