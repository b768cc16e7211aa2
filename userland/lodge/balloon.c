// SPDX-License-Identifier: GPL-2.0
#include <unistd.h>

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

/* What its kernel takes for its memory. */
static unsigned long long ask_memory(const char *guest)
{
	char *answer cleanup_free = NULL;
	unsigned long long bytes;

	if (!mconsole_ask(guest, "config mem", &answer))
		die_guest(guest, "memory.max", "its kernel says: %s", answer);
	if (!size_parse(answer, &bytes))
		die_guest(guest, "memory.max", "its kernel says that it has \"%s\"", answer);
	return bytes;
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
	char *path cleanup_free = control_path(guest, "memory.max");
	unsigned long long from, to, size;

	*balloon = (struct balloon){ 0 };
	/* Who may not write it is told so by the file. */
	if (!size_parse(max, &to) || access(path, W_OK))
		return;
	full_guest_enter(guest);
	/* The directory of one that has ended may have stayed, and another one have its name. */
	if (!rundir_number(RUNDIR_INSTANCE))
		return;
	size = round_up(rundir_number(RUNDIR_MEMORY), LODGE_MEMORY_UNIT);
	to = smaller(to, size);
	/* Of 512 pages that it does without, one is kept: it has the others' addresses. */
	to -= smaller(to, round_up((size - to) / 256, PAGE));
	from = ask_memory(guest);
	if (from == to)
		return;
	balloon->guest = guest;
	balloon->shrinks = to < from;
	balloon->bytes = round_up(to < from ? from - to : to - from, PAGE);
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
