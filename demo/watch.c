// SPDX-License-Identifier: GPL-2.0
/*
 * watch CSV NOTES STATE VIEW GUEST...: look at the guests twice a second until
 * SIGTERM; keep the figures in the file CSV and show them on standard output.
 * NOTES is a folder with one file for each guest that says what it does, STATE what
 * the bystander writes, VIEW is screen, ascii or lines.
 */
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "watch.h"

#define STEP_NS 500000000L
#define RATE_STEPS 4
#define SCREEN_STEPS 2
#define LINES_STEPS 10

static volatile sig_atomic_t ended;

static void end(int signal)
{
	ended = 1;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static void keep(FILE *csv, const struct picture *picture)
{
	size_t i;

	for (i = 0; i < picture->n; i++) {
		const struct guest *g = &picture->guests[i];

		fprintf(csv, "%.2f,%s,%llu,%llu,%llu,%llu,%llu,%llu,%llu,%llu,%.0f,%llu\n",
			picture->seconds, g->name, g->limit, g->current, g->peak,
			g->resident, g->store, g->stored, g->swap, g->majors, g->rate,
			g->tables);
	}
	fprintf(csv, "%.2f,outside,0,0,0,%llu,0,0,0,%ld,0,0\n", picture->seconds,
		picture->outside.anon, picture->outside.faults);
	fprintf(csv, "%.2f,available,0,%llu,0,0,0,0,0,0,0,0\n", picture->seconds,
		picture->available);
	fflush(csv);
}

/* Over some steps back, or the figure jumps about. */
static void find_rate(struct guest *guest, size_t i, unsigned int step, double seconds)
{
	static struct { double seconds; unsigned long long majors; }
		past[MAX_GUESTS][RATE_STEPS];
	unsigned int at = step % RATE_STEPS;

	if (step >= RATE_STEPS && guest->majors >= past[i][at].majors)
		guest->rate = (guest->majors - past[i][at].majors) /
			      (seconds - past[i][at].seconds);
	past[i][at].seconds = seconds;
	past[i][at].majors = guest->majors;
}

int main(int argc, char **argv)
{
	static struct picture picture;
	struct sigaction action = { .sa_handler = end };
	struct timespec next;
	const char *view;
	unsigned int step;
	double start;
	FILE *csv;
	size_t i;

	if (argc < 6 || argc - 5 > MAX_GUESTS)
		errx(1, "usage: watch CSV NOTES STATE screen|ascii|lines GUEST...");
	view = argv[4];
	picture.n = argc - 5;
	for (i = 0; i < picture.n; i++)
		picture.guests[i].name = argv[5 + i];
	csv = fopen(argv[1], "we");
	if (!csv)
		err(1, "%s", argv[1]);
	fputs("seconds,name,limit,current,peak,resident,store,stored,swap,majors,rate,tables\n",
	      csv);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);

	start = now();
	clock_gettime(CLOCK_MONOTONIC, &next);
	for (step = 0; ; step++) {
		bool last = ended;

		picture.seconds = now() - start;
		for (i = 0; i < picture.n; i++) {
			sample_guest(&picture.guests[i], argv[2]);
			find_rate(&picture.guests[i], i, step, picture.seconds);
		}
		sample_outside(&picture.outside, argv[3]);
		picture.available = sample_available();
		keep(csv, &picture);
		if (!strcmp(view, "lines")) {
			if (step && (last || step % LINES_STEPS == 0))
				view_lines(&picture);
		} else if (last || step % SCREEN_STEPS == 0) {
			view_screen(&picture, !strcmp(view, "screen"));
		}
		if (last)
			break;
		next.tv_nsec += STEP_NS;
		next.tv_sec += next.tv_nsec / 1000000000;
		next.tv_nsec %= 1000000000;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
	return fclose(csv) ? 1 : 0;
}
