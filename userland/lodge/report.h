/* SPDX-License-Identifier: GPL-2.0 */
/* Everything a guest tells about itself: as text in groups, or as JSON. */
#ifndef LODGE_REPORT_H
#define LODGE_REPORT_H

#include <stdbool.h>

struct json_object;

struct json_object *report_json_figure(unsigned long long value);
void report_print_json(struct json_object *object);

bool report_text(const char *guest);
struct json_object *report_json(const char *guest);

#endif
