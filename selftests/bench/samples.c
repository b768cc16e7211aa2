// SPDX-License-Identifier: GPL-2.0
/* Samples, in shared memory, which is nobody's private memory; printed as lines of CSV. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench.h"

#define SAMPLES_MAX	65536

struct samples {
	unsigned int n;
	unsigned long value[SAMPLES_MAX];
};

static struct samples *samples;
static const char *state;
static unsigned long overhead;

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, ": %s\n", strerror(errno));
	exit(1);
}

void samples_begin(void)
{
	samples->n = 0;
}

void samples_add_per(__u64 start, __u64 end, unsigned long n)
{
	__u64 took = end - start;

	took -= took < overhead ? took : overhead;
	if (samples->n < SAMPLES_MAX)
		samples->value[samples->n++] = n == 1 ? took : (took + n / 2) / n;
}

void samples_add(__u64 start, __u64 end)
{
	samples_add_per(start, end, 1);
}

static int compare(const void *a, const void *b)
{
	unsigned long x = *(const unsigned long *)a, y = *(const unsigned long *)b;

	return x < y ? -1 : x > y;
}

/* @part of 1000 */
static unsigned long quantile(unsigned int part)
{
	return samples->value[(__u64)(samples->n - 1) * part / 1000];
}

void samples_end(const char *row)
{
	unsigned int i, kept, n = samples->n;
	__u64 sum = 0;

	if (!n)
		return;
	mark(MARK_ROW);
	qsort(samples->value, n, sizeof(samples->value[0]), compare);
	/* Less than one in a thousand has the timer's interrupt, and all that waited for it. */
	kept = n - n / 1000;
	for (i = 0; i < kept; i++)
		sum += samples->value[i];
	printf("op,%s,%s,%u,%.1f,%lu,%lu,%lu,%lu,%lu\n", state, row, n, (double)sum / kept,
	       samples->value[0], quantile(500), quantile(990), quantile(999),
	       samples->value[n - 1]);
	fflush(stdout);
}

void samples_init(const char *name)
{
	unsigned int i;

	state = name;
	samples = mmap(NULL, sizeof(*samples), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	if (samples == MAP_FAILED)
		die("mmap");
	memset(samples, 1, sizeof(*samples));
	samples_begin();
	for (i = 0; i < 1000; i++) {
		__u64 start = stamp_start();

		samples_add(start, stamp_end());
	}
	qsort(samples->value, samples->n, sizeof(samples->value[0]), compare);
	overhead = quantile(500);
}
