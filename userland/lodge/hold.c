// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "hold.h"
#include "lodge.h"
#include "mconsole.h"
#include "util.h"

/* A kernel that is starting listens before long. */
#define LISTEN_MS 10000

static const struct step {
	const char *order;
	int ms;
	/* what comes next: when that is done; when it is not, or nobody waits for it any more */
	enum hold_state then, back;
} steps[] = {
	[HOLD_SYNC] = { "sync", 300000, HOLD_FREEZE, HOLD_NONE },
	[HOLD_FREEZE] = { "freeze", 60000, HOLD_STOP, HOLD_THAW },
	[HOLD_STOP] = { "stop", 8000, HOLD_HELD, HOLD_GO },
	[HOLD_GO] = { "go", 8000, HOLD_THAW, HOLD_THAW },
	[HOLD_THAW] = { "thaw", 8000, HOLD_NONE, HOLD_NONE },
};

static void enter(struct hold *hold, enum hold_state state)
{
	hold->state = state;
	hold->give_up = now_ms() + LISTEN_MS;
	if (state == HOLD_FREEZE)
		hold->since = now_ms();
	if (state == HOLD_NONE) {
		hold->ms = hold->since ? now_ms() - hold->since : 0;
		hold->management->held = false;
	}
}

/**
 * hold_begin - begin to hold a guest
 * @hold: of the guest
 *
 * Until it goes on, nobody else can talk to its kernel.
 *
 * Return: false if somebody holds it already, or has paused it.
 */
bool hold_begin(struct hold *hold)
{
	if (hold->state != HOLD_NONE || hold->management->paused)
		return false;
	*hold = (struct hold){ .management = hold->management };
	hold->management->held = true;
	enter(hold, HOLD_SYNC);
	return true;
}

/** hold_end - let it go on, as soon as what it was told last is done */
void hold_end(struct hold *hold)
{
	hold->over = true;
	if (hold->state == HOLD_HELD)
		enter(hold, HOLD_GO);
}

static void failed(struct hold *hold, const char *why)
{
	const struct step *step = &steps[hold->state];

	if (starts_with(why, "Unknown command"))
		why = "its kernel cannot: it is none that 'make guest' has built";
	/* On the way back there is nobody who could do more. */
	if (hold->state < HOLD_HELD && !*hold->why)
		snprintf(hold->why, sizeof(hold->why), "%s: %s", step->order, why);
	enter(hold, step->back);
}

/* Returns whether there is more to do at once. */
static bool move(struct hold *hold)
{
	const struct step *step = &steps[hold->state];
	bool back = hold->over && hold->state < HOLD_HELD;

	if (hold->state == HOLD_NONE || hold->state == HOLD_HELD)
		return false;
	if (!hold->ordered && !back) {
		hold->ordered = mconsole_relay_tell(hold->management, step->order, step->ms);
		if (!hold->ordered && !mconsole_relay_is_busy(hold->management) &&
		    now_ms() > hold->give_up)
			failed(hold, "the guest's kernel does not listen");
		return false;
	}
	if (hold->ordered && mconsole_relay_is_busy(hold->management))
		return false;
	if (hold->ordered && hold->management->refused)
		failed(hold, hold->management->answer);
	else
		enter(hold, back ? step->back : step->then);
	hold->ordered = false;
	return true;
}

/** hold_move - do what is next; after mconsole_relay_move() */
void hold_move(struct hold *hold)
{
	while (move(hold))
		;
}
