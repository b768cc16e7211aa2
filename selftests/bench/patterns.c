// SPDX-License-Identifier: GPL-2.0
/*
 * patterns [-b GUEST] STATE CONTROL MIB PATTERN [ACCESSES [WARM-UP]]
 *
 * Random accesses to more memory than there is, 30 % of them writes. Prints
 *	pattern,STATE,MIB,PATTERN,ACCESSES,COUNT,MAJOR-FAULTS,P50,P99,P99.9,MAX
 * where COUNT is the instructions of all accesses together. CONTROL is the directory
 * of the guest or cgroup that the process is in.
 */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "bench.h"

#define ZIPF		0.9
#define SCAN_EVERY	20000
#define SCAN_PAGES	4096

/* A histogram of 32 steps to the power of two: wrong by 3 % at most, and small. */
#define STEP_BITS	5
#define STEPS		32U
#define BUCKETS		(64 * STEPS)
static unsigned int histogram[BUCKETS];

static __u64 state = 88172645463325252ULL;
static __u32 *cumulative;	/* of the zipf distribution, by rank, as a fraction of 2^32 */
static __u32 *place;		/* of a rank */
static unsigned long pages;

static __u64 next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static unsigned int step_of(__u64 v)
{
	unsigned int top;

	if (v < STEPS)
		return v;
	top = 63 - __builtin_clzll(v);
	return (top - STEP_BITS + 1) * STEPS + (v >> (top - STEP_BITS)) - STEPS;
}

static __u64 value_of(unsigned int step)
{
	unsigned int power = step / STEPS;

	if (!power)
		return step;
	return (__u64)(step % STEPS + STEPS) << (power - 1);
}

static __u64 quantile(unsigned long n, unsigned int part)
{
	unsigned long left = (n - 1) * part / 1000;
	unsigned int i;

	for (i = 0; i < BUCKETS; i++) {
		if (left < histogram[i])
			return value_of(i);
		left -= histogram[i];
	}
	return 0;
}

static void make_zipf(void)
{
	double sum = 0, so_far = 0;
	unsigned long i, j;
	__u32 t;

	cumulative = malloc(pages * sizeof(*cumulative));
	place = malloc(pages * sizeof(*place));
	if (!cumulative || !place)
		die("malloc");
	for (i = 0; i < pages; i++)
		sum += pow(i + 1, -ZIPF);
	for (i = 0; i < pages; i++) {
		so_far += pow(i + 1, -ZIPF);
		cumulative[i] = fmin(so_far / sum * 4294967296.0, 4294967295.0);
		place[i] = i;
	}
	for (i = pages - 1; i > 0; i--) {
		j = next() % (i + 1);
		t = place[i];
		place[i] = place[j];
		place[j] = t;
	}
}

static unsigned long zipf(void)
{
	__u32 u = next() >> 32;
	unsigned long low = 0, high = pages - 1;

	while (low < high) {
		unsigned long middle = (low + high) / 2;

		if (cumulative[middle] < u)
			low = middle + 1;
		else
			high = middle;
	}
	return place[low];
}

/* The page of access number @i. */
static unsigned long choose(const char *pattern, unsigned long i)
{
	unsigned long in_round = i % (SCAN_EVERY + SCAN_PAGES);

	switch (*pattern) {
	case 'u':
		return (next() >> 20) % pages;
	case 's':
		return i % pages;
	case 'm':
		if (in_round < SCAN_EVERY)
			return zipf();
		in_round -= SCAN_EVERY;
		return (i / (SCAN_EVERY + SCAN_PAGES) * SCAN_PAGES + in_round) % pages;
	default:
		return zipf();
	}
}

static unsigned long major_faults(const char *control)
{
	static char text[16384];
	char path[256], *at;
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "%s/memory.stat", control);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die("%s", path);
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[len > 0 ? len : 0] = '\0';
	at = strstr(text, "pgmajfault ");
	return at ? strtoul(at + strlen("pgmajfault "), NULL, 10) : 0;
}

int main(int argc, char **argv)
{
	unsigned long accesses = 200000, warm_up = 50000, i, faults = 0;
	__u64 begin = 0, start, end, longest = 0, overhead = ~0ULL;
	const char *control, *pattern;
	char *at;

	if (argc > 3 && !strcmp(argv[1], "-b"))
		bind_and_restart(argv[2], argv);
	if (argc < 5) {
		fprintf(stderr, "usage: patterns [-b GUEST] STATE CONTROL MIB uniform|zipf|scan|mix\n");
		return 1;
	}
	control = argv[2];
	pages = strtoul(argv[3], NULL, 10) * MIB / PAGE;
	pattern = argv[4];
	if (argc > 5)
		accesses = strtoul(argv[5], NULL, 10);
	if (argc > 6)
		warm_up = strtoul(argv[6], NULL, 10);
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	for (i = 0; i < 1000; i++) {
		start = stamp();
		end = stamp();
		overhead = end - start < overhead ? end - start : overhead;
	}

	at = pages_map(pages);
	make_zipf();
	for (i = 0; i < pages; i++)
		page_fill(at + i * PAGE, i);

	for (i = 0; i < warm_up + accesses; i++) {
		volatile __u64 *word;
		bool write;

		if (i == warm_up) {
			memset(histogram, 0, sizeof(histogram));
			faults = major_faults(control);
			begin = stamp();
		}
		word = (volatile __u64 *)(at + choose(pattern, i) * PAGE + 8 * (i % 512));
		write = next() % 10 < 3;
		start = stamp();
		if (write)
			*word += 1;
		else
			(void)*word;
		end = stamp() - start - overhead;
		histogram[step_of(end)]++;
		longest = end > longest && i >= warm_up ? end : longest;
	}
	end = stamp();
	printf("pattern,%s,%lu,%s,%lu,%llu,%lu,%llu,%llu,%llu,%llu\n", argv[1],
	       pages * PAGE / MIB, pattern, accesses, end - begin, major_faults(control) - faults,
	       quantile(accesses, 500), quantile(accesses, 990), quantile(accesses, 999), longest);
	return 0;
}
