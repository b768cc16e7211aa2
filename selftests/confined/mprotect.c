// SPDX-License-Identifier: GPL-2.0
/*
 * mprotect makes pages writable without asking the guest: not those that a child shares.
 * And it makes pages of the host writable: then they become the guest's.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#include "guest.h"
#include "test.h"

/* Twice this is more than a guest has, of which programs take a larger part on a debug kernel. */
#define SIZE	((debug_kernel() ? 3 : 2) * UNIT)
#define RW	(PROT_READ | PROT_WRITE)

static char *memory;
static struct barrier *barrier;

static void see_old(void *arg)
{
	meet(barrier, 2, 1);
	check(filled(memory, SIZE, (uint64_t)arg));
	meet(barrier, 2, 2);
	check(filled(memory, SIZE, (uint64_t)arg));
	meet(barrier, 2, 3);
}

/* @between: what the parent does to the protection after it forked. */
static void parent_writes(void (*between)(void))
{
	unsigned long i;

	memory = private_memory(SIZE);
	barrier = shared_memory(PAGE);
	for (i = 0; i < rounds(6); i++) {
		pid_t pid;

		barrier->count = 0;
		fill(memory, SIZE, i);
		pid = child(see_old, (void *)i);
		between();
		fill(memory, SIZE, i + 1);
		meet(barrier, 2, 1);
		meet(barrier, 2, 2);
		check(filled(memory, SIZE, i + 1));
		meet(barrier, 2, 3);
		join(pid);
	}
}

static void read_and_back(void)
{
	check(!mprotect(memory, SIZE, PROT_READ));
	check(!mprotect(memory, SIZE, RW));
}

static void none_and_back(void)
{
	check(!mprotect(memory, SIZE, PROT_NONE));
	check(!mprotect(memory, SIZE, RW));
}

static void read_between(void)
{
	check(!mprotect(memory, SIZE, PROT_READ));
	check(zeroed(memory, 0) && *(volatile char *)memory == *(volatile char *)memory);
	check(!mprotect(memory, SIZE, RW));
}

static void toggle(void)
{
	parent_writes(read_and_back);
}

static void toggle_none(void)
{
	parent_writes(none_and_back);
}

static void toggle_and_read(void)
{
	parent_writes(read_between);
}

/* Read-only at the fork, writable afterwards. */
static void read_only_fork(void)
{
	unsigned long i;

	memory = private_memory(SIZE);
	barrier = shared_memory(PAGE);
	for (i = 0; i < rounds(6); i++) {
		pid_t pid;

		barrier->count = 0;
		fill(memory, SIZE, i);
		check(!mprotect(memory, SIZE, PROT_READ));
		pid = child(see_old, (void *)i);
		check(!mprotect(memory, SIZE, RW));
		fill(memory, SIZE, i + 1);
		meet(barrier, 2, 1);
		meet(barrier, 2, 2);
		check(filled(memory, SIZE, i + 1));
		meet(barrier, 2, 3);
		join(pid);
	}
}

/* The child toggles and writes; the parent must not see it. */
static void write_after_toggle(void *arg)
{
	read_and_back();
	fill(memory, SIZE, 99);
	check(filled(memory, SIZE, 99));
}

static void child_toggles(void)
{
	unsigned long i;

	memory = private_memory(SIZE);
	for (i = 0; i < rounds(6); i++) {
		fill(memory, SIZE, i);
		run_child(write_after_toggle, NULL);
		check(filled(memory, SIZE, i));
		read_and_back();
		check(filled(memory, SIZE, i));
	}
}

/* Three generations with a toggle between any two. */
static void grandchild(void *arg)
{
	read_and_back();
	fill(memory, SIZE, 3);
	check(filled(memory, SIZE, 3));
}

static void middle(void *arg)
{
	read_and_back();
	check(filled(memory, SIZE, 1));
	fill(memory, SIZE / 2, 2);
	run_child(grandchild, NULL);
	read_and_back();
	check(filled(memory, SIZE / 2, 2));
}

static void generations(void)
{
	memory = private_memory(SIZE);
	fill(memory, SIZE, 1);
	read_and_back();
	run_child(middle, NULL);
	read_and_back();
	check(filled(memory, SIZE, 1));
	run_child(middle, NULL);
	check(filled(memory, SIZE, 1));
}

