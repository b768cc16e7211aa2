/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the portable parts of Lodge (guest-core, guest-mm) may use of their host.
 *
 * The names are the kernel's own, so the module pays nothing for the layer; the
 * user-space host gives the same names over pthreads and malloc, for unit tests
 * and fuzzing under sanitizers.  Portable code uses only what is listed here:
 *
 *   types      u8 .. u64, s64, bool, size_t, ssize_t, gfp_t (GFP_KERNEL, GFP_ATOMIC,
 *              GFP_NOWAIT, GFP_POOL: may sleep, may fail, kills nobody; __GFP_NOWARN, __GFP_ZERO),
 *              PAGE_SIZE, PAGE_SHIFT
 *   helpers    min, max, min_t, max_t, clamp, ARRAY_SIZE, container_of, READ_ONCE, WRITE_ONCE,
 *              likely, unlikely, BUILD_BUG_ON, WARN_ON_ONCE, IS_ERR, PTR_ERR, ERR_PTR, DIV_ROUND_UP
 *   atomics    atomic_t, atomic_long_t and their usual operations; test_bit, set_bit, clear_bit,
 *              __set_bit, __clear_bit, test_and_set_bit_lock, clear_bit_unlock, smp_mb,
 *              smp_mb__after_atomic
 *   locks      spinlock_t, struct mutex; rcu_read_lock(), rcu_read_unlock(), kfree_rcu-like
 *              host_cache_free_rcu()
 *   lists      list_head, hlist as in <linux/list.h>
 *   memory     kmalloc, kzalloc, kcalloc, kfree, kvmalloc, kvzalloc, kvfree, struct kmem_cache
 *              (kmem_cache_alloc, kmem_cache_zalloc, kmem_cache_free, KMEM-like
 *              host_cache_create())
 *   waiting    wait_var_event(), wait_var_event_timeout(), msecs_to_jiffies(), wake_up_var(),
 *              cond_resched(), fatal_signal(), interrupted(), host_dying(), host_no_io(),
 *              host_pages_available(), host_time_us(),
 *              host_sleep_ms(): ends early when the thread is killed
 *   threads    struct host_thread: host_thread_start(), _wake(), _stop()
 *   files      struct host_file: host_file_open(), _size(), _reserve(), _read(), _write(),
 *              _names(), _close(); both in host-calls.h
 *   CPUs       host_cpus(), host_cpu()
 *   log, text  pr_info, pr_warn, pr_err, snprintf, vsnprintf, va_list, strcpy, strscpy, strlen,
 *              strcmp, strncmp, memchr_inv, memcmp, memcpy, memset
 */
#ifndef LODGE_HOST_H
#define LODGE_HOST_H

#ifdef __KERNEL__
#include "kmod/host-kernel.h"
#else
#include "userland/host/host-user.h"
#endif

#endif /* LODGE_HOST_H */
