// SPDX-License-Identifier: GPL-2.0
/* The same as kill, many more rounds. */
#define ROUNDS	400
#include "kill.c"
