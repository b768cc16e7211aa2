#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# All tests of full guests that are not long themselves, and a Debian, with the guest kernel from 6.1.
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=../lib/tap.sh
. "$top/selftests/lib/tap.sh"

LODGE_TEST_KERNEL=$("$top/guest-linux/build-kernel" 6.1)/linux
export LODGE_TEST_KERNEL
check "the kernel is built" test -x "$LODGE_TEST_KERNEL"
[ "$failed" = 0 ] || done_testing
for program in "$top"/selftests/full/*; do
	name=$(basename "$program")
	[ -x "$program" ] || continue
	case $name in
	long-debian.sh)	;;
	long-*|helper-*) continue ;;
	esac
	out=$("$program" 2>&1)
	result $? "$name"
	grep -A 6 -e '^not ok' -e '^Bail' <<<"$out" | sed 's/^/# /'
done
done_testing
