#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# lodge run: what it leaves to the module. The rest is in selftests/command.
# shellcheck disable=SC2016,SC2317 # what the guest expands; functions that are commands of others
here=$(dirname "$0")
. "$here/tree.sh"
lodge=$here/../../build/lodge
out=$(mktemp)

gone() { test ! -e "$tree/$1"; }
busy() { [ -n "$(get "$1/procs" 2>/dev/null)" ]; }
asleep() { grep -q 'State:.S' "/proc/$1/status"; }

# Holds SIZE MiB that compress to half, different in every page, and then checks them.
holder='
import os, sys, zlib
held = [os.urandom(2048) * 2 for _ in range(int(sys.argv[1]) * 256)]
sums = [zlib.crc32(page) for page in held]
for n, page in enumerate(held):
    if zlib.crc32(page) != sums[n]:
        sys.exit("page %d is wrong" % n)
print("all pages are right")
'

"$lodge" run -n t1 -m 64M --min 4M -- sh -c "
	cat $tree/t1/memory.max $tree/t1/memory.min $tree/t1/autoremove
	grep -cx \$\$ $tree/t1/procs; sed -n 's/RssAnon://p' /proc/self/status >$out.anon
	exit 7" >"$out"
is "the exit status is passed on" $? 7
is "limits are set and the command is bound before it runs" \
	"$(tr '\n' ' ' <"$out")" "67108864 4194304 1 1 "
read -r anon _ <"$out.anon"
# Arguments and environment stay the host's, for ps to read.
check "and all its memory is the pool's" test "$anon" -le 64
check "the guest is gone with it" eventually gone t1

for ((i = 0; i < 10; i++)); do
	"$lodge" run -n t1 true || break
done
is "a name is free again at once, ten times" "$i" 10

"$lodge" run -n t1 -m 900T true 2>"$out"
is "a refused limit is lodge's own failure" $? 125
check "and says guest, field and reason" grep -q '^lodge: t1: memory.max: 900T: the machine has' "$out"
check "and leaves no guest" gone t1

swap=/var/tmp/scratch/command-swap
[ -d "${swap%/*}" ] || swap=/var/tmp/command-swap
"$lodge" run -n t1 -m 8M --zswap-max 2M --swap "$swap:128M" -- \
	/usr/bin/python3 -c "$holder
print(open('$tree/t1/memory.swap.current').read(), flush=True)
os._exit(0)" 10 >"$out" 2>&1
is "twice the pool, with what python takes, over a swap file: ends well" $? 0
check "and every page is right" grep -q '^all pages are right' "$out"
check "and the swap file was used" grep -qE '^[1-9][0-9]{6,}$' "$out"
check "and is gone" test ! -e "$swap"

# The guest must not be gone before lodge has read that.
"$lodge" run -n t1 -- sh -c 'ls -l /proc/$PPID/fd; echo; ls -l /proc/$$/fd' >"$out"
is "lodge holds the guest, the command does not" "$(sed '/^$/q' "$out" | grep -c /autoremove) $(
	sed '1,/^$/d' "$out" | grep -c /autoremove)" "1 0"

"$lodge" run -n t1 -m 8M --zswap-max 1M -- /usr/bin/python3 -c 'import os; x = os.urandom(32 << 20)' 2>"$out"
is "out of memory: the guest kills its process" $? 137
check "and lodge says why" grep -q '^lodge: t1: memory.events: 1 killed' "$out"
check "and the guest is gone" eventually gone t1

mkfifo "$out.fifo"
"$lodge" run -n t1 sh -c "cat $out.fifo >/dev/null 2>&1 & exit 0" 2>"$out"
check "a descendant keeps the guest" busy t1
check "and lodge says so" grep -q 'kept by 1 that outlived' "$out"
: >"$out.fifo"
check "until it ends" eventually gone t1

"$lodge" run --kill -n t1 sh -c '(setsid sh -c "trap \"\" TERM; sleep 600; sleep 600" &)
	sleep 600 & exit 3'
is "--kill: the status is the command's" $? 3
check "--kill: nothing is left, wherever it hid" eventually gone t1

"$lodge" run -q -n t1 --swap "$swap:16M" -- sh -c "echo ready >$out; exec sleep 600" &
lodge_pid=$!
check "lodge is running" eventually grep -q ready "$out"
kill -KILL $lodge_pid
wait $lodge_pid 2>/dev/null
pid=$(get t1/procs)
check "lodge was killed, the command lives" eventually asleep "$pid"
kill -KILL "$pid"
check "it was killed too, and the guest went with it" eventually gone t1
check "and so did the swap file" eventually test ! -e "$swap"

"$lodge" run -n t1 sh -c "trap 'exit 9' TERM; echo again >$out; while :; do sleep 0.1; done" &
lodge_pid=$!
check "lodge is running again" eventually grep -q again "$out"
kill -TERM $lodge_pid
wait $lodge_pid
is "a signal is passed on" $? 9

rm -f "$out" "$out.anon" "$out.fifo"
done_testing
