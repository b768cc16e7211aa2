// SPDX-License-Identifier: GPL-2.0
#include <curses.h>
#include <locale.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "error.h"
#include "size.h"
#include "top.h"

#define HEAD_LINES 3
#define BAR_LEAST 10
#define NAME_WIDTH 16
#define ROW_REST (NAME_WIDTH + 57)

static atomic_bool ended;

static void end_soon(int sig)
{
	(void)sig;
	ended = true;
}

static void put_size(unsigned long long bytes)
{
	char text[SIZE_TEXT];

	printw(" %6s", bytes == FIGURE_NONE ? "-" : size_human(text, bytes));
}

static void put_rate(double rate)
{
	if (rate < 0)
		printw(" %8s", "-");
	else if (rate < 1e6)
		printw(" %8.0f", rate);
	else
		printw(" %7.0fk", rate / 1e3);
}

/* Resident frames as '|', the store as '=', up to the limit; without a limit, up to the peak. */
static void put_bar(const struct figures *f, int width)
{
	bool limited = f->max != SIZE_NO_LIMIT && f->max != FIGURE_NONE;
	unsigned long long whole = limited ? f->max : f->peak;
	unsigned long long store = f->store == FIGURE_NONE ? 0 : f->store;
	int filled = 0, stored = 0, i;

	if (whole && whole != FIGURE_NONE && f->current != FIGURE_NONE) {
		filled = (double)f->current / whole * width + 0.5;
		stored = (double)store / whole * width + 0.5;
	}
	if (filled > width)
		filled = width;
	if (stored > filled)
		stored = filled;
	addch('[');
	for (i = 0; i < width; i++) {
		if (i < filled - stored)
			addch('|' | A_BOLD | COLOR_PAIR(filled * 10 > width * 9 ? 2 : 1));
		else if (i < filled)
			addch('=' | COLOR_PAIR(3));
		else
			addch(' ');
	}
	addch(']');
}

static void put_row(const struct top_row *row, int bar)
{
	printw("%-*.*s", NAME_WIDTH, NAME_WIDTH, row->name);
	if (row->now.procs == FIGURE_NONE)
		printw(" %5s ", "-");
	else
		printw(" %5llu ", row->now.procs);
	if (bar)
		put_bar(&row->now, bar);
	put_size(row->now.current);
	put_size(row->now.max);
	put_size(row->now.store);
	put_size(row->now.swap);
	put_rate(row->faults);
	put_rate(row->major);
	put_rate(row->refaults);
}

static void draw(const struct top *top, size_t first, double delay)
{
	int lines, columns, bar;
	unsigned long long held = 0;
	size_t i;

	getmaxyx(stdscr, lines, columns);
	bar = columns - ROW_REST - 2;
	if (bar < BAR_LEAST)
		bar = 0;
	for (i = 0; i < top->n; i++)
		if (top->rows[i].now.current != FIGURE_NONE)
			held += top->rows[i].now.current;
	erase();
	printw("lodge: %zu guests hold", top->n);
	put_size(held);
	printw("   sorted by %s%s, every %gs", top_order_names[top->order],
	       top->reverse ? " (reversed)" : "", delay);
	mvprintw(1, 0, "q quit  s sort  r reverse  + - delay  arrows scroll  |resident =store");
	attron(A_REVERSE);
	mvprintw(2, 0, "%-*s %5s %*s%6s %6s %6s %6s %8s %8s %8s", NAME_WIDTH, "NAME", "PROCS",
		 bar ? bar + 3 : 1, "", "MEMORY", "MAX", "STORE", "SWAP", "FAULT/s", "MAJOR/s",
		 "REFLT/s");
	attroff(A_REVERSE);
	for (i = first; i < top->n && HEAD_LINES + (int)(i - first) < lines; i++) {
		move(HEAD_LINES + i - first, 0);
		put_row(&top->rows[i], bar);
	}
	refresh();
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Returns false when the user has had enough. */
static bool handle_key(int key, struct top *top, size_t *first, double *delay)
{
	switch (key) {
	case 'q':
	case 'Q':
		return false;
	case 's':
		top->order = (top->order + 1) % TOP_ORDERS;
		top_sort(top);
		break;
	case 'r':
		top->reverse = !top->reverse;
		top_sort(top);
		break;
	case '+':
		if (*delay < 60)
			*delay *= 2;
		break;
	case '-':
		if (*delay > 0.2)
			*delay /= 2;
		break;
	case KEY_DOWN:
		if (*first + 1 < top->n)
			++*first;
		break;
	case KEY_UP:
		if (*first)
			--*first;
		break;
	}
	return true;
}

static void begin_screen(void)
{
	setlocale(LC_ALL, "");
	/* initscr() would end the program with a message of its own. */
	if (!newterm(NULL, stdout, stdin))
		die("top: this terminal cannot show it (TERM): use --batch");
	cbreak();
	noecho();
	curs_set(0);
	keypad(stdscr, TRUE);
	if (has_colors()) {
		start_color();
		use_default_colors();
		init_pair(1, COLOR_GREEN, -1);
		init_pair(2, COLOR_RED, -1);
		init_pair(3, COLOR_CYAN, -1);
	}
}

/**
 * top_screen - show samples live until the user quits
 * @top: the first sample
 * @delay: seconds between samples
 */
void top_screen(struct top *top, double delay)
{
	const struct sigaction end = { .sa_handler = end_soon };
	double due = now() + delay;
	bool go_on = true;
	size_t first = 0;
	int key;

	sigaction(SIGINT, &end, NULL);
	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGHUP, &end, NULL);
	begin_screen();
	while (go_on && !ended) {
		if (first >= top->n)
			first = 0;
		draw(top, first, delay);
		timeout(due > now() ? (int)((due - now()) * 1000) + 1 : 0);
		key = getch();
		if (key != ERR)
			go_on = handle_key(key, top, &first, &delay);
		if (now() >= due) {
			top_sample(top);
			due = now() + delay;
		}
	}
	endwin();
}
