/* SPDX-License-Identifier: GPL-2.0 */
/* Guests of other users, for root: "USER/NAME". What is done to them is done as that user. */
#ifndef LODGE_OWNER_H
#define LODGE_OWNER_H

#include <stdbool.h>
#include <sys/types.h>

struct guests;

const char *owner_split(const char *guest, uid_t *uid);
char *owner_name(uid_t uid);

bool owner_become(uid_t uid);
void owner_leave(void);

void others_read(struct guests *guests, bool (*runs)(const char *path));
char *others_find(uid_t uid, const char *name, bool (*is_it)(const char *path));

#endif
