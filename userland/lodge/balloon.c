// SPDX-License-Identifier: GPL-2.0
#include "lodge/instance.h"

#include "balloon.h"
#include "control.h"
#include "error.h"
#include "mconsole.h"
#include "rundir.h"
#include "size.h"
#include "util.h"

/* As much as its kernel moves within the time that it has to answer. */
#define STEP (8ULL << 20)
#define PAGE 4096ULL

static unsigned long long smaller(unsigned long long a, unsigned long long b)
{
	return a < b ? a : b;
}

static unsigned long long round_up(unsigned long long bytes, unsigned long long unit)
{
	return (bytes + unit - 1) / unit * unit;
}

/**
 * balloon_plan - see what a new memory.max means for the kernel of a guest
 * @balloon: filled in
 * @guest: a full guest of the control tree
 * @max: the new value
 *
 * Enters the guest's directory; ends the program if it is not this user's.
 */
void balloon_plan(struct balloon *balloon, const char *guest, const char *max)
{
	unsigned long long from, to, size;

	*balloon = (struct balloon){ 0 };
	if (control_read_size(guest, "memory.max", &from) || !size_parse(max, &to))
		return;
	full_guest_enter(guest);
	size = round_up(rundir_number(RUNDIR_MEMORY), LODGE_MEMORY_UNIT);
	from = smaller(from, size);
	to = smaller(to, size);
	if (from == to)
		return;
	balloon->guest = guest;
	balloon->shrinks = to < from;
	balloon->bytes = to < from ? from - to : to - from;
	/* Of 512 pages one is not given, but has the addresses of the others. */
	balloon->bytes = round_up(balloon->bytes + balloon->bytes / 256, PAGE);
}

static bool move_memory(const char *guest, char sign, unsigned long long bytes)
{
	unsigned long long done, step;

	for (done = 0; done < bytes; done += step) {
		char *answer cleanup_free = NULL, *command cleanup_free = NULL;

		step = smaller(bytes - done, STEP);
		command = xasprintf("config mem=%c%llu", sign, step);
		if (mconsole_ask(guest, command, &answer))
			continue;
		warn_guest(guest, "memory.max", "its kernel says: %s", answer);
		if (sign == '-')
			move_memory(guest, '+', done);
		return false;
	}
	return true;
}

/**
 * balloon_before - before memory.max is lowered, have the guest do without
 * @balloon: of balloon_plan()
 *
 * Return: whether it does; else all is as before, and it was said why.
 */
bool balloon_before(const struct balloon *balloon)
{
	return !balloon->guest || !balloon->shrinks ||
	       move_memory(balloon->guest, '-', balloon->bytes);
}

/**
 * balloon_after - once balloon_before() has succeeded, let the guest have what it may have now
 * @balloon: of balloon_plan()
 * @changed: whether memory.max was set
 */
void balloon_after(const struct balloon *balloon, bool changed)
{
	if (balloon->guest && balloon->shrinks != changed)
		move_memory(balloon->guest, '+', balloon->bytes);
}
