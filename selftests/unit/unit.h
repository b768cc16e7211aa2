/* SPDX-License-Identifier: GPL-2.0 */
/* What all unit tests include first: cmocka and what it needs. */
#ifndef LODGE_UNIT_H
#define LODGE_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#endif /* LODGE_UNIT_H */
