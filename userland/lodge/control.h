/* SPDX-License-Identifier: GPL-2.0 */
/* The control tree: where it is, and reading and writing the files of a guest in it. */
#ifndef LODGE_CONTROL_H
#define LODGE_CONTROL_H

#include <stdbool.h>

int control_find(char **why);
const char *control_root(void);
char *control_path(const char *guest, const char *file);

bool control_exists(const char *guest);
bool control_is_confined(const char *guest);
int control_create(const char *guest, char **why);
int control_remove(const char *guest, char **why);
int control_remove_ended(const char *guest, char **why);

char *control_read(const char *guest, const char *file);
char *control_read_path(const char *path);
int control_read_size(const char *guest, const char *file, unsigned long long *bytes);
int control_write(const char *guest, const char *file, const char *value, char **why);

#endif
