/* SPDX-License-Identifier: GPL-2.0 */
/* The figures of full guests, as far as the host sees them. */
#ifndef LODGE_FULL_FIGURES_H
#define LODGE_FULL_FIGURES_H

#include <stdbool.h>

struct figures;
struct json_object;

bool full_figures_read(struct figures *figures, const char *guest);
bool full_report_text(const char *guest);
struct json_object *full_report_json(const char *guest);

#endif
