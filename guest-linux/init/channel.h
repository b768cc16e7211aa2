/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What lodge boot and the init of a guest say to each other over a serial line.
 *
 * Frames go both ways: a struct frame_head, then so many bytes. Neither side believes
 * the other: a type that is not listed here, or a length above the limits, ends the session.
 *
 * The guest says FRAME_READY when the line is raw. The host then says what is to be run, in
 * as many FRAME_ORDER as it takes, and FRAME_START: strings, each with its terminating
 * zero, in the order
 *
 *	flags ("t": the command gets a terminal), rows, columns, host name, directory,
 *	number of arguments, the arguments, the environment
 *
 * After that data flows. Of FRAME_ORDER and FRAME_INPUT the host may be CREDIT_MAX bytes
 * ahead of what the guest has given back as FRAME_CREDIT: input that nobody reads never
 * stands in the way of a signal, and the tty layer's buffer of 4 KiB never fills up (a full
 * one makes the guest's kernel stop to listen to the line, for good). FRAME_EXIT is the
 * guest's last frame.
 */
#ifndef GUEST_LINUX_CHANNEL_H
#define GUEST_LINUX_CHANNEL_H

#define FRAME_DATA_MAX 4096U	/* in one frame from the guest */
#define FRAME_INPUT_MAX 1024U	/* in one frame from the host */
#define CREDIT_MAX 2048U
#define ORDER_MAX 0x100000U

enum frame_type {
	/* from the host */
	FRAME_ORDER = 1,
	FRAME_START,
	FRAME_INPUT,		/* for the command's standard input; empty: its end */
	FRAME_WINDOW,		/* struct frame_window */
	FRAME_SIGNAL,		/* unsigned int: for the command's process group */
	FRAME_NO_READER,	/* unsigned int: FRAME_OUTPUT or FRAME_ERROR_OUTPUT */
	/* from the guest */
	FRAME_READY = 16,
	FRAME_CREDIT,		/* unsigned int: so many bytes were taken */
	FRAME_OUTPUT,		/* of the command's standard output, or its terminal's */
	FRAME_ERROR_OUTPUT,	/* of its standard error */
	FRAME_FAILED,		/* text: why the command could not be started */
	FRAME_RUNS,		/* the command has been started */
	FRAME_EXIT,		/* unsigned int: exit status, 128 + N after signal N */
};

/* Both ends are the same machine: its byte order will do. */
struct frame_head {
	unsigned int type;
	unsigned int length;
};

struct frame_window {
	unsigned short rows, columns;
};

#endif
