/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls of a guest that run on the host thread's own stack, for they may sleep, and go deep: the
 * host takes what is there for the stack of the task that runs, and what is on a guest's for
 * nothing of its.
 *
 * lodge_NAME(), which the guest calls, is in host-call.S, and calls host_NAME() with its arguments.
 */
#ifndef LODGE_FULL_HOST_CALL_H
#define LODGE_FULL_HOST_CALL_H

#include "guest-linux/module/include/lodge-host.h"

extern typeof(lodge_open) host_open;
extern typeof(lodge_close) host_close;
extern typeof(lodge_replace) host_replace;
extern typeof(lodge_dup) host_dup;
extern typeof(lodge_read) host_read;
extern typeof(lodge_write) host_write;
extern typeof(lodge_seek) host_seek;
extern typeof(lodge_clear) host_clear;
extern typeof(lodge_set_blocking) host_set_blocking;
extern typeof(lodge_is_terminal) host_is_terminal;
extern typeof(lodge_terminal_raw) host_terminal_raw;
extern typeof(lodge_window_size) host_window_size;
extern typeof(lodge_log) host_log;
extern typeof(lodge_stat) host_stat;
extern typeof(lodge_access) host_access;
extern typeof(lodge_read_link) host_read_link;
extern typeof(lodge_statfs) host_statfs;
extern typeof(lodge_sync) host_sync;
extern typeof(lodge_read_directory) host_read_directory;
extern typeof(lodge_make_directory) host_make_directory;
extern typeof(lodge_make_node) host_make_node;
extern typeof(lodge_make_link) host_make_link;
extern typeof(lodge_add_name) host_add_name;
extern typeof(lodge_remove) host_remove;
extern typeof(lodge_rename) host_rename;
extern typeof(lodge_set_attributes) host_set_attributes;
extern typeof(lodge_send) host_send;
extern typeof(lodge_receive) host_receive;
extern typeof(lodge_receive_files) host_receive_files;
extern typeof(lodge_socket) host_socket;
extern typeof(lodge_watch) host_watch;
extern typeof(lodge_events) host_events;
extern typeof(lodge_kernel_map) host_kernel_map;
extern typeof(lodge_kernel_unmap) host_kernel_unmap;
extern typeof(lodge_memory_drop) host_memory_drop;
extern typeof(lodge_space_unmap) host_space_unmap;
extern typeof(lodge_users_stop) host_users_stop;

/* The host's own: on a guest's stack, get a page of the guest's memory. Return: 0 or -ENOMEM. */
long lodge_memory_fault(struct lodge_instance *inst, unsigned long address);
long host_memory_fault(struct lodge_instance *inst, unsigned long address);

unsigned long thread_host_sp(void);

#endif /* LODGE_FULL_HOST_CALL_H */
