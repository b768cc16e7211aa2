/* SPDX-License-Identifier: GPL-2.0 */
/* Virtual switches, each a process of the user's: its first guest starts it, its last ends it. */
#ifndef LODGE_SWITCH_H
#define LODGE_SWITCH_H

#include <stdbool.h>

#define SWITCH_NAME_MAX 32

/* In the runtime directory, where no guest's name begins with a dot. */
#define SWITCH_PREFIX ".switch-"

struct net_interface;

int switch_connect(int directory, const char *name, const struct net_interface *uplink);
void switch_sweep(int directory);

void switch_run(int directory, const char *name, int listener, const struct net_interface *uplink);

#endif
