/* SPDX-License-Identifier: GPL-2.0 */
/* Commands for several full guests: those named, or those that a file describes. */
#ifndef LODGE_GUEST_ARGUMENTS_H
#define LODGE_GUEST_ARGUMENTS_H

#include <stdbool.h>

#include "guests.h"

struct command;

void guests_described(struct guests *guests, const char *file, bool (*wanted)(const char *guest));
bool guests_from_arguments(struct guests *guests, int argc, char **argv,
			   const struct command *command, bool (*wanted)(const char *guest));

#endif
