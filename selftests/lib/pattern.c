// SPDX-License-Identifier: GPL-2.0
/* Memory whose content can be verified. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"
#include "test.h"

#define WORDS		(PAGE / sizeof(uint64_t))
#define HARD_WORDS	(WORDS / 4)	/* of a page that compresses */

static uint64_t next(uint64_t x)
{
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

static uint64_t first_word(uint64_t seed, uint64_t page)
{
	return next((seed + 1) * 0x9e3779b97f4a7c15ULL + page * 0xbf58476d1ce4e5b9ULL + 1);
}

static void fill_page(uint64_t *word, uint64_t value, unsigned int hard)
{
	unsigned int i;

	for (i = 0; i < hard; i++, value = next(value))
		word[i] = value;
	for (; i < WORDS; i++)
		word[i] = value;
}

static bool page_filled(const uint64_t *word, uint64_t value, unsigned int hard)
{
	uint64_t wrong = 0;
	unsigned int i;

	for (i = 0; i < hard; i++, value = next(value))
		wrong |= word[i] ^ value;
	for (; i < WORDS; i++)
		wrong |= word[i] ^ value;
	return !wrong;
}

static void fill_range(char *p, size_t size, uint64_t seed, unsigned int hard)
{
	size_t i;

	for (i = 0; i < size / PAGE; i++)
		fill_page((uint64_t *)(p + i * PAGE), first_word(seed, i), hard);
}

static bool range_filled(const char *p, size_t size, uint64_t seed, unsigned int hard)
{
	size_t i;

	for (i = 0; i < size / PAGE; i++) {
		const uint64_t *word = (const uint64_t *)(p + i * PAGE);

		if (page_filled(word, first_word(seed, i), hard))
			continue;
		note("page %zu of %zu at %p: first word %#llx, expected %#llx", i, size / PAGE,
		     word, (unsigned long long)word[0], (unsigned long long)first_word(seed, i));
		return false;
	}
	return true;
}

void fill(void *start, size_t size, uint64_t seed)
{
	fill_range(start, size, seed, HARD_WORDS);
}

void fill_hard(void *start, size_t size, uint64_t seed)
{
	fill_range(start, size, seed, WORDS);
}

bool filled(const void *start, size_t size, uint64_t seed)
{
	return range_filled(start, size, seed, HARD_WORDS);
}

bool filled_hard(const void *start, size_t size, uint64_t seed)
{
	return range_filled(start, size, seed, WORDS);
}

bool zeroed(const void *start, size_t size)
{
	const char *p = start;
	size_t i;

	for (i = 0; i < size; i++) {
		if (!p[i])
			continue;
		note("byte %zu of %zu at %p is %#x, not 0", i, size, p + i, (unsigned char)p[i]);
		return false;
	}
	return true;
}

void *private_memory(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	check(p != MAP_FAILED);
	return p;
}

void press(size_t size)
{
	char *p = private_memory(size);

	fill(p, size, 77);
	check(filled(p, size, 77));
	check_equal(munmap(p, size), 0);
}

uint32_t random_number(void)
{
	static __thread uint64_t state = 88172645463325252ULL;

	state = next(state);
	return state >> 16;
}

int make_file(size_t size, uint64_t seed)
{
	char path[] = SCRATCH "/fileXXXXXX", other[] = "/tmp/fileXXXXXX";
	char *buffer = malloc(size + PAGE);
	int fd = mkstemp(path);

	if (fd >= 0) {
		unlink(path);
	} else {
		fd = mkstemp(other);
		check(fd >= 0);
		unlink(other);
	}
	fill(buffer, (size + PAGE - 1) / PAGE * PAGE, seed);
	check_equal(write(fd, buffer, size), size);
	free(buffer);
	return fd;
}
