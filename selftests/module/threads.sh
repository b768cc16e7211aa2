#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A guest in the host's kernel that wants more threads than it may have, or than it has memory for.
# shellcheck disable=SC2016,SC2094,SC2317 # what the guest expands; output that another waits for;
# functions that are commands of others
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=../lib/tap.sh
. "$top/selftests/lib/tap.sh"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

boot() { timeout -s KILL 300 "$top/build/lodge" boot --host=module --rootdir / "$@"; }
no_module() { ! grep -q '^lodge_guest_' /proc/modules; }
threads() { pgrep -c -x linux; }

# It forks until it is refused, says how often it could, and waits for a line.
bomb='import os, sys, time
pids = []
try:
    while True:
        pid = os.fork()
        if not pid:
            time.sleep(600)
        pids.append(pid)
except OSError as error:
    print("refused", error.errno, len(pids), flush=True)
sys.stdin.readline()'

# refused_at FILE: how many processes there were then
refused_at() { sed -n 's/^refused 11 //p' "$1"; }

boot --processes 150 -- sh -c 'python3 -c "$1"; echo alive' sh "$bomb" 2>"$out/errors" >"$out/bomb" \
	< <(patiently grep -q refused "$out/bomb"; threads >"$out/threads")
check "a fork bomb is told that there are no more processes" grep -q 'refused 11 ' "$out/bomb"
is "and the guest lives on" "$(tail -n 1 "$out/bomb")" alive
forked=$(refused_at "$out/bomb")
check "it has had what it may have ($forked)" [ "${forked:-0}" -ge 80 -a "${forked:-999}" -le 150 ]
check "each was one of the host's" [ "$(cat "$out/threads")" -ge "${forked:-999}" ]
check "nothing is left" eventually no_module

# The guest's root lifts the guest's own limit; the host's is 64 more, for what the kernel itself needs.
boot --processes 150 -m 512M -- sh -c 'echo 4000 >/proc/sys/kernel/threads-max
	python3 -c "$1"; echo alive' sh "$bomb" 2>"$out/errors" >"$out/raised" \
	< <(patiently grep -q refused "$out/raised"; threads >"$out/threads")
is "with its own limit lifted: refused by the host" "$(tail -n 1 "$out/raised")" alive
forked=$(refused_at "$out/raised")
check "which keeps it ($forked)" [ "${forked:-0}" -gt 150 -a "${forked:-999}" -le 214 ]
check "nor has it more processes" [ "$(cat "$out/threads")" -le 216 ]
check "nothing is left" eventually no_module

# Forks that fail half-way: the parent goes on.
boot -- prlimit --nproc=20 setpriv --reuid 1234 --clear-groups python3 -c "$bomb" 2>"$out/errors" >"$out/user" \
	< <(patiently grep -q refused "$out/user")
check "a user of the guest's who may have 20 ($(refused_at "$out/user"))" \
	[ "$(refused_at "$out/user")" -le 20 ]
check "nothing is left" eventually no_module
done_testing
