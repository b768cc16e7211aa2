/* SPDX-License-Identifier: GPL-2.0 */
/* Reading ahead in the swap file, for fault.c. */
#ifndef LODGE_READ_AHEAD_H
#define LODGE_READ_AHEAD_H

#include "guest-mm/space.h"

/**
 * read_ahead_load() - read a page from the swap file, and some that follow it there and in memory
 * @vp: the page at @vpn, locked, only copy in TIER_SWAP_FILE
 * @frame: for it; the caller attaches it
 *
 * The others are resident afterwards, mapped nowhere, with VP_AHEAD set.  That they cannot be had
 * is no error.  Evicts nothing.
 * Return: 0, -EIO.  May sleep.
 */
int read_ahead_load(struct space *space, u64 vpn, struct vpage *vp, struct frame *frame);

/** read_ahead_hit() - a page with VP_AHEAD is used for the first time; vpage locked */
void read_ahead_hit(struct space *space, struct vpage *vp);

#endif /* LODGE_READ_AHEAD_H */