/* Part of a page table's pages in one mapping, part in another. */
static void split(void *arg)
{
	size_t i;

	for (i = 0; i < SIZE / PAGE; i += 3)
		check(!mprotect(memory + i * PAGE, PAGE, PROT_READ));
	check(filled(memory, SIZE, 1));
	for (i = 0; i < SIZE / PAGE; i += 3)
		check(!mprotect(memory + i * PAGE, PAGE, RW));
	check(!mprotect(memory, SIZE, RW));
	fill(memory, SIZE, 2);
}

static void splits(void)
{
	unsigned int i;

	memory = private_memory(SIZE);
	fill(memory, SIZE, 1);
	for (i = 0; i < 3; i++) {
		check(!mprotect(memory + SIZE / 4, SIZE / 2, PROT_READ));
		run_child(split, NULL);
		check(!mprotect(memory + SIZE / 4, SIZE / 2, RW));
		check(filled(memory, SIZE, 1));
		run_child(split, NULL);
		check(filled(memory, SIZE, 1));
		fill(memory, SIZE, 1);
	}
}

/* ---- the host's pages ---- */

#define HUGE_PAGE	(2 * MIB)

/* Does a file about the process's mappings say this of the mapping at an address? */
static bool mapping_has(const void *addr, const char *file_name, const char *text)
{
	unsigned long start, end, wanted = (unsigned long)addr;
	FILE *file = fopen(file_name, "r");
	bool inside = false, found = false;
	char line[512];

	check(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = start <= wanted && wanted < end;
		if (inside && strstr(line, text))
			found = true;
	}
	fclose(file);
	return found;
}

static bool of_pool(const void *addr)
{
	return mapping_has(addr, "/proc/self/maps", "[lodge:");
}

/* Page number i of the file is full of i, but for page @other. */
static bool is_file(const char *p, size_t other)
{
	size_t i;

	for (i = 0; i < HUGE_PAGE / PAGE; i++)
		if (i != other && (p[i * PAGE] != (char)i || p[i * PAGE + PAGE - 1] != (char)i))
			return false;
	return true;
}

static void huge_page(void)
{
	char *space = mmap(NULL, 2 * HUGE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *p = (char *)(((unsigned long)space + HUGE_PAGE - 1) & -HUGE_PAGE);
	char page[PAGE];
	size_t i;
	int fd;

	check(!unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	if (mount("tmpfs", "/tmp", "tmpfs", 0, "huge=always"))
		skip("no huge pages in tmpfs: %s", strerror(errno));
	fd = open("/tmp/huge", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	check(fd >= 0);
	for (i = 0; i < HUGE_PAGE / PAGE; i++) {
		memset(page, i, PAGE);
		check_equal(write(fd, page, PAGE), PAGE);
	}
	check(mmap(p, HUGE_PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0) == p);
	check(is_file(p, -1));
	if (mapping_has(p, "/proc/self/smaps", "ShmemPmdMapped:        0 kB"))
		skip("the page is not mapped as a huge one");
	check(!mprotect(p, HUGE_PAGE, RW));
	check(of_pool(p) == in_guest());
	memset(p + PAGE, 99, PAGE);
	check(p[PAGE] == 99 && p[2 * PAGE - 1] == 99 && is_file(p, 1));
}

/* A process that has not called exec in its guest. */
static void old_and_new(void *arg)
{
	char *p = arg;

	check(!of_pool(p) && !of_pool(p + PAGE));
	p[0] = 1;
	check(!mprotect(p, 2 * PAGE, RW));
	check(!of_pool(p) && of_pool(p + PAGE));
	p[PAGE] = 2;
	check(p[0] == 1 && p[PAGE] == 2);
}

static void writable_before(void)
{
	char *p = private_memory(2 * PAGE);
	struct guest guest;

	check(!mprotect(p + PAGE, PAGE, PROT_READ));
	guest_make(&guest, "mprotect", 4 * MIB);
	join(guest_child(&guest, old_and_new, p));
	guest_end(&guest);
}

static const struct test tests[] = {
	{ "the parent writes after PROT_READ and back", toggle, .pool = 2560 * KIB },
	{ "the parent writes after PROT_NONE and back", toggle_none, .pool = 2560 * KIB },
	{ "the parent reads while it is PROT_READ", toggle_and_read, .pool = 2560 * KIB },
	{ "read-only while it forks", read_only_fork, .pool = 2560 * KIB },
	{ "the child toggles and writes", child_toggles, .pool = 2560 * KIB },
	{ "three generations", generations, .pool = 2560 * KIB },
	{ "mappings that are split", splits, .pool = 2560 * KIB },
	{ "a file's huge page", huge_page, .pool = 8 * MIB, .calm = true },
	{ "what was writable before stays the host's", writable_before, .host = true },
};

TEST_MAIN(tests)
