#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The other commands of lodge on guests that the module really keeps.
# shellcheck disable=SC2016,SC2317 # scripts of guests; functions that are commands of others
here=$(dirname "$0")
. "$here/tree.sh"
lodge=$here/../../build/lodge
out=$(mktemp)
chmod 644 "$out"

gone() { test ! -e "$tree/$1"; }
holds() { [ "$(get "$1/memory.current" 2>/dev/null)" -ge "$2" ] 2>/dev/null; }
says() { grep -qE "$1" "$out"; }

check "version: of the module" eval "'$lodge' version | grep -qE '^module +[0-9]'"

umount "$tree"
check "the tree is mounted when root needs it" "$lodge" ls -q
umount "$tree"
refused "it is not for another user, who is told how" "mount -t lodge none" as 65534 "$lodge" ls
check "and again" "$lodge" ls -q

check "create" "$lodge" create -m 64M --min 4M --zswap-max 8M t1
is "create: the limits" "$(get t1/memory.max) $(get t1/memory.min) $(get t1/memory.zswap.max)" \
	"67108864 4194304 8388608"
refused "create: there is one" "there is a guest of this name" "$lodge" create t1
refused "create: more memory than there is" "memory.max: 900T: the machine has" \
	"$lodge" create -m 900T t2
check "create: leaves nothing then" gone t2
refused "create: more set aside than there is" "lodge: t2: memory.min: 1T: " \
	"$lodge" create --min 1T t2
check "create: leaves nothing then either" gone t2

check "set: both bounds down" "$lodge" set t1 memory.max=32M memory.min=1M
check "set: both bounds up" "$lodge" set t1 -m 128M --min 64M
is "set: they are" "$(get t1/memory.max) $(get t1/memory.min)" "134217728 67108864"
refused "set: what was written before a refusal" "put back to 8388608" \
	"$lodge" set t1 memory.zswap.max=1M memory.max=1M
is "set: is put back" "$(get t1/memory.zswap.max) $(get t1/memory.max)" "8388608 134217728"
check "set: nothing set aside" "$lodge" set t1 --min 0

python='import time; x = [b"%d" % n * 900 for n in range(4096)]; print("ready", flush=True); time.sleep(600)'
"$lodge" run --join t1 /usr/bin/python3 -c "$python" >/dev/null &
lodge_pid=$!
check "a process in it holds memory" eventually holds t1 $((4 << 20))
sleep 1
"$lodge" ls >"$out"
check "ls shows it" says '^t1 +1 +[0-9.]+M +128M '
"$lodge" ps t1 >"$out"
check "ps shows its memory and its arguments" says '^ *[0-9]+ +t1 +[0-9.]+M +/usr/bin/python3 -c import time'
"$lodge" stat t1 >"$out"
check "stat shows its faults" says '^    pgfault +[1-9][0-9]{3}'
"$lodge" stat --json t1 >"$out"
check "stat --json shows what the files say" python3 -c '
import json, sys
figures = json.load(open(sys.argv[1]))
assert figures["memory.max"] == 128 << 20, figures
assert len(figures["procs"]) == 1, figures
assert figures["memory.stat"]["pgfault"] > 1000, figures' "$out"
"$lodge" top --batch -n 1 -d 0.2 >"$out"
check "top shows it" says '^t1 +1 +[0-9.]+M +128M .* [0-9]+ +[0-9]+ +[0-9]+$'

"$lodge" set t1 -m 2M 2>"$out"
check "set: a limit below what it holds is met or refused, and nothing is killed" \
	test -d "/proc/$(get t1/procs)"
refused "destroy: it has a process" "still has 1: --kill" "$lodge" destroy t1
check "destroy --kill" "$lodge" destroy --kill t1
wait $lodge_pid
is "the process was asked to end" $? 143
check "the guest is gone" gone t1

check "create for another user" "$lodge" create -m 64M --owner nobody t3
check "who lowers a limit" as 65534 "$lodge" set t3 -m 32M
refused "but does not raise it above what he was given" "t3: memory.max: 1G: " \
	as 65534 "$lodge" set t3 -m 1G
as 65534 "$lodge" run --join t3 sh -c 'exit 5'
is "and runs programs in it" $? 5
refused "but makes no guest" "not permitted" as 65534 "$lodge" run -n t4 true
check "destroy" "$lodge" destroy t3

if ! grep -qs memory /sys/fs/cgroup/cgroup.controllers; then
	mount -t cgroup2 none /sys/fs/cgroup 2>/dev/null
fi
if grep -qs memory /sys/fs/cgroup/cgroup.controllers; then
	"$lodge" run --cgroup -n t1 -m 64M sh -c '
		dir=/sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)
		echo "$dir"; cat "$dir/memory.max"' >"$out"
	check "--cgroup: a group of the host with the same limit" says '^67108864$'
	check "--cgroup: gone afterwards" eventually test ! -e "$(head -1 "$out")"
	mkfifo "$out.fifo"
	"$lodge" run --cgroup -q -n t1 -m 64M sh -c "
		echo \"/sys/fs/cgroup\$(sed -n s/^0:://p /proc/self/cgroup)\"
		cat $out.fifo >/dev/null 2>&1 &" >"$out"
	group=$(head -1 "$out")
	check "--cgroup: stays for a descendant" test -d "$group"
	: >"$out.fifo"
	check "--cgroup: and goes with it" eventually test ! -e "$group"
else
	echo "# no cgroup v2 with a memory controller here"
fi

rm -f "$out" "$out.fifo"
done_testing
