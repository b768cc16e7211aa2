/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Full guests in the kernel: the device.
 *
 * Who opens /dev/lodge, for which it takes CAP_SYS_MODULE, has an instance: room for one guest
 * kernel. LODGE_INSTANCE_GUEST makes its directory in the control tree. Its number, which
 * LODGE_INSTANCE_STATUS tells, goes to the guest's module as the parameter "instance". When that is
 * loaded, a process calls LODGE_INSTANCE_RUN and becomes the guest; the call returns only if it
 * fails. It should have one thread, and nothing that it wants to keep: its memory is unmapped, its
 * signals are blocked.
 *
 * poll() reports POLLHUP when the guest has ended. An instance is good for one guest; if that has
 * rebooted, LODGE_INSTANCE_RUN starts it again.
 */
#ifndef LODGE_UAPI_INSTANCE_H
#define LODGE_UAPI_INSTANCE_H

#include <linux/ioctl.h>
#include <linux/types.h>

#include "lodge/lodge.h"

#define LODGE_DEVICE	"/dev/lodge"

/* States of an instance. */
#define LODGE_STATE_EMPTY	0	/* no guest module */
#define LODGE_STATE_LOADED	1
#define LODGE_STATE_RUNNING	2
#define LODGE_STATE_ENDING	3	/* its processes are being killed */
#define LODGE_STATE_DEAD	4	/* nothing is left; the module can be unloaded */

/* How a guest has ended. */
#define LODGE_ENDED_HALT	0	/* with an exit code */
#define LODGE_ENDED_REBOOT	1
#define LODGE_ENDED_PANIC	2
#define LODGE_ENDED_KILLED	3

#define LODGE_REASON_MAX	128

/**
 * struct lodge_instance_status - what there is to know of an instance
 * @number: of the instance, on this host
 * @state: LODGE_STATE_
 * @ended: LODGE_ENDED_, from LODGE_STATE_ENDING on
 * @code: the guest kernel's exit code, if it has halted
 * @memory: bytes of memory that it can have
 * @threads: host threads
 * @resident: bytes of memory that it has
 * @reason: why it has ended, in words; may be empty
 */
struct lodge_instance_status {
	__u32 number;
	__u32 state;
	__u32 ended;
	__s32 code;
	__u64 memory;
	__u32 threads;
	__u32 reserved;
	__u64 resident;
	char reason[LODGE_REASON_MAX];
};

/**
 * struct lodge_instance_guest - the guest of the control tree that an instance is
 * @name: with its NUL
 *
 * The guest is made; it is a full one. It is busy as long as the device is open, and then goes,
 * unless somebody has unset its autoremove. EEXIST: there is one of this name; EBUSY: the
 * instance has one; EINVAL: no good name, of which the control tree's last_error has the reason.
 */
struct lodge_instance_guest {
	char name[LODGE_NAME_MAX + 1];
};

#define LODGE_MEMORY_UNIT	(4UL << 20)
#define LODGE_RUN_FDS_MAX	64
#define LODGE_RUN_ARGS_MAX	65536

/**
 * struct lodge_instance_run - what a guest is started with
 * @args: address of its kernel's arguments: strings one after the other, each with its NUL
 * @args_length: bytes, all NULs included; up to LODGE_RUN_ARGS_MAX
 * @nr_fds: up to LODGE_RUN_FDS_MAX
 * @fds: address of __s32: descriptors that become the guest kernel's 0 and up; -1: none there
 * @memory: bytes, a multiple of LODGE_MEMORY_UNIT from 32 MiB on; memory.max, unless that has been
 *	set
 *
 * The caller's RLIMIT_NPROC is how many threads of the host's there may be for the guest's
 * programs, also if it is root's.
 */
struct lodge_instance_run {
	__u64 args;
	__u32 args_length;
	__u32 nr_fds;
	__u64 fds;
	__u64 memory;
};

#define LODGE_INSTANCE_STATUS	_IOR(0xb7, 0x10, struct lodge_instance_status)
#define LODGE_INSTANCE_RUN	_IOW(0xb7, 0x11, struct lodge_instance_run)
#define LODGE_INSTANCE_GUEST	_IOW(0xb7, 0x12, struct lodge_instance_guest)
/* A terminal that is one of its descriptors has another size now. ENXIO: the guest does not run. */
#define LODGE_INSTANCE_WINDOWS	_IO(0xb7, 0x13)

#endif /* LODGE_UAPI_INSTANCE_H */
