/* SPDX-License-Identifier: GPL-2.0 */
/* Records of what is said at a terminal, in both directions: asciicast files, version 2. */
#ifndef LODGE_RECORD_H
#define LODGE_RECORD_H

#include <stdbool.h>
#include <stddef.h>

struct record;

char *record_prefix(const char *directory, const char *guest);
struct record *record_open(const char *path, const char *title, const char *guest,
			   unsigned short rows, unsigned short columns);
void record_output(struct record *record, const char *data, size_t length);
void record_input(struct record *record, const char *data, size_t length);
void record_size(struct record *record, unsigned short rows, unsigned short columns);
bool record_rests(const struct record *record);
void record_rest(struct record *record);
void record_close(struct record *record);

#endif
