// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "image-build.h"
#include "lodge.h"
#include "util.h"

#define BAR 30
#define NEVER 101

/* What mmdebstrap, apt, dpkg or our script say when a stage begins; percent, where it ends. */
static const struct stage {
	const char *sign;
	const char *what;
	unsigned int end;
	unsigned int events_per_package;
} stages[] = {
	{ "", "beginning", 1, 0 },
	{ "I: running apt-get update", "reading the lists of packages", 5, 0 },
	{ "I: downloading packages", "downloading the base", 25, 1 },
	{ "I: extracting archives", "unpacking the base", 30, 0 },
	{ "I: installing essential", "installing the base", 55, 2 },
	{ "I: installing remaining", "installing packages", 90, 3 },
	{ IMAGE_SETTING_UP, "setting up", 93, 0 },
	{ IMAGE_WRITING, "writing the image", 100, 0 },
};

static const char *const events[] = { "Get:", "Unpacking ", "Setting up " };

static unsigned int percent(const struct image_progress *progress)
{
	const struct stage *stage = &stages[progress->stage];
	unsigned int from = progress->stage ? stage[-1].end : 0;
	unsigned int all = progress->packages * stage->events_per_package;

	if (!all)
		return from;
	if (progress->events >= all)
		return stage->end;
	return from + (stage->end - from) * progress->events / all;
}

static void draw(const struct image_progress *progress, unsigned int done)
{
	unsigned int marks = BAR * done / 100;

	fprintf(stderr, "\r%s: [%.*s%*s] %3u%% %s\033[K", progress->file, (int)marks,
		"##############################", (int)(BAR - marks), "", done,
		stages[progress->stage].what);
	fflush(stderr);
}

/** image_progress_line - take note of one line of output; shows how far it is */
void image_progress_line(struct image_progress *progress, const char *line)
{
	unsigned int upgraded, new, before = percent(progress);
	unsigned int stage = progress->stage;
	size_t i;

	for (i = stage + 1; i < ARRAY_SIZE(stages); i++)
		if (starts_with(line, stages[i].sign))
			stage = i;
	if (stage != progress->stage) {
		progress->stage = stage;
		progress->events = 0;
		before = NEVER;
	}
	if (sscanf(line, "%u upgraded, %u newly installed", &upgraded, &new) == 2) {
		progress->packages = new;
		progress->events = 0;
	}
	for (i = 0; i < ARRAY_SIZE(events); i++)
		progress->events += starts_with(line, events[i]);
	if (progress->shown && percent(progress) != before)
		draw(progress, percent(progress));
}

/** image_progress_end - leave the line on which the bar is */
void image_progress_end(const struct image_progress *progress)
{
	if (progress->shown)
		fputs("\r\033[K", stderr);
}
