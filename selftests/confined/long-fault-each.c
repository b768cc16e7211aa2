// SPDX-License-Identifier: GPL-2.0
/* fault-each, with each of many more allocations. */
#define MANY	1000
#include "fault-each.c"
