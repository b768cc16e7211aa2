/* SPDX-License-Identifier: GPL-2.0 */
/* The figures of full guests, as far as the host sees them. */
#ifndef LODGE_FULL_FIGURES_H
#define LODGE_FULL_FIGURES_H

#include <stdbool.h>
#include <sys/types.h>

struct figures;
struct json_object;

bool is_full_guest(const char *guest);
bool full_processes(const char *guest, void (*each)(pid_t pid, unsigned long long memory, void *to),
		    void *to);
bool full_figures_read(struct figures *figures, const char *guest);
bool full_report_text(const char *guest);
void full_json_name(struct json_object *object, const char *guest);
struct json_object *full_report_json(const char *guest);

#endif
