// SPDX-License-Identifier: GPL-2.0
/* I/O that goes into the guest's frames while they are evicted, shared or freed. */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"
#include "guest.h"

#define SIZE	(2 * UNIT)
#define CHUNK	(64 * KIB)

static char *memory;
static int file;

/* A file on a disk that does direct I/O. */
static int open_direct(void)
{
	char path[] = SCRATCH "/directXXXXXX";
	int fd = mkstemp(path), direct;

	if (fd < 0)
		skip("no %s", SCRATCH);
	direct = open(path, O_RDWR | O_DIRECT);
	check(direct >= 0);
	unlink(path);
	close(fd);
	return direct;
}

static void write_and_read(void)
{
	size_t at;

	file = open_direct();
	memory = private_memory(SIZE);
	fill(memory, SIZE, 1);
	press(2 * SIZE);
	for (at = 0; at < SIZE; at += CHUNK)
		check_equal(pwrite(file, memory + at, CHUNK, at), CHUNK);
	fill(memory, SIZE, 2);
	press(2 * SIZE);
	for (at = 0; at < SIZE; at += CHUNK)
		check_equal(pread(file, memory + at, CHUNK, at), CHUNK);
	check(filled(memory, SIZE, 1));
	press(2 * SIZE);
	check(filled(memory, SIZE, 1));
}

static volatile bool stop;

static void *press_always(void *arg)
{
	while (!stop)
		press(2 * SIZE);
	return NULL;
}

/* What the disk wrote into a page must be there when the page comes back. */
static void beside_pressure(void)
{
	pthread_t thread;
	unsigned int i;
	size_t at;

	file = open_direct();
	memory = private_memory(SIZE);
	check(!pthread_create(&thread, NULL, press_always, NULL));
	for (i = 0; i < rounds(4); i++) {
		fill(memory, SIZE, i);
		for (at = 0; at < SIZE; at += CHUNK)
			check_equal(pwrite(file, memory + at, CHUNK, at), CHUNK);
		memset(memory, 0, SIZE);
		for (at = 0; at < SIZE; at += CHUNK)
			check_equal(pread(file, memory + at, CHUNK, at), CHUNK);
		check(filled(memory, SIZE, i));
	}
	stop = true;
	check(!pthread_join(thread, NULL));
}

static void *read_chunks(void *arg)
{
	size_t at;

	for (at = 0; at < SIZE; at += CHUNK)
		check_equal(pread(file, memory + at, CHUNK, at), CHUNK);
	return NULL;
}

static void look_and_write(void *arg)
{
	size_t i;

	/* Each page is as it was before the read or after it; and writes stay here. */
	for (i = 0; i < SIZE; i += PAGE)
		(void)*(volatile char *)(memory + i);
	memset(memory, 9, SIZE);
}

/* A read under way when the process forks goes into the parent's memory, all of it. */
static void across_fork(void)
{
	pthread_t thread;
	unsigned int i, n;

	file = open_direct();
	memory = private_memory(SIZE);
	for (i = 0; i < rounds(4); i++) {
		fill(memory, SIZE, i);
		check_equal(pwrite(file, memory, SIZE, 0), SIZE);
		memset(memory, 0, SIZE);
		check(!pthread_create(&thread, NULL, read_chunks, NULL));
		for (n = 0; n < 4; n++)
			run_child(look_and_write, NULL);
		check(!pthread_join(thread, NULL));
		check(filled(memory, SIZE, i));
	}
	press(3 * SIZE);
	check(filled(memory, SIZE, i - 1));
}

static void discard(void *arg)
{
	size_t at;

	for (at = 0; at < SIZE; at += CHUNK) {
		madvise(memory + at, CHUNK, MADV_DONTNEED);
		sched_yield();
	}
	munmap(memory, SIZE / 2);
	munmap(mremap(memory + SIZE / 2, SIZE / 4, SIZE / 2, MREMAP_MAYMOVE), SIZE / 2);
	munmap(memory + SIZE / 2 + SIZE / 4, SIZE / 4);
}

static void *read_anyhow(void *arg)
{
	size_t at;

	for (at = 0; at < SIZE; at += CHUNK)
		if (pread(file, memory + at, CHUNK, at) < 0)
			check_equal(errno, EFAULT);
	return NULL;
}

/* Memory that goes away beside I/O into it: nothing to verify but that all ends well. */
static void memory_goes(void)
{
	pthread_t thread;
	unsigned int i;

	file = open_direct();
	memory = private_memory(SIZE);
	fill(memory, SIZE, 1);
	check_equal(pwrite(file, memory, SIZE, 0), SIZE);
	for (i = 0; i < rounds(8); i++) {
		memory = private_memory(SIZE);
		fill(memory, SIZE, i);
		check(!pthread_create(&thread, NULL, read_anyhow, NULL));
		discard(NULL);
		check(!pthread_join(thread, NULL));
	}
	press(2 * SIZE);
}

/* ---- kernel aio ---- */

static void aio(void)
{
	struct io_event events[8];
	struct iocb block[8], *blocks[8];
	aio_context_t context = 0;
	unsigned int i, n = 8;

	file = open_direct();
	memory = private_memory(SIZE);
	fill(memory, SIZE, 3);
	check_equal(pwrite(file, memory, SIZE, 0), SIZE);
	memset(memory, 0, SIZE);
	check(!syscall(SYS_io_setup, n, &context));
	for (i = 0; i < n; i++) {
		memset(&block[i], 0, sizeof(block[i]));
		block[i].aio_fildes = file;
		block[i].aio_lio_opcode = IOCB_CMD_PREAD;
		block[i].aio_buf = (uintptr_t)(memory + i * (SIZE / n));
		block[i].aio_nbytes = SIZE / n;
		block[i].aio_offset = i * (SIZE / n);
		blocks[i] = &block[i];
	}
	check_equal(syscall(SYS_io_submit, context, n, blocks), n);
	press(2 * SIZE);
	check_equal(syscall(SYS_io_getevents, context, n, n, events, NULL), n);
	check(!syscall(SYS_io_destroy, context));
	check(filled(memory, SIZE, 3));
	press(2 * SIZE);
	check(filled(memory, SIZE, 3));
}

