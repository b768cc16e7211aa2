/* SPDX-License-Identifier: GPL-2.0 */
/* The file or block device that a guest swaps to: made or checked before the module opens it. */
#ifndef LODGE_SWAPFILE_H
#define LODGE_SWAPFILE_H

#include <stdbool.h>

/**
 * struct swapfile - a file that is fit for a guest's memory.swap.file
 * @path: absolute path
 * @created: it was not there before
 */
struct swapfile {
	char *path;
	bool created;
};

void swapfile_prepare(struct swapfile *sf, const char *guest, const char *spec);
void swapfile_unlink(struct swapfile *sf);
void swapfile_free(struct swapfile *sf);

#endif
