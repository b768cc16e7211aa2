/* SPDX-License-Identifier: GPL-2.0 */
/* The files that full guests are started from: kernels and the initramfs of our own. */
#ifndef LODGE_GUEST_FILES_H
#define LODGE_GUEST_FILES_H

char *guest_file(const char *given, const char *name);

#endif
