/* SPDX-License-Identifier: GPL-2.0 */
/* What is known of a disk image without a look at its files. */
#ifndef LODGE_IMAGE_INFO_H
#define LODGE_IMAGE_INFO_H

#include <stdbool.h>

int image_info(const char *path, bool json, bool cow_only);

#endif
