/* SPDX-License-Identifier: GPL-2.0 */
/* host.h in user space: types and helpers. */
#ifndef LODGE_HOST_TYPES_H
#define LODGE_HOST_TYPES_H

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

/* The kernel's: u64 prints as %llu everywhere. */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char s8;
typedef short s16;
typedef int s32;
typedef long long s64;

#define PAGE_SHIFT	12
#define PAGE_SIZE	(1UL << PAGE_SHIFT)
#define BITS_PER_LONG	64

#define __printf(a, b)	__attribute__((format(printf, a, b)))
#define __aligned(n)	__attribute__((aligned(n)))
#define __maybe_unused	__attribute__((unused))
#ifndef __always_inline
#define __always_inline	inline __attribute__((always_inline))
#endif
#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)
#define fallthrough	__attribute__((fallthrough))

#define BIT(n)		(1UL << (n))
#define BITS_TO_LONGS(n) DIV_ROUND_UP(n, BITS_PER_LONG)
#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define BUILD_BUG_ON(x)	((void)sizeof(char[1 - 2 * !!(x)]))

#define container_of(ptr, type, member) \
	((type *)((char *)(1 ? (ptr) : &((type *)0)->member) - offsetof(type, member)))

/* The types must agree, as in the kernel. */
#define host_compare(op, a, b) ({			\
	__auto_type _a = (a);				\
	__auto_type _b = (b);				\
	(void)(&_a == &_b);				\
	_a op _b ? _a : _b; })
#define min(a, b)	host_compare(<, a, b)
#define max(a, b)	host_compare(>, a, b)
#define min_t(type, a, b) min((type)(a), (type)(b))
#define max_t(type, a, b) max((type)(a), (type)(b))
#define clamp(v, lo, hi) min((__typeof__(v))max(v, lo), hi)
#define swap(a, b) do { __auto_type _t = (a); (a) = (b); (b) = _t; } while (0)

/* The kernel relies on what is read through a pointer coming after the pointer: say so. */
#define READ_ONCE(x)	__atomic_load_n(&(x), __ATOMIC_ACQUIRE)
#define WRITE_ONCE(x, v) __atomic_store_n(&(x), v, __ATOMIC_RELAXED)

#define MAX_ERRNO	4095
#define IS_ERR_VALUE(x)	unlikely((unsigned long)(x) >= (unsigned long)-MAX_ERRNO)

static inline void *ERR_PTR(long err)
{
	return (void *)err;
}

static inline long PTR_ERR(const void *ptr)
{
	return (long)ptr;
}

static inline bool IS_ERR(const void *ptr)
{
	return IS_ERR_VALUE(ptr);
}

static inline bool IS_ERR_OR_NULL(const void *ptr)
{
	return !ptr || IS_ERR(ptr);
}

static inline void *ERR_CAST(const void *ptr)
{
	return (void *)ptr;
}

/* ---- text ---- */

ssize_t strscpy(char *to, const char *from, size_t size);

static inline void *memchr_inv(const void *start, int c, size_t bytes)
{
	const unsigned char *p = start;

	for (; bytes; bytes--, p++)
		if (*p != (unsigned char)c)
			return (void *)p;
	return NULL;
}

/* ---- log ---- */

enum host_log_level { HOST_LOG_INFO, HOST_LOG_WARN, HOST_LOG_ERR };

/* Counted; printed if HOST_LOG is in the environment. */
void host_log(enum host_log_level level, const char *fmt, ...) __printf(2, 3);

/** host_log_count() - lines of this level so far */
unsigned long host_log_count(enum host_log_level level);

#define pr_info(...)	host_log(HOST_LOG_INFO, __VA_ARGS__)
#define pr_warn(...)	host_log(HOST_LOG_WARN, __VA_ARGS__)
#define pr_err(...)	host_log(HOST_LOG_ERR, __VA_ARGS__)
#define pr_warn_ratelimited(...) pr_warn(__VA_ARGS__)
#define pr_err_ratelimited(...) pr_err(__VA_ARGS__)

/* Something that must not be is: tests end here. */
void host_bug(const char *file, int line, const char *what) __attribute__((noreturn));

#define WARN_ON_ONCE(x) ({				\
	bool _wrong = !!(x);				\
	if (_wrong)					\
		host_bug(__FILE__, __LINE__, #x);	\
	unlikely(_wrong); })
#define WARN_ON(x)	WARN_ON_ONCE(x)

#endif /* LODGE_HOST_TYPES_H */
