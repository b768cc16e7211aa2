/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The benchmark of single operations. It counts instructions: in the machine it is
 * made for (QEMU with -icount shift=0) the time stamp counter moves by one for each.
 */
#ifndef LODGE_BENCH_H
#define LODGE_BENCH_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PAGE	4096UL
#define MIB	1048576UL

#define MARK_START	1
#define MARK_END	2
#define MARK_ROW	3

/* An instruction that does nothing, by which a profiler in QEMU knows where it is. */
static inline __attribute__((always_inline)) void mark(const int n)
{
	__asm__ __volatile__(".byte 0x0f, 0x1f, 0x84, 0x00, %c0, 'D', 'O', 'L'" : : "i"(n) : "memory");
}

/* The counter. */
static inline __u64 stamp(void)
{
	__u32 low, high;

	__asm__ __volatile__("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (__u64)high << 32 | low;
}

static inline __u64 stamp_start(void)
{
	mark(MARK_START);
	return stamp();
}

static inline __u64 stamp_end(void)
{
	__u64 now = stamp();

	mark(MARK_END);
	return now;
}

/* ---- samples.c ---- */

/** samples_init() - set up, and find what a pair of stamps costs */
void samples_init(const char *state);

/** samples_begin() - forget all samples */
void samples_begin(void);

/** samples_add() - an operation took from @start to @end; also from a child */
void samples_add(__u64 start, __u64 end);

/** samples_add_per() - the same for @n operations in a row */
void samples_add_per(__u64 start, __u64 end, unsigned long n);

/** samples_end() - write a line of the table: @row of the samples */
void samples_end(const char *row);

/** die() - an operation of the benchmark went wrong; says errno */
void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...);

/* ---- bind.c ---- */

/** bind_and_restart() - bind to the guest of a directory, start again without argv[1] and [2] */
void bind_and_restart(const char *guest, char **argv);

/* ---- content.c ---- */

/** pages_map() - new private memory, untouched */
char *pages_map(unsigned long pages);

/** pages_unmap() - undo pages_map() */
void pages_unmap(char *at, unsigned long pages);

/** pages_touch() - write to each of the pages */
void pages_touch(char *at, unsigned long pages, char value);

/** page_fill() - content of its own for a page; it compresses to a third */
void page_fill(char *page, __u64 seed);

/** rest() - let the kernel's own threads do what they put off */
void rest(void);

/* ---- rows-fork.c ---- */

/** must_fork() - fork, or end the program */
pid_t must_fork(void);

/** must_wait() - wait for a child, or end the program */
void must_wait(pid_t pid);

/* ---- single rows that others have too ---- */

void row_getpid(unsigned int times);
void row_read(unsigned int times);
void row_write_fault(unsigned int rounds);
void row_exec(const char *nothing);

/* ---- the rows, by subject ---- */

void rows_calls(void);
void rows_memory(void);
void rows_fork(const char *nothing);

/** rows_guest() - what full guests are compared by; @folder: a tmpfs with the program nothing */
void rows_guest(const char *folder);

/** guest_prepare() - in a guest, as root: make @folder what rows_guest() needs */
void guest_prepare(const char *folder);

/* ---- rows-commands.c: whole programs ---- */

/** print_stamp() - "init,STAMP": this program has been started */
void print_stamp(void);

/**
 * rows_start() - from the start of a guest to its init, and to its end
 * @argv: what the rows' names begin with, how often, and the command that starts a guest, in
 *	which somebody says print_stamp()'s line
 */
void rows_start(char **argv);

/** row_command() - @argv: the row's name, how often, and a command: from its start to its end */
void row_command(char **argv);

/** rows_evict() - @control: a guest's or a cgroup's directory, which this process is in */
void rows_evict(const char *control);

#endif /* LODGE_BENCH_H */
