/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Threads and files: what every host defines as functions, in host-thread.c and
 * host-file.c of its own.  Included by the host's header, see host.h.
 */
#ifndef LODGE_HOST_CALLS_H
#define LODGE_HOST_CALLS_H

/* ---- threads ---- */

struct host_thread;

/**
 * host_thread_start() - start a worker thread
 * @step: called whenever host_thread_wake() was called; may sleep
 * @arg: for @step
 * @name: shown in ps
 * Return: the thread or an ERR_PTR
 */
struct host_thread *host_thread_start(void (*step)(void *arg), void *arg, const char *name);

/** host_thread_wake() - have @step run once more; any context */
void host_thread_wake(struct host_thread *thread);

/** host_thread_stop() - wait for the running step, then end the thread and free it */
void host_thread_stop(struct host_thread *thread);

/* ---- files ---- */

struct host_file;

/**
 * host_file_open() - open a regular file or block device for a guest's own use
 * @path: in the running thread's name space, opened with its credentials
 * Direct I/O is used where the file system has it.
 * Nobody else can open it for writing until it is closed.
 * Return: the file or an ERR_PTR: -EINVAL for anything but a regular file or block device, -EBUSY
 * if it is in use (open for writing, mounted, swap, another guest's), open(2)'s errors
 */
struct host_file *host_file_open(const char *path);

/** host_file_size() - in bytes */
u64 host_file_size(struct host_file *file);

/**
 * host_file_reserve() - make sure that the first @size bytes have space; 0, -ENOSPC, -EOPNOTSUPP,
 * -EIO, -EINTR
 */
int host_file_reserve(struct host_file *file, u64 size);

/* The pages of both are in the kernel's direct mapping: of frame_data(), or kmalloc()ed. */
/** host_file_write() - write @n whole pages at byte @pos; 0, -EIO, -ENOSPC */
int host_file_write(struct host_file *file, const void *const *pages, unsigned int n, u64 pos);

/** host_file_read() - read @n whole pages at byte @pos; 0, -EIO */
int host_file_read(struct host_file *file, void *const *pages, unsigned int n, u64 pos);

/** host_file_names() - does @path name the open file (or block device)? */
bool host_file_names(struct host_file *file, const char *path);

void host_file_close(struct host_file *file);

#endif /* LODGE_HOST_CALLS_H */
