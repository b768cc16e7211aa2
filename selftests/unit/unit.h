/* SPDX-License-Identifier: GPL-2.0 */
/* What all unit tests include first: cmocka and what it needs. */
#ifndef LODGE_UNIT_H
#define LODGE_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* cmocka's assertions are for the main thread; this one is for all. */
#define must(x) do {						\
	if (!(x))						\
		host_bug(__FILE__, __LINE__, "not so: " #x);	\
} while (0)

#endif /* LODGE_UNIT_H */