/* Exits with I/O under way: what was read is lost, and nothing else. */
static void exit_with_io(void *arg)
{
	struct iocb block = { .aio_lio_opcode = IOCB_CMD_PREAD }, *blocks[1] = { &block };
	aio_context_t context = 0;

	memory = private_memory(SIZE);
	check(!syscall(SYS_io_setup, 1, &context));
	block.aio_fildes = file;
	block.aio_buf = (uintptr_t)memory;
	block.aio_nbytes = SIZE;
	check_equal(syscall(SYS_io_submit, context, 1, blocks), 1);
	_exit(0);
}

static void aio_exit(void)
{
	unsigned int i;

	file = open_direct();
	memory = private_memory(SIZE);
	fill(memory, SIZE, 4);
	check_equal(pwrite(file, memory, SIZE, 0), SIZE);
	for (i = 0; i < 10; i++)
		run_child(exit_with_io, NULL);
	press(2 * SIZE);
	check(filled(memory, SIZE, 4));
}

/* ---- pages that a pipe holds ---- */

static int ends[2];

static void leave_in_pipe(void *arg)
{
	struct iovec piece = { .iov_len = 8 * PAGE };

	piece.iov_base = private_memory(8 * PAGE);
	fill(piece.iov_base, 8 * PAGE, 5);
	check_equal(vmsplice(ends[1], &piece, 1, 0), 8 * PAGE);
}

static void spliced(void)
{
	char *buffer = private_memory(8 * PAGE);

	check(!pipe(ends));
	run_child(leave_in_pipe, NULL);
	press(2 * SIZE);
	check_equal(read(ends[0], buffer, 8 * PAGE), 8 * PAGE);
	check(filled(buffer, 8 * PAGE, 5));
}

/* The pipe outlives the guest. */
static void outlived(void)
{
	char *buffer = private_memory(8 * PAGE);
	struct guest guest;

	check(!pipe(ends));
	guest_make(&guest, "pipe", 2 * MIB);
	join(guest_child(&guest, leave_in_pipe, NULL));
	check_equal(guest_remove(&guest), 0);
	check_equal(read(ends[0], buffer, 8 * PAGE), 8 * PAGE);
	check(filled(buffer, 8 * PAGE, 5));
}

/* ---- io_uring with registered buffers: refused in a guest, and that is documented ---- */

static void uring(void)
{
	char parameters[120] = { 0 };
	struct iovec piece = { .iov_len = UNIT };
	int ring = syscall(SYS_io_uring_setup, 4, parameters);
	long err;

	if (ring < 0)
		skip("io_uring_setup: %s", strerror(errno));
	piece.iov_base = private_memory(UNIT);
	fill(piece.iov_base, UNIT, 6);
	err = syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, &piece, 1) ? errno : 0;
	if (in_guest())
		check(err == EOPNOTSUPP || err == EFAULT);
	else
		check(!err || err == ENOMEM);
	check(filled(piece.iov_base, UNIT, 6));
	close(ring);
}

/*
 * Reading the guest's own swap file holds a lock that writing to it may need.  The reader may be
 * killed for want of memory, but it ends.
 */
static void read_swap_file(void *arg)
{
	int fd = open(arg, O_RDONLY | O_DIRECT | O_CLOEXEC);
	unsigned int i;
	char *p, *q;

	check(fd >= 0);
	p = private_memory(3 * SIZE);
	for (i = 0; i < 6; i++) {
		q = private_memory(UNIT);
		fill_hard(p, SIZE + i * SIZE / 4, i);
		check(pread(fd, q, UNIT, i * UNIT) >= 0);
		check(filled_hard(p, SIZE + i * SIZE / 4, i));
		check(!munmap(q, UNIT));
	}
}

static void own_swap_file(void)
{
	static char path[256];
	int status;
	pid_t pid;

	if (!in_guest())
		return;
	snprintf(path, sizeof(path), "%s", guest_read(guest_here(), "memory.swap.file"));
	if (path[0] != '/')
		return;
	pid = child(read_swap_file, path);
	check_equal(waitpid(pid, &status, 0), pid);
	check(!status || status == SIGKILL);
}

static const struct test tests[] = {
	{ "direct I/O from and to evicted pages", write_and_read, .pool = 3 * MIB },
	{ "direct I/O beside pressure", beside_pressure, .pool = 3 * MIB, .seconds = 60 },
	{ "direct reads across fork", across_fork, .pool = 4 * MIB, .seconds = 60 },
	{ "memory goes away beside direct reads", memory_goes, .pool = 3 * MIB, .seconds = 60 },
	{ "aio", aio, .pool = 3 * MIB },
	{ "exit with aio under way", aio_exit, .pool = 3 * MIB },
	{ "pages in a pipe", spliced },
	{ "a pipe outlives the guest", outlived, .host = true },
	{ "direct reads of the guest's own swap file", own_swap_file, .pool = 3 * MIB,
	  .seconds = 60, .calm = true, .dies = true },
	{ "io_uring's registered buffers are refused", uring, .calm = true },
};

TEST_MAIN(tests)
