/* SPDX-License-Identifier: GPL-2.0 */
/* Devices that come and go while a full guest runs: what disks and networks have in common. */
#ifndef LODGE_DEVICE_PLUG_H
#define LODGE_DEVICE_PLUG_H

#include "devices.h"

/**
 * struct device_kind - disks, or networks
 * @add: what lodge boot is asked, as all until @get
 * @keep: see there
 * @drop: see there
 * @get: see there
 * @prefix: of their names in the guest
 * @lettered: their names end in a letter, not in a number
 * @config: for the guest's kernel, behind the name: have it ask for it
 */
struct device_kind {
	unsigned int add, keep, drop, get;
	const char *prefix;
	bool lettered;
	const char *config;
};

extern const struct device_kind device_disks, device_nets;

char *device_name(const struct device_kind *kind, int unit);
void device_add(int fd, const char *guest, const struct device_kind *kind,
		struct device_message *message, int *passed, size_t n);
void device_remove(const char *guest, const struct device_kind *kind, int unit);
bool device_next(int fd, const char *guest, const struct device_kind *kind,
		 struct device_message *message);

#endif
