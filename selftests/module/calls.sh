#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# One program, on the host and in a guest in its kernel: system calls, faults, signals, registers.
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=../lib/tap.sh
. "$top/selftests/lib/tap.sh"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

calls=$top/build/selftests/module/helper-calls
timeout -s KILL 300 "$calls" >"$out/host"
is "the host's exit status" $? 0
timeout -s KILL 600 "$top/build/lodge" boot --host=module --rootdir / -- "$calls" \
	>"$out/guest" </dev/null
is "the guest's" $? 0
while IFS= read -r line; do
	is "${line%%:*}" "$(grep -F -x -- "$line" "$out/guest" ||
		grep -F -- "${line%%:*}:" "$out/guest")" "$line"
done <"$out/host"
is "nothing more" "$(wc -l <"$out/guest")" "$(wc -l <"$out/host")"
done_testing
