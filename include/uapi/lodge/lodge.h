/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Lodge's interface to user space
 * ===============================
 *
 * There are no system calls, ioctls or structures but for starting full guests
 * (lodge/instance.h): everything is a file of the control tree, read and
 * written as text. This header explains the tree and has the few constants;
 * Documentation/abi.md has every file in detail.
 *
 * The tree
 * --------
 *
 * File system type LODGE_FS_TYPE, magic number LODGE_MAGIC. Loading the module
 * makes the empty directory /sys/fs/lodge to mount it on:
 *
 *    mount -t lodge none /sys/fs/lodge
 *
 * All mounts show the same tree. Guests do not depend on a mount: they stay when
 * the last one goes. The module cannot be unloaded while there is a guest, a
 * mount, or an open file of the tree. It can be mounted from the initial user
 * namespace only.
 *
 *    /sys/fs/lodge/
 *        version              what is built into the module, one `key value...` a line
 *        last_error           why the last mkdir or rmdir was refused, in words
 *        NAME/                a guest
 *            kind             confined, or full
 *            procs            processes; write 0 to become one of them
 *            autoremove       1: the guest goes with its last process, and when nobody
 *                             has this file open for writing any more
 *            last_error       why the last write was refused, in words
 *            memory.max       hard limit of all that the guest holds: frames,
 *                             compressed store, and the tables of its own VM
 *            memory.min       memory set aside at once, and never shrunk
 *            memory.current   memory held now
 *            memory.peak      the most it has ever held
 *            memory.stat      figures, one `key value` a line
 *            memory.events    counters, one `key value` a line; can be polled
 *            memory.reclaim   write a size to have so much evicted
 *            memory.zswap.max, memory.zswap.current
 *                             the compressed store
 *            memory.swap.file, memory.swap.max, memory.swap.current
 *                             the swap file of the guest's own
 *
 * A full guest has kind, procs, autoremove, last_error, memory.max, memory.current,
 * memory.peak and memory.events.
 *
 * Guests
 * ------
 *
 * mkdir(2) in the root makes a guest, rmdir(2) removes one although its
 * directory has files in it. rmdir fails with EBUSY while a process is in the
 * guest. A name has 1 to LODGE_NAME_MAX bytes out of [A-Za-z0-9._-] and starts
 * with neither a dot nor a dash; anything else is EINVAL. Nothing else can be
 * made, removed, renamed or linked in the tree.
 *
 * Making a guest takes CAP_SYS_ADMIN, unless the root directory was given to
 * another user by chown(2): then that user may do it too. A guest's directory
 * and files belong to whoever made it and may be given away likewise. Their
 * owner may bind himself and configure the guest, but may not raise a limit
 * above what a writer with CAP_SYS_ADMIN set last (EPERM). What counts is who
 * opened the file; a file that one user opened and another writes to is refused
 * with EPERM, unless the opener had CAP_SYS_ADMIN.
 *
 * Reading and writing
 * -------------------
 *
 * A file's content is taken when it is read at offset 0; the same descriptor
 * can be read on in parts of any size without mixing two states, and again after
 * lseek(2) to 0.
 *
 * One write(2) is one value of 1 to LODGE_VALUE_MAX bytes, at whatever offset. One
 * newline at its end is taken off. It is applied as a whole or not at all.
 *
 * Sizes are whole numbers of bytes, or of 2^10, 2^20, 2^30, 2^40 bytes with
 * K, M, G or T behind them, or the word `max` for no limit. They are rounded
 * down to whole pages, and read back in bytes or as `max`.
 *
 * A refused write gives an errno and a line in last_error:
 *
 *    GUEST: FIELD: VALUE: reason
 *    web: memory.max: 12Q: not a size
 *
 * VALUE is shortened to 64 bytes, and what is not printable in it is shown as
 * `?`. A refused mkdir or rmdir leaves `NAME: reason` in the root's last_error.
 *
 * Files of a guest that was removed answer ENODEV.
 *
 * Events
 * ------
 *
 * poll(2) on memory.events gives POLLPRI and POLLERR when a counter has changed
 * since this descriptor was last read, and on one that was never read. When the
 * guest is removed its pollers are woken, and their next read gives ENODEV.
 */
#ifndef _UAPI_LODGE_H
#define _UAPI_LODGE_H

#define LODGE_VERSION		"0.1.0"
#define LODGE_FS_TYPE		"lodge"
#define LODGE_MAGIC		0x6c6f6467	/* "lodg": f_type of statfs(2) */
#define LODGE_NAME_MAX		63
#define LODGE_VALUE_MAX		4096

#endif /* _UAPI_LODGE_H */
