# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
#
# What must not stand in a kernel's log after a test (extended regular
# expression). Sourced. What kmemleak found is judged by run-tests. "WARNING: kernel
# stack ..." is no trouble: a stack trace by frame pointers ends where a guest's stack begins.

TROUBLE='WARNING: ([^k]|k[^e])|BUG:|Oops|KASAN|KCSAN|UBSAN|Kernel panic|'
TROUBLE+='INFO: possible |INFO: task .* blocked|suspicious RCU usage|'
TROUBLE+='possible (circular|recursive) locking|inconsistent lock state|'
TROUBLE+='invalid wait context|bad unlock balance|DEBUG_LOCKS_WARN|'
TROUBLE+='general protection fault|rcu: INFO|soft lockup|'
TROUBLE+='ODEBUG:|scheduling while atomic|'
TROUBLE+='Bad page|Bad rss-counter|[Uu]npatched return thunk'
