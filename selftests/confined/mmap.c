// SPDX-License-Identifier: GPL-2.0
/* mmap and munmap of private memory. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "guest.h"
#include "test.h"

#define SIZE	(4 * UNIT)
#define RW	(PROT_READ | PROT_WRITE)
#define PRIVATE	(MAP_PRIVATE | MAP_ANONYMOUS)

static void touch(void *arg)
{
	*(volatile char *)arg = 1;
}

static void look(void *arg)
{
	(void)*(volatile char *)arg;
}

static void fixed_over(void)
{
	char *p = private_memory(SIZE);

	fill(p, SIZE, 1);
	check(mmap(p + UNIT, UNIT, RW, PRIVATE | MAP_FIXED, -1, 0) == p + UNIT);
	check(zeroed(p + UNIT, UNIT));
	check(filled(p, UNIT, 1));
	fill(p + UNIT, UNIT, 2);
	/* Shared over private, and private over it. */
	check(mmap(p + UNIT, UNIT, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p + UNIT);
	check(zeroed(p + UNIT, UNIT));
	fill(p + UNIT, UNIT, 3);
	check(mmap(p + UNIT, UNIT, RW, PRIVATE | MAP_FIXED, -1, 0) == p + UNIT);
	check(zeroed(p + UNIT, UNIT));
	check(mmap(p, PAGE, RW, PRIVATE | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED &&
	      errno == EEXIST);
	check(mmap(p, PAGE, RW, PRIVATE | MAP_FIXED | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED &&
	      errno == EEXIST);
	check(filled(p, UNIT, 1));
	fill(p, UNIT, 4);
	check(filled(p, UNIT, 4));
}

static void holes(void)
{
	char *p = private_memory(SIZE);
	size_t i;

	fill(p, SIZE, 1);
	for (i = 1; i < SIZE / PAGE; i += 2)
		check(!munmap(p + i * PAGE, PAGE));
	check_equal(faults(look, p + PAGE), SIGSEGV);
	for (i = 1; i < SIZE / PAGE; i += 2)
		check(mmap(p + i * PAGE, PAGE, RW, PRIVATE | MAP_FIXED_NOREPLACE, -1, 0) ==
		      p + i * PAGE);
	for (i = 1; i < SIZE / PAGE; i += 2)
		check(zeroed(p + i * PAGE, PAGE));
	for (i = 1; i < SIZE / PAGE; i += 2)
		memset(p + i * PAGE, 1, PAGE);
	check(!munmap(p + PAGE, SIZE - 2 * PAGE));
	check_equal(faults(look, p + SIZE - 2 * PAGE), SIGSEGV);
	check_equal(faults(look, p + SIZE - PAGE), 0);
	check(!munmap(p + PAGE, SIZE - 2 * PAGE));	/* nothing there is no error */
}

static void refusals(void)
{
	char *p = private_memory(SIZE);

	check(munmap(p + 1, PAGE) && errno == EINVAL);
	check(munmap(p, 0) && errno == EINVAL);
	check(munmap(p, ~0UL) && errno == EINVAL);
	check(mmap(NULL, 0, RW, PRIVATE, -1, 0) == MAP_FAILED && errno == EINVAL);
	check(mmap(NULL, ~0UL, RW, PRIVATE, -1, 0) == MAP_FAILED && errno == ENOMEM);
	check(mmap(NULL, 1UL << 48, RW, PRIVATE, -1, 0) == MAP_FAILED && errno == ENOMEM);
	check(mmap(p + 1, PAGE, RW, PRIVATE | MAP_FIXED, -1, 0) == MAP_FAILED && errno == EINVAL);
	check(mmap((void *)(1UL << 48), PAGE, RW, PRIVATE | MAP_FIXED, -1, 0) == MAP_FAILED &&
	      errno == ENOMEM);
	check(mmap(NULL, PAGE, RW, MAP_PRIVATE, -1, 0) == MAP_FAILED && errno == EBADF);
	check(mmap(NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EINVAL);
	/* Memory that would be the host's; kernels before 6.11 do not know it anyway. */
	if (guest_is_here())
		check(mmap(NULL, PAGE, RW, 0x08 /* MAP_DROPPABLE */ | MAP_ANONYMOUS, -1, 0) ==
		      MAP_FAILED && errno == EINVAL);
}

static void protection(void)
{
	char *p = mmap(NULL, SIZE, PROT_NONE, PRIVATE, -1, 0);

	check(p != MAP_FAILED);
	check_equal(faults(look, p), SIGSEGV);
	check(!mprotect(p, SIZE, RW));
	fill(p, SIZE, 1);
	check(!mprotect(p, SIZE, PROT_NONE));
	check_equal(faults(look, p), SIGSEGV);
	check(!mprotect(p, SIZE, PROT_READ));
	check(filled(p, SIZE, 1));
	check_equal(faults(touch, p), SIGSEGV);
	check_equal(faults(touch, p + SIZE - 1), SIGSEGV);
	check(!mprotect(p, SIZE, RW));
	fill(p, SIZE, 2);
	check(filled(p, SIZE, 2));
}

static void populate(void)
{
	char *p = mmap(NULL, SIZE, RW, PRIVATE | MAP_POPULATE, -1, 0);

	check(p != MAP_FAILED);
	check(zeroed(p, SIZE));
	fill(p, SIZE, 1);
	check(filled(p, SIZE, 1));
	p = mmap(NULL, UNIT, PROT_READ, PRIVATE | MAP_POPULATE, -1, 0);
	check(p != MAP_FAILED && zeroed(p, UNIT));
}

static void hints(void)
{
	char *p, *q;

	p = mmap(NULL, SIZE, RW, PRIVATE | MAP_32BIT, -1, 0);
	check(p != MAP_FAILED && (uintptr_t)p + SIZE <= 1UL << 32);
	fill(p, SIZE, 1);
	q = mmap((void *)0x700000000000UL, PAGE, RW, PRIVATE, -1, 0);
	check_equal((long)q, 0x700000000000L);
	/* A hint that is taken is passed over. */
	q = mmap(p, PAGE, RW, PRIVATE, -1, 0);
	check(q != MAP_FAILED && (q < p || q >= p + SIZE));
	q = mmap((void *)16, PAGE, RW, PRIVATE, -1, 0);
	check(q != MAP_FAILED && (uintptr_t)q >= 65536);
	check(filled(p, SIZE, 1));
}

/* ---- files ---- */

static void private_file(void)
{
	size_t size = 2 * UNIT;
	int fd = make_file(size, 5);
	char *p = mmap(NULL, size, RW, MAP_PRIVATE, fd, 0), *buffer = malloc(size);

	check(p != MAP_FAILED);
	check(filled(p, size, 5));
	fill(p, size / 2, 6);
	press(SIZE);
	check(filled(p, size / 2, 6));
	check_equal(pread(fd, buffer, size, 0), size);
	check(filled(buffer, size, 5));		/* the file is what it was */
	free(buffer);
	/* At an offset, over something else, and read-only first. */
	check(mmap(p + UNIT, UNIT, RW, MAP_PRIVATE | MAP_FIXED, fd, 0) == p + UNIT);
	check(filled(p + UNIT, UNIT, 5));
	check(!munmap(p, size));
	p = mmap(NULL, UNIT, PROT_READ, MAP_PRIVATE, fd, 0);
	check(p != MAP_FAILED && filled(p, UNIT, 5));
	check(!mprotect(p, UNIT, RW));
	fill(p, UNIT, 7);
	press(SIZE);
	check(filled(p, UNIT, 7));
	close(fd);
	check(filled(p, UNIT, 7));
}

static void write_file_later(void)
{
	int fd = make_file(UNIT, 8);
	char *p = mmap(NULL, UNIT, RW, MAP_PRIVATE, fd, 0), *buffer = malloc(UNIT);

	check(p != MAP_FAILED && filled(p, 16 * PAGE, 8));
	fill(p, 16 * PAGE, 9);
	memset(buffer, 3, UNIT);
	check_equal(pwrite(fd, buffer, 16 * PAGE, 0), 16 * PAGE);
	check(filled(p, 16 * PAGE, 9));		/* private pages do not change with the file */
}

static void end_of_file(void)
{
	size_t size = 10 * PAGE + 1234;
	int fd = make_file(size, 10);
	char *p = mmap(NULL, 16 * PAGE, RW, MAP_PRIVATE, fd, 0), *page = malloc(PAGE);

	check(p != MAP_FAILED && filled(p, 10 * PAGE, 10));
	check_equal(pread(fd, page, 1234, 10 * PAGE), 1234);
	check(!memcmp(p + 10 * PAGE, page, 1234));
	check(zeroed(p + 10 * PAGE + 1234, PAGE - 1234));
	check_equal(faults(look, p + 11 * PAGE), SIGBUS);
	check_equal(faults(touch, p + 11 * PAGE), SIGBUS);
	p[10 * PAGE + 1234] = 5;
	check(!ftruncate(fd, 12 * PAGE));
	check_equal(faults(look, p + 11 * PAGE), 0);
	check_equal(p[10 * PAGE + 1234], 5);
}

static void modes(void)
{
	char path[] = "/tmp/modesXXXXXX";
	int fd = mkstemp(path), reader, writer;
	char *p;

	check(fd >= 0 && !ftruncate(fd, PAGE));
	reader = open(path, O_RDONLY);
	writer = open(path, O_WRONLY);
	unlink(path);
	p = mmap(NULL, PAGE, RW, MAP_PRIVATE, reader, 0);
	check(p != MAP_FAILED);
	*p = 1;
	check(mmap(NULL, PAGE, RW, MAP_PRIVATE, writer, 0) == MAP_FAILED && errno == EACCES);
	check(mmap(NULL, PAGE, RW, MAP_PRIVATE, reader, 1) == MAP_FAILED && errno == EINVAL);
	check(mmap(NULL, PAGE, RW, MAP_SHARED, reader, 0) == MAP_FAILED && errno == EACCES);
}

static void be_reader(void *arg)
{
	volatile char *p = arg;

	while (p[PAGE] != 1)
		sleep_ms(1);
	p[0] = 2;
}

/* Shared memory stays the host's and is shared as ever. */
static void shared(void)
{
	char *p = shared_memory(SIZE);
	pid_t pid = child(be_reader, p);

	p[PAGE] = 1;
	join(pid);
	check_equal(p[0], 2);
	fill(p, SIZE, 11);
	press(SIZE);
	check(filled(p, SIZE, 11));
}

static void zero_device(void)
{
	int fd = open("/dev/zero", O_RDWR);
	char *p = mmap(NULL, UNIT, RW, MAP_PRIVATE, fd, 0);

	check(p != MAP_FAILED && zeroed(p, UNIT));
	fill_hard(p, UNIT, 12);
	if (guest_is_here())
		check(guest_figure(guest_here(), "memory.current") +
		      guest_figure(guest_here(), "memory.swap.current") >= UNIT);
	press(SIZE);
	check(filled_hard(p, UNIT, 12));
	check(!munmap(p, UNIT));
}

static void locked(void)
{
	struct rlimit limit = { 64 * UNIT, 64 * UNIT };
	char *p;

	setrlimit(RLIMIT_MEMLOCK, &limit);
	p = mmap(NULL, UNIT, RW, PRIVATE | MAP_LOCKED, -1, 0);
	check(p != MAP_FAILED);
	fill(p, UNIT, 13);
	press(SIZE);
	check(filled(p, UNIT, 13));
	check(!munlock(p, UNIT));
	check(!mlock(p, UNIT / 2));
	press(SIZE);
	check(filled(p, UNIT, 13));
	check(!munmap(p, UNIT));
}

/* In a guest that brings in the whole of the stack that its limit allows, 8 MiB. */
static void all_locked(void)
{
	char *p = private_memory(UNIT);

	check(!mlockall(MCL_CURRENT | MCL_FUTURE));
	fill(p, UNIT, 14);
	check(!munlockall());
	press(40 * UNIT);
	check(filled(p, UNIT, 14));
}

/* No file reaches there. */
static void far_offsets(void)
{
	static const unsigned long offsets[] = { ~0UL << 12, 1UL << 63, (1UL << 63) - PAGE };
	char path[] = "/tmp/mmapXXXXXX";
	int fd = mkstemp(path);
	unsigned int i;

	check(fd >= 0 && !unlink(path) && !ftruncate(fd, PAGE));
	for (i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++)
		check(mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, offsets[i]) == MAP_FAILED &&
		      errno == EOVERFLOW);
	close(fd);
}

static void many_mappings(void)
{
	char *p = private_memory(2000 * PAGE);
	unsigned int i;

	for (i = 0; i < 2000; i += 2)
		check(!mprotect(p + i * PAGE, PAGE, PROT_READ));
	for (i = 1; i < 2000; i += 2)
		p[i * PAGE] = i;
	for (i = 0; i < 2000; i += 2)
		check(!mprotect(p + i * PAGE, PAGE, RW));
	for (i = 0; i < 2000; i++)
		check_equal(p[i * PAGE], i & 1 ? (char)i : 0);
}

/* Where the module keeps a page of its own in every guest's process; not for programs to know. */
static char *anchor(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long start, end;
	char line[512], mode[5];
	char *found = NULL;

	check(maps);
	while (!found && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %4s", &start, &end, mode) == 3 &&
		    !strcmp(mode, "---s") && end - start == PAGE)
			found = (char *)start;
	fclose(maps);
	return found;
}

/* Huge pages that are mapped over others take more than was asked for. */
static void huge_pages_over(void)
{
	size_t huge = 2 * MIB;
	char *area = private_memory(2 * huge), *block, *at = NULL;
	FILE *pages = fopen("/proc/sys/vm/nr_hugepages", "we");

	if (!pages)
		return;	/* a kernel without huge pages */
	check(fputs("2", pages) >= 0 && !fclose(pages));
	block = (char *)(((uintptr_t)area + huge - 1) & -huge);
	check(!munmap(block, huge));
	/* What is mapped over the module's page drives it on, to the end of our block at last. */
	while (in_guest() && (at = anchor()) && (at < block || at >= block + huge))
		check(mmap(at, PAGE, PROT_READ, PRIVATE | MAP_FIXED, -1, 0) == at);
	check(!in_guest() || at);
	check(mmap(block, PAGE, RW, PRIVATE | MAP_HUGETLB | MAP_FIXED, -1, 0) == block);
	check(!in_guest() || anchor());
	memset(block, 1, huge);
	check(!munmap(block, huge));
	area = private_memory(UNIT);
	fill(area, UNIT, 1);
	press(SIZE);
	check(filled(area, UNIT, 1));
}

static void synced(void)
{
	char *p = private_memory(UNIT);
	unsigned char in_core[UNIT / PAGE];

	fill(p, UNIT, 15);
	check(!msync(p, UNIT, MS_SYNC));
	check(!msync(p, UNIT, MS_ASYNC));
	check(!msync(p, UNIT, MS_INVALIDATE));
	check(!mincore(p, UNIT, in_core));
	check(filled(p, UNIT, 15));
}

static const struct test tests[] = {
	{ "MAP_FIXED over private and shared memory", fixed_over },
	{ "holes by munmap", holes },
	{ "what is refused", refusals, .calm = true },
	{ "PROT_NONE, PROT_READ and back", protection },
	{ "MAP_POPULATE", populate },
	{ "MAP_32BIT and hints", hints },
	{ "private mappings of a file", private_file, .pool = 3 * MIB },
	{ "private pages do not follow the file", write_file_later, .calm = true },
	{ "the end of a file: zeroes, then SIGBUS", end_of_file, .calm = true },
	{ "how the file was opened", modes, .calm = true },
	{ "offsets beyond any file", far_offsets, .calm = true },
	{ "shared memory", shared },
	{ "a private mapping of /dev/zero", zero_device, .pool = 3 * MIB },
	{ "mlock", locked, .pool = 4 * MIB },
	{ "mlockall", all_locked, .pool = 40 * MIB },
	{ "many small mappings", many_mappings },
	{ "huge pages over private memory", huge_pages_over, .calm = true },
	{ "msync and mincore", synced, .calm = true },
};

TEST_MAIN(tests)
