/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the guest's kernel says to lodge about its pseudo-terminals, for records.
 *
 * "lodge_record_ptys=FD" names a packet socket; the kernel does not show this argument to anybody
 * in the guest. Each message is one packet: a struct pty_message, with as many bytes of data as
 * there are. The kernel waits until there is room for it, so lodge reads at all times.
 *
 * Nothing in a message is believed to be more than what somebody in the guest may have wished.
 */
#ifndef GUEST_LINUX_PTY_RECORD_H
#define GUEST_LINUX_PTY_RECORD_H

#define PTY_DATA_MAX 1024

enum pty_event {
	PTY_OPENED = 1,		/* by way of /dev/ptmx */
	PTY_OUTPUT,		/* to who has /dev/ptmx open: as a terminal would show it */
	PTY_INPUT,		/* from him: as it was typed */
	PTY_WINDOW,		/* struct winsize: its new size */
	PTY_CLOSED,		/* at both ends */
};

struct pty_message {
	unsigned long long pty;	/* which one, among those that are open */
	unsigned int event;
	unsigned int number;	/* of its file in a /dev/pts, of which there may be several */
	char data[PTY_DATA_MAX];
};

#endif
