/* SPDX-License-Identifier: GPL-2.0 */
/* host.h in user space: atomics and bits. */
#ifndef LODGE_HOST_ATOMIC_H
#define LODGE_HOST_ATOMIC_H

#include "userland/host/host-types.h"

typedef struct { int counter; } atomic_t;
typedef struct { long counter; } atomic_long_t;

#define ATOMIC_INIT(i)		{ (i) }
#define ATOMIC_LONG_INIT(i)	{ (i) }

/* What returns a value is fully ordered in the kernel, what does not is not ordered at all. */
#define HOST_ATOMIC(prefix, type, word)							\
static inline word prefix##_read(type const *v)						\
{ return __atomic_load_n(&v->counter, __ATOMIC_RELAXED); }				\
static inline word prefix##_read_acquire(type const *v)					\
{ return __atomic_load_n(&v->counter, __ATOMIC_ACQUIRE); }				\
static inline void prefix##_set(type *v, word i)					\
{ __atomic_store_n(&v->counter, i, __ATOMIC_RELAXED); }					\
static inline void prefix##_set_release(type *v, word i)				\
{ __atomic_store_n(&v->counter, i, __ATOMIC_RELEASE); }					\
static inline void prefix##_add(word i, type *v)					\
{ __atomic_fetch_add(&v->counter, i, __ATOMIC_RELAXED); }				\
static inline void prefix##_sub(word i, type *v)					\
{ __atomic_fetch_sub(&v->counter, i, __ATOMIC_RELAXED); }				\
static inline void prefix##_inc(type *v) { prefix##_add(1, v); }			\
static inline void prefix##_dec(type *v) { prefix##_sub(1, v); }			\
static inline word prefix##_add_return(word i, type *v)					\
{ return __atomic_add_fetch(&v->counter, i, __ATOMIC_SEQ_CST); }			\
static inline word prefix##_sub_return(word i, type *v)					\
{ return __atomic_sub_fetch(&v->counter, i, __ATOMIC_SEQ_CST); }			\
static inline word prefix##_inc_return(type *v) { return prefix##_add_return(1, v); }	\
static inline word prefix##_dec_return(type *v) { return prefix##_sub_return(1, v); }	\
static inline word prefix##_fetch_add(word i, type *v)					\
{ return __atomic_fetch_add(&v->counter, i, __ATOMIC_SEQ_CST); }			\
static inline word prefix##_fetch_andnot(word i, type *v)				\
{ return __atomic_fetch_and(&v->counter, ~i, __ATOMIC_SEQ_CST); }			\
static inline bool prefix##_dec_and_test(type *v) { return !prefix##_dec_return(v); }	\
static inline bool prefix##_sub_and_test(word i, type *v)				\
{ return !prefix##_sub_return(i, v); }							\
static inline word prefix##_xchg(type *v, word i)					\
{ return __atomic_exchange_n(&v->counter, i, __ATOMIC_SEQ_CST); }			\
static inline word prefix##_cmpxchg(type *v, word old, word i)				\
{											\
	__atomic_compare_exchange_n(&v->counter, &old, i, false,			\
				    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);		\
	return old;									\
}											\
static inline bool prefix##_inc_not_zero(type *v)					\
{											\
	word old = prefix##_read(v);							\
											\
	while (old && !__atomic_compare_exchange_n(&v->counter, &old, old + 1, false,	\
						   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))	\
		;									\
	return old != 0;								\
}

HOST_ATOMIC(atomic, atomic_t, int)
HOST_ATOMIC(atomic_long, atomic_long_t, long)

#define xchg(ptr, v)	__atomic_exchange_n(ptr, v, __ATOMIC_SEQ_CST)
#define cmpxchg(ptr, old, new) ({						\
	__typeof__(*(ptr)) _old = (old);					\
	__atomic_compare_exchange_n(ptr, &_old, new, false,			\
				    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);	\
	_old; })

#define smp_load_acquire(ptr)	__atomic_load_n(ptr, __ATOMIC_ACQUIRE)
#define smp_store_release(ptr, v) __atomic_store_n(ptr, v, __ATOMIC_RELEASE)
#define smp_mb()		__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_rmb()		__atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb()		__atomic_thread_fence(__ATOMIC_RELEASE)
#define smp_mb__before_atomic()	smp_mb()
#define smp_mb__after_atomic()	smp_mb()

/* ---- bits ---- */

static inline unsigned long *host_word(unsigned int nr, const unsigned long *map)
{
	return (unsigned long *)map + nr / BITS_PER_LONG;
}

static inline unsigned long host_bit(unsigned int nr)
{
	return 1UL << (nr % BITS_PER_LONG);
}

static inline bool test_bit(unsigned int nr, const unsigned long *map)
{
	return __atomic_load_n(host_word(nr, map), __ATOMIC_RELAXED) & host_bit(nr);
}

static inline void set_bit(unsigned int nr, unsigned long *map)
{
	__atomic_fetch_or(host_word(nr, map), host_bit(nr), __ATOMIC_RELAXED);
}

static inline void clear_bit(unsigned int nr, unsigned long *map)
{
	__atomic_fetch_and(host_word(nr, map), ~host_bit(nr), __ATOMIC_RELAXED);
}

static inline bool test_and_set_bit(unsigned int nr, unsigned long *map)
{
	return __atomic_fetch_or(host_word(nr, map), host_bit(nr), __ATOMIC_SEQ_CST) & host_bit(nr);
}

static inline bool test_and_clear_bit(unsigned int nr, unsigned long *map)
{
	return __atomic_fetch_and(host_word(nr, map), ~host_bit(nr), __ATOMIC_SEQ_CST) &
	       host_bit(nr);
}

static inline bool test_and_set_bit_lock(unsigned int nr, unsigned long *map)
{
	return __atomic_fetch_or(host_word(nr, map), host_bit(nr), __ATOMIC_ACQUIRE) & host_bit(nr);
}

static inline void clear_bit_unlock(unsigned int nr, unsigned long *map)
{
	__atomic_fetch_and(host_word(nr, map), ~host_bit(nr), __ATOMIC_RELEASE);
}

static inline void __set_bit(unsigned int nr, unsigned long *map)
{
	*host_word(nr, map) |= host_bit(nr);
}

static inline void __clear_bit(unsigned int nr, unsigned long *map)
{
	*host_word(nr, map) &= ~host_bit(nr);
}

/* The first bit from @from on that differs from those of @flip; @size if there is none. */
static inline unsigned long host_find(const unsigned long *map, unsigned long size,
				      unsigned long from, unsigned long flip)
{
	while (from < size) {
		unsigned long word = (map[from / BITS_PER_LONG] ^ flip) >> (from % BITS_PER_LONG);

		if (word) {
			from += __builtin_ctzl(word);
			return from < size ? from : size;
		}
		from = (from / BITS_PER_LONG + 1) * BITS_PER_LONG;
	}
	return size;
}

static inline unsigned long find_next_bit(const unsigned long *map, unsigned long size,
					  unsigned long from)
{
	return host_find(map, size, from, 0);
}

static inline unsigned long find_next_zero_bit(const unsigned long *map, unsigned long size,
					       unsigned long from)
{
	return host_find(map, size, from, ~0UL);
}

#endif /* LODGE_HOST_ATOMIC_H */
