/* SPDX-License-Identifier: GPL-2.0 */
/* Copies of the disks of a guest that stands still. */
#ifndef LODGE_BACKUP_H
#define LODGE_BACKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "util.h"

struct disk;
struct disks;

const char *backup_file(size_t unit, bool cow);
void backup_say(const char *fmt, ...) __printf(1, 2);
void backup_copy(const struct disks *disks, int dir, const char *path);
void backup_sync(const struct disks *disks, int dir, const char *path);
void backup_describe(FILE *note, size_t unit, const struct disk *disk);

#endif
