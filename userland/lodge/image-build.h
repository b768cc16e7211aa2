/* SPDX-License-Identifier: GPL-2.0 */
/* Making a disk with Debian on it, for full guests. */
#ifndef LODGE_IMAGE_BUILD_H
#define LODGE_IMAGE_BUILD_H

#include <stdbool.h>

int image_build_main(int argc, char **argv);

char **image_sources(const char *suite, const char *mirror);

/*
 * The file descriptors of the image, the user's script and image_setup_script. Those up to 9 are
 * mmdebstrap's: it hands them to sh, which takes one digit only.
 */
#define IMAGE_FD 60
#define SCRIPT_FD 61
#define SETUP_FD 62

/* What image_setup_script says when it gets there. */
#define IMAGE_SETTING_UP "lodge: setting up"
#define IMAGE_WRITING "lodge: writing"

extern const char image_setup_script[];

/**
 * struct image_progress - how far mmdebstrap is, by what it says
 * @file: what is built, for messages
 * @shown: there is a terminal to draw a bar on
 * @stage: index of the stage it is in
 * @packages: how many it is installing in this one
 * @events: what has happened to them
 */
struct image_progress {
	const char *file;
	bool shown;
	unsigned int stage, packages, events;
};

void image_progress_line(struct image_progress *progress, const char *line);
void image_progress_end(const struct image_progress *progress);

#endif
