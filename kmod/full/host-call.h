/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls of a guest that run on the host thread's own stack, for they may sleep, and go deep: the
 * host takes what is there for the stack of the task that runs, and a guest's for none.
 *
 * lodge_NAME(), which the guest calls, is host-call.S; it calls host_NAME() with the same arguments.
 */
#ifndef LODGE_FULL_HOST_CALL_H
#define LODGE_FULL_HOST_CALL_H

#define HOST_CALLS(X)							\
	X(open) X(close) X(replace) X(dup) X(read) X(write) X(seek)	\
	X(clear) X(set_blocking) X(is_terminal) X(window_size) X(log)	\
	X(stat) X(access) X(read_link) X(statfs) X(sync)		\
	X(read_directory)						\
	X(make_directory) X(make_node) X(make_link) X(add_name)		\
	X(remove) X(rename) X(set_attributes)				\
	X(send) X(receive) X(receive_files) X(socket)			\
	X(watch) X(events)

#ifndef __ASSEMBLY__
#include "guest-linux/module/include/lodge-host.h"

#define DECLARE_HOST_CALL(name) typeof(lodge_##name) host_##name;
HOST_CALLS(DECLARE_HOST_CALL)
#undef DECLARE_HOST_CALL

unsigned long thread_host_sp(void);
#endif

#endif /* LODGE_FULL_HOST_CALL_H */
