// SPDX-License-Identifier: GPL-2.0
/* The live view: redrawn on a terminal, a few plain lines elsewhere. */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "watch.h"

#define POOL_CELLS 20
#define ALL_CELLS 60
#define CLEAR "\033[K\n"

static double mib(unsigned long long bytes)
{
	return bytes / 1048576.0;
}

/* 1234567 as 1,234,567. */
static const char *grouped(char *text, unsigned long long n)
{
	char plain[32];
	int len = sprintf(plain, "%llu", n), i;
	char *to = text;

	for (i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			*to++ = ',';
		*to++ = plain[i];
	}
	*to = '\0';
	return text;
}

static void cells(const char *color, const char *cell, int n)
{
	printf("\033[%sm", color);
	while (n-- > 0)
		fputs(cell, stdout);
	printf("\033[0m");
}

/* To one scale: the pool, its limit, and behind it what is in the swap file. */
static void bar(const struct guest *guest, bool unicode)
{
	double cell = guest->limit / (double)POOL_CELLS;
	int used, resident, swap;

	if (!guest->limit)
		return;
	used = guest->current / cell + 0.5;
	if (used > POOL_CELLS)
		used = POOL_CELLS;
	resident = (guest->current - guest->store) / cell + 0.5;
	if (resident > used)
		resident = used;
	swap = guest->swap / cell + 0.5;
	if (swap > ALL_CELLS - POOL_CELLS)
		swap = ALL_CELLS - POOL_CELLS;
	cells("34", unicode ? "█" : "#", resident);
	cells("33", unicode ? "▓" : "+", used - resident);
	cells("2", unicode ? "·" : ".", POOL_CELLS - used);
	cells("1;31", unicode ? "▏" : "|", 1);
	cells("35", unicode ? "▒" : "=", swap);
}

void view_screen(const struct picture *picture, bool unicode)
{
	static int drawn;
	const struct bystander *outside = &picture->outside;
	const char *dot = unicode ? "·" : "|";
	char number[32];
	int lines = 0;
	size_t i;

	if (drawn)
		printf("\033[%dA", drawn);
	for (i = 0; i < picture->n; i++) {
		const struct guest *guest = &picture->guests[i];

		printf("\033[1m%-8s\033[0m ", guest->name);
		bar(guest, unicode);
		printf(CLEAR);
		printf("         %.1f of %.0f MiB = \033[34mresident %.1f\033[0m"
		       " + tables %.1f + \033[33mstore %.1f (holds %.1f)\033[0m",
		       mib(guest->current), mib(guest->limit), mib(guest->resident),
		       mib(guest->tables), mib(guest->store), mib(guest->stored));
		printf(" %s \033[35mswap file %.1f\033[0m" CLEAR, dot, mib(guest->swap));
		printf("         %s %s %s faults/s" CLEAR CLEAR, guest->note, dot,
		       grouped(number, guest->rate));
		lines += 4;
	}
	printf("\033[1moutside\033[0m  %.1f MiB of the host's memory (RssAnon) %s"
	       " %ld of it in pools" CLEAR, mib(outside->anon), dot, outside->pool);
	printf("         sum right %ld of %ld times %s %ld page faults" CLEAR CLEAR,
	       outside->rounds - outside->wrong, outside->rounds, dot, outside->faults);
	printf("\033[2m%.0f s %s the machine has %.0f MiB available\033[0m" CLEAR,
	       picture->seconds, dot, mib(picture->available));
	drawn = lines + 4;
	fflush(stdout);
}

/* A guest about which nothing is new gets no line. */
void view_lines(const struct picture *picture)
{
	static char told[MAX_GUESTS][320];
	char line[320], number[32];
	size_t i;

	for (i = 0; i < picture->n; i++) {
		const struct guest *guest = &picture->guests[i];

		snprintf(line, sizeof(line),
			 "%-7s %4.1f of %.0f MiB = resident %.1f + tables %.1f + store %.1f"
			 " (holds %.1f), swap %.1f, %s faults/s: %s",
			 guest->name, mib(guest->current), mib(guest->limit), mib(guest->resident),
			 mib(guest->tables), mib(guest->store), mib(guest->stored),
			 mib(guest->swap), grouped(number, guest->rate), guest->note);
		if (!strcmp(line, told[i]))
			continue;
		strcpy(told[i], line);
		printf("%3.0f s  %s\n", picture->seconds, line);
	}
	fflush(stdout);
}
