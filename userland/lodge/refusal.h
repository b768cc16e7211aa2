/* SPDX-License-Identifier: GPL-2.0 */
/* What the module's error numbers mean, for when its own words cannot be had. */
#ifndef LODGE_REFUSAL_H
#define LODGE_REFUSAL_H

const char *refusal(const char *field, int err);

#endif
