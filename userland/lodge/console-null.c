// SPDX-License-Identifier: GPL-2.0
/* Consoles with nothing behind them, but for who comes by `lodge console`. */
#include "console-kind.h"

const struct console_kind console_attach = { .name = "attach" };

/* Takes everything, and says nothing. */
const struct console_kind console_null = { .name = "null", .argument = "null" };

/* Is not there. */
const struct console_kind console_none = { .name = "none", .argument = "none" };
