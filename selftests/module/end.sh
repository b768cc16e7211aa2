#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guests in the host's kernel that do not end by themselves, and many of them.
# shellcheck disable=SC2317 # functions that are commands of others
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=../lib/tap.sh
. "$top/selftests/lib/tap.sh"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

boot() { timeout -s KILL 200 "$top/build/lodge" boot --host=module --rootdir / "$@" </dev/null; }
modules() { grep -c '^lodge_guest_' /proc/modules; }
no_module() { [ "$(modules)" = 0 ]; }

boot -v -m 32M -- sh -c 'echo 1 >/proc/sys/vm/panic_on_oom; tail /dev/zero' 2>"$out/errors"
status=$?
is "a guest's kernel panics" $status 125
[ $status = 125 ] || sed 's/^/# /' "$out/errors"
check "and the reason is told" grep -q panicked "$out/errors"
check "nothing is left" eventually no_module

# mistake KIND WORDS: the guest's kernel makes it; lodge ends with the reason
mistake()
{
	boot -m 32M --append "lodge_mistake=$1" -- true 2>"$out/errors"
	is "a mistake of its kernel: $1" "$? $(grep -c "lodge: .*$2" "$out/errors")" "125 1"
	check "nothing is left" eventually no_module
}
mistake null "its kernel: page fault at 8, in make_mistake"
mistake call "its kernel: page fault at 0"
mistake jump "its kernel: page fault"
mistake stray "its kernel: page fault"
mistake deep "its kernel's stack is full"
mistake overflow "panicked"

boot -m 32M -n spins --append lodge_mistake=spin -- true 2>"$out/errors" &
guest=$!
check "its kernel loops with interrupts off" eventually quietly pgrep -x linux
sleep 1
"$top/build/lodge" kill spins
wait $guest
is "and can be ended" "$?" 137
check "nothing is left" eventually no_module

boot -- sh -c 'sleep 100 & sleep 100 & echo up; wait' >"$out/up" 2>"$out/errors" &
guest=$!
check "a guest with some processes" eventually grep -q up "$out/up"
is "each is one of the host's, and one more waits for them" "$(pgrep -c -x linux)" 5
kill -KILL "$(pgrep -n -x linux)"
wait $guest
is "one is killed: that is the guest's end" $? 125
check "the reason is told" grep -q "host threads was killed" "$out/errors"
check "no process is left" eventually sh -c '! pgrep -x linux'
check "no module" eventually no_module

# A page that is free is in the buddy allocator or in a list of one CPU.
free()
{
	awk '/^MemFree:/ { kb += $2 } /^ +count:/ { kb += $2 * 4 } END { print kb }' \
		/proc/meminfo /proc/zoneinfo
}
# Each takes a debug kernel four seconds to start.
if debug_kernel; then guests=(1 2 3); else guests=(1 2 3 4 5 6 7 8); fi
before=$(free)
is_back() { [ "$(free)" -gt $((before - 20000)) ]; }
for i in "${guests[@]}"; do
	boot -m 32M -- sh -c "head -c 8M /dev/zero >/tmp/full; echo $i; exec sleep 500" >"$out/$i" &
done
for i in "${guests[@]}"; do
	check "guest $i of ${#guests[@]}" eventually grep -q "$i" "$out/$i"
done
is "a module for each" "$(modules)" ${#guests[@]}
check "they have memory" [ "$(free)" -lt $((before - ${#guests[@]} * 8000)) ]
pkill -TERM -x lodge
wait
check "they are gone" eventually no_module
check "and so is their memory" eventually is_back
done_testing
