/* SPDX-License-Identifier: GPL-2.0 */
/* A control group of the host (cgroup v2) for what a guest's memory passes through. */
#ifndef LODGE_HOSTGROUP_H
#define LODGE_HOSTGROUP_H

/**
 * struct hostgroup - one group
 * @dir: its directory, or NULL when there is none
 * @hold: pipe that tells the group's watcher, by closing, that lodge has ended
 */
struct hostgroup {
	char *dir;
	int hold;
};

#define HOSTGROUP_NONE { .hold = -1 }

void hostgroup_create(struct hostgroup *group, const char *guest, const char *max);
void hostgroup_enter(const struct hostgroup *group, const char *guest);
void hostgroup_remove(struct hostgroup *group);

#endif
