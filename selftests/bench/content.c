// SPDX-License-Identifier: GPL-2.0
/* Memory to work on. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

char *pages_map(unsigned long pages)
{
	char *at;

	at = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED)
		die("mmap of %lu pages", pages);
	return at;
}

void pages_unmap(char *at, unsigned long pages)
{
	if (munmap(at, pages * PAGE))
		die("munmap of %lu pages", pages);
}

void pages_touch(char *at, unsigned long pages, char value)
{
	unsigned long i;

	for (i = 0; i < pages; i++)
		((volatile char *)at)[i * PAGE] = value;
}

static __u64 next(__u64 *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

void page_fill(char *page, __u64 seed)
{
	__u64 x = (seed + 1) * 0x9e3779b97f4a7c15ULL, common = next(&x);
	__u64 *word = (__u64 *)page;
	unsigned int i;

	/* Of each 64 bytes, 16 are new and 48 are like those before them. */
	for (i = 0; i < PAGE / sizeof(*word); i++)
		word[i] = i % 8 < 2 ? next(&x) : common + i % 8;
}

void rest(void)
{
	usleep(20000);
}
