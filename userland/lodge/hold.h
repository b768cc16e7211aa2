/* SPDX-License-Identifier: GPL-2.0 */
/* A guest that stands still, all written, until it may go on. */
#ifndef LODGE_HOLD_H
#define LODGE_HOLD_H

#include <stdbool.h>

struct mconsole_relay;

/**
 * enum hold_state - what its kernel is doing, or was told last
 * @HOLD_NONE: it runs
 * @HOLD_SYNC: write what is dirty, while it runs
 * @HOLD_FREEZE: write the rest, and let file systems not change any more
 * @HOLD_STOP: stand still
 * @HOLD_HELD: it does
 * @HOLD_GO: go on
 * @HOLD_THAW: let file systems change
 */
enum hold_state {
	HOLD_NONE, HOLD_SYNC, HOLD_FREEZE, HOLD_STOP, HOLD_HELD, HOLD_GO, HOLD_THAW,
};

/**
 * struct hold - the way there and back
 * @management: the guest's management console
 * @state: where it is
 * @ordered: its kernel was told so, and has not answered
 * @over: it is to go on
 * @give_up: when its kernel has had time enough to listen
 * @since: when it began not to run as it wants
 * @ms: how long that was, once it goes on
 * @why: why it could not be held; empty: it could
 */
struct hold {
	struct mconsole_relay *management;
	enum hold_state state;
	bool ordered, over;
	long long give_up, since, ms;
	char why[256];
};

bool hold_begin(struct hold *hold);
void hold_end(struct hold *hold);
void hold_move(struct hold *hold);

#endif
