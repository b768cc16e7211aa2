/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A test program that runs in guests: a table of cases, each of which is run natively
 * first and then in guests, every time in a process of its own that exec()s the same
 * program.
 *
 * A case fails at the first check() that does not hold, in any of its processes and
 * threads; whoever waits for a child checks its status.  It need not tidy up: the
 * harness kills what is left and reports it.
 */
#ifndef LODGE_TEST_H
#define LODGE_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A row of a table leaves out what it does not set. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#define KIB	1024UL
#define MIB	(1024 * KIB)
#define PAGE	4096UL

#define STATUS_FAIL	1
#define STATUS_SKIP	4	/* kselftest's own */

/**
 * struct test - one case
 * @name: what is found to hold when it passes
 * @run: the case; returning is passing
 * @pool: memory.max of its guests, default 2 MiB: about half of what it touches
 * @seconds: time limit on stock kernels, default 30
 * @calm: it need not make the guest evict anything
 * @host: only there: it makes its guests itself
 * @alone: no other guest is there, so that its first one arms the hooks, and its last disarms them
 * @dies: bits of oom_kill (memory.events) are fine
 */
struct test {
	const char *name;
	void (*run)(void);
	unsigned long pool;
	unsigned int seconds;
	bool calm;
	bool host;
	bool alone;
	bool dies;
};

/** test_main() - run a table of @n cases and print TAP; what main() returns */
int test_main(int argc, char **argv, const struct test *tests, unsigned int n);

#define TEST_MAIN(tests)							\
	int main(int argc, char **argv)						\
	{									\
		return test_main(argc, argv, tests, sizeof(tests) / sizeof((tests)[0])); \
	}

/** check() - the case fails, and the process ends, if @condition does not hold */
#define check(condition) test_check(!!(condition), #condition, __FILE__, __LINE__)
/** check_equal() - the same, and prints both */
#define check_equal(a, b) test_check_equal((long)(a), (long)(b), #a, #b, __FILE__, __LINE__)

void test_check(bool good, const char *what, const char *file, int line);
void test_check_equal(long a, long b, const char *what_a, const char *what_b, const char *file,
		      int line);

/** note() - a line of diagnosis */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** skip() - this case cannot run here; ends the process */
void skip(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/** in_guest() - is this process run in a guest?  Then guest_here() (guest.h) is the guest. */
bool in_guest(void);

/** debug_kernel() - is the kernel one that checks itself, and slow? */
bool debug_kernel(void);

/** rounds() - @n, or fewer on a debug kernel, and in a guest that swaps to a file */
unsigned int rounds(unsigned int n);

/** scaled() - @bytes, or less on a debug kernel; whole pages if it is a multiple of 32 KiB */
size_t scaled(size_t bytes);

/* What cases measure their memory in; their pools shrink in proportion. */
#define UNIT	scaled(MIB)

/* ---- processes (process.c) ---- */

/** child() - fork; the child runs @run(@arg) and exits with 0 */
pid_t child(void (*run)(void *arg), void *arg);

/** join() - wait for a child and check that it exited with 0 */
void join(pid_t pid);

/** join_killed() - wait for a child and check that @signal killed it */
void join_killed(pid_t pid, int signal);

/** run_child() - child() and join() */
void run_child(void (*run)(void *arg), void *arg);

/** faults() - does running @run end with a signal?  Return: the signal, 0 for none; in a child */
int faults(void (*run)(void *arg), void *arg);

/** struct barrier - processes that share it meet; in memory from shared_memory() */
struct barrier {
	unsigned int count;
};

/** meet() - wait until @n processes have come @round times (from 1) */
void meet(struct barrier *barrier, unsigned int n, unsigned int round);

/** shared_memory() - zeroed memory that forked processes share, the host's */
void *shared_memory(size_t size);

/** sleep_ms() - at least that long */
void sleep_ms(unsigned int ms);

/** now_ms() - a clock */
uint64_t now_ms(void);

/* ---- content of pages (pattern.c) ---- */

/** private_memory() - @size bytes of fresh private memory */
void *private_memory(size_t size);

/** fill() - give each page a content that follows from @seed and its number; compresses 4:1 */
void fill(void *start, size_t size, uint64_t seed);

/** fill_hard() - the same with content that does not compress */
void fill_hard(void *start, size_t size, uint64_t seed);

/** filled() - is that what the range holds? */
bool filled(const void *start, size_t size, uint64_t seed);
bool filled_hard(const void *start, size_t size, uint64_t seed);

/** zeroed() - is the range zero? */
bool zeroed(const void *start, size_t size);

/** press() - touch @size bytes of other memory and let them go, so that the rest is evicted */
void press(size_t size);

/**
 * make_file() - a file without a name that fill() has filled, on the scratch disk or, where there
 * is none, in /tmp; its descriptor
 */
int make_file(size_t size, uint64_t seed);

/** random_number() - a number that differs from call to call, the same in every run */
uint32_t random_number(void);

#endif /* LODGE_TEST_H */
