/* SPDX-License-Identifier: GPL-2.0 */
/* What is done with a COW file that no guest uses: merged, or given another backing file. */
#ifndef LODGE_COW_CHANGE_H
#define LODGE_COW_CHANGE_H

#include <stdbool.h>

void cow_merge(const char *path, const char *output);
void cow_merge_into_backing(const char *path, const char *backing);
void cow_rebase(const char *path, const char *backing, bool force);

#endif
