#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A guest in the host's kernel that wants more threads than it may have.
# shellcheck disable=SC2016,SC2094,SC2317 # what the guest expands; output that another waits for;
# functions that are commands of others
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=../lib/tap.sh
. "$top/selftests/lib/tap.sh"
bomb=$top/build/selftests/full/helper-fork-bomb
# Each fork takes a debug kernel a tenth of a second.
if debug_kernel; then most=100; else most=150; fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

boot() { timeout -s KILL 300 "$top/build/lodge" boot --host=module --rootdir / "$@"; }
no_module() { ! grep -q '^lodge_guest_' /proc/modules; }

# The most of some looks: one that goes through all processes may miss some.
threads()
{
	local n most=0

	for _ in 1 2 3; do
		n=$(pgrep -c -x linux)
		[ "$n" -le "$most" ] || most=$n
	done
	echo "$most"
}

# refused_at FILE: how many children it had then
refused_at() { sed -n 's/^EAGAIN //p' "$1"; }

# bombed FILE OPTION... -- COMMAND...: its output goes to FILE; counts the threads when it is refused
bombed()
{
	local file=$1 status
	shift
	: >"$file"
	boot "$@" 2>"$out/errors" >"$file" < <(patiently grep -q '^E' "$file"; threads >"$file.threads")
	status=$?
	is "  it ends well, and lives until then" "$status $(tail -n 1 "$file")" "0 alive"
	check "  nothing is left" eventually no_module
}

echo "# a fork bomb"
bombed "$out/bomb" --processes $most -- sh -c '"$1"; echo alive' sh "$bomb"
forked=$(refused_at "$out/bomb")
check "it is told that there are no more processes, when it has as many as it may ($forked)" \
	[ "${forked:-0}" -ge $((most - 70)) -a "${forked:-999}" -le $most ]
host=$(cat "$out/bomb.threads")
check "each was one of the host's ($host)" [ "$host" -ge "${forked:-999}" ]

echo "# the guest's root lifts the guest's own limit; the host's is 64 more, for what the kernel needs"
bombed "$out/raised" --processes $most -m 512M -- sh -c 'echo 4000 >/proc/sys/kernel/threads-max
	"$1"; echo alive' sh "$bomb"
forked=$(refused_at "$out/raised")
check "the host keeps it ($forked)" [ "${forked:-0}" -gt $most -a "${forked:-999}" -le $((most + 64)) ]
check "and has no more processes" [ "$(cat "$out/raised.threads")" -le $((most + 66)) ]

echo "# forks that fail half-way: the parent goes on"
bombed "$out/user" -- sh -c 'install -m 755 "$1" /tmp/bomb
	prlimit --nproc=20 setpriv --reuid 1234 --clear-groups /tmp/bomb; echo alive' sh "$bomb"
forked=$(refused_at "$out/user")
check "a user of the guest's who may have 20 ($forked)" \
	[ "${forked:-0}" -ge 15 -a "${forked:-999}" -le 20 ]
done_testing
