/* SPDX-License-Identifier: GPL-2.0 */
/*
 * guest-core/host.h in user space: the kernel's names over pthreads and malloc, strict
 * where the kernel is, so that unit tests find what the kernel would only sometimes trip over.
 */
#ifndef LODGE_HOST_USER_H
#define LODGE_HOST_USER_H

#include "userland/host/host-types.h"

/* Monotonic. */
u64 host_time_us(void);

#include "userland/host/host-atomic.h"
#include "userland/host/host-list.h"
#include "userland/host/host-lock.h"
#include "userland/host/host-memory.h"

/* ---- CPUs, signals ---- */

/* Each thread is on a CPU of its own until these are used up, and stays there. */
#define HOST_CPUS	4U

static inline unsigned int host_cpus(void)
{
	return HOST_CPUS;
}

unsigned int host_cpu(void);

/* As if the thread had been sent SIGKILL. */
extern __thread bool host_killed;

/* As if it held what a file system may want. */
extern __thread bool host_holds_file;

static inline bool fatal_signal(void)
{
	return host_killed;
}

static inline bool interrupted(void)
{
	return host_killed;
}

static inline bool host_no_io(void)
{
	return host_holds_file;
}

static inline bool host_dying(void)
{
	return host_killed;
}

void host_sleep_ms(unsigned int ms);

#include "guest-core/host-calls.h"

/* ---- files ---- */

/**
 * struct host_file_faults - what goes wrong with a file, for tests
 * @write_err: writes that touch the bytes from @from to @to fail with this; 0: none
 * @read_err: reads likewise
 * @writes: write requests so far
 * @reads: read requests so far
 */
struct host_file_faults {
	u64 from, to;
	int write_err, read_err;
	atomic_long_t writes, reads;
};

struct host_file_faults *host_file_faults(struct host_file *file);

#endif /* LODGE_HOST_USER_H */
