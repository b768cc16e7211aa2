/* SPDX-License-Identifier: GPL-2.0 */
/* Text from a guest, before a terminal sees it. */
#ifndef LODGE_PRINTABLE_H
#define LODGE_PRINTABLE_H

void make_printable(char *text);

#endif
