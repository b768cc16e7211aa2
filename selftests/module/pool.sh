#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The memory of guests in the host's kernel: what the control tree says of it, and its limit.
# shellcheck disable=SC2016,SC2317 # scripts of others; functions that are commands of others
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../confined/tree.sh
. "$here/../confined/tree.sh"
lodge=$here/../../build/lodge
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# start NAME SIZE COMMAND: a guest in the background, once it has said so
start()
{
	"$lodge" boot "$1" -d --host=module -m "$2" --rootdir / --share "$out" -- \
		sh -c "echo begun; $3; exec sleep 600" >/dev/null
	check "the guest $1" eventually says "$1" begun
}
says() { "$lodge" logs "$1" 2>&1 | grep -q "$2"; }
# finish NAME: what is left of a guest that has ended
finish()
{
	"$lodge" kill "$1" 2>/dev/null
	"$lodge" rm "$1"
	gone "$1"
}
gone() { [ ! -e "$tree/$1" ]; }
current() { get "$1/memory.current"; }
all_listed() { [ "$(wc -l <"$tree/$1/procs")" = $(($(pgrep -c -x linux) - 1)) ]; }
figure() { "$lodge" "$1" --json "${@:3}" | sed -n 's/.*"'"$2"'": *\([0-9]*\).*/\1/p'; }

truncate -s 90M "$out/large"
# whenever WORD: in a guest, wait for a file, then read more than it has memory for
whenever() { echo "while [ ! -e $out/$1 ]; do sleep 1; done; cat $out/large >/dev/null"; }

# What its directory has
start pool 64M "head -c 20M /dev/zero >/tmp/f; rm /tmp/f; echo full
	$(whenever cache); echo cached
	while [ ! -e $out/hog ]; do sleep 1; done; tail /dev/zero; echo hogged
	$(whenever again); echo again"
check "has 20 MiB" eventually says pool full
is "its files" "$(cd "$tree/pool" && stat -c '%n %a' -- * | sort | tr '\n' ' ')" \
	"autoremove 644 kind 444 last_error 444 memory.current 444 memory.events 444 \
memory.max 644 memory.peak 444 procs 644 "
is "it is a full one" "$(get pool/kind)" full
is "memory.max is what it was given" "$(get pool/memory.max)" 67108864
now=$(current pool)
check "memory.current is what it has touched ($now)" [ "$now" -gt 20971520 ]
check "and not more than it may" [ "$now" -le 67108864 ]
check "memory.peak is not less" [ "$(get pool/memory.peak)" -ge "$now" ]
is "nothing has happened" "$(get pool/memory.events | tr '\n' ' ')" \
	"low 0 high 0 max 0 oom 0 oom_kill 0 "
check "its processes are the host's, but for the one that waits for them" eventually all_listed pool
is "each of them" "$(xargs -n 1 sh -c 'cat /proc/$0/comm' <"$tree/pool/procs" | sort -u)" linux
check "lodge ls has its limit" [ "$(figure ls memory.max)" = 67108864 ]
check "lodge stat has what it holds" [ "$(figure stat memory.current pool)" -ge 20971520 ]
is "it is in lodge ls once" "$("$lodge" ls -q)" pool

# What is refused
refused "rmdir while it runs" "busy" rmdir "$tree/pool"
refused "lodge destroy" "still has" "$lodge" destroy pool
refused "a guest of this name" "exists" mkdir "$tree/pool"
mkdir "$tree/taken"
refused "a name that is taken" "there is a guest of this name already" timeout 60 "$lodge" \
	boot taken --host=module --rootdir / -- true
check "which stays who it is" rmdir "$tree/taken"
refused "to bind a process" "not supported" put 0 pool/procs
is "with the reason" "$(get pool/last_error)" \
	"pool: procs: 0: a full guest takes none of the host's"
refused "no size" "Invalid" put 12Q pool/memory.max
refused "more than the machine has" "out of range" put 1T pool/memory.max
refused "memory.max below what it holds" "busy" put 16M pool/memory.max
is "with the reason" "$(get pool/last_error | sed 's/: [0-9]* bytes/: N bytes/')" \
	"pool: memory.max: 16M: N bytes are in use and cannot be reclaimed"
is "and the old limit" "$(get pool/memory.max)" 67108864
refused "no swap file" "no such field" "$lodge" set pool memory.swap.file=none

# It shrinks, and grows
touch "$out/cache"
check "it has files cached" eventually says pool cached
check "most of its memory is in use ($(current pool))" [ "$(current pool)" -gt 50331648 ]
check "memory.max can be lowered, for it gives memory back" "$lodge" set pool memory.max=32M
is "to that" "$(get pool/memory.max)" 33554432
check "which it does not exceed ($(current pool))" [ "$(current pool)" -le 33554432 ]
check "memory.peak stays" [ "$(get pool/memory.peak)" -gt 50331648 ]
refused "it cannot do without all" "cannot do without so much" "$lodge" set pool memory.max=4M
is "and the old limit" "$(get pool/memory.max)" 33554432
touch "$out/hog"
check "what is too much for it is for its own kernel to decide" eventually says pool hogged
check "memory.max is raised" "$lodge" set pool memory.max=64M
touch "$out/again"
check "and it takes that" eventually says pool again
check "as memory.current tells ($(current pool))" [ "$(current pool)" -gt 41943040 ]
check "it lives" quietly "$lodge" mconsole pool version
check "its directory goes with it" finish pool

# Somebody reads without end
start read 32M :
for _ in 1 2 3 4; do
	(while [ -e "$tree/read" ]; do cat "$tree"/read/* >/dev/null 2>&1; done) &
done
check "nobody who reads keeps it" finish read

# Who ends it
start pool 32M :
kill -KILL "$(pgrep -n -x linux)"
check "a host thread is killed: its directory goes" eventually gone pool
finish pool
start pool 32M :
pkill -KILL -x lodge
check "its launcher is: so does it" eventually gone pool

# At its limit
start pool 64M "while [ ! -e $out/go ]; do sleep 1; done; tail /dev/zero"
now=$(current pool)
check "may have 4 MiB more ($now)" put $((now + 4194304)) pool/memory.max
check "its figures are to stay" put 0 pool/autoremove
touch "$out/go"
ended() { ! "$lodge" ls -q | grep -qx pool; }
check "it ends when it wants more" eventually ended
check "with the reason" says pool "more memory than memory.max"
is "the events tell" "$(get pool/memory.events | tr '\n' ' ')" \
	"low 0 high 0 max 1 oom 1 oom_kill 1 "
is "memory.peak was the limit" "$(get pool/memory.peak)" "$(get pool/memory.max)"
is "nothing is held" "$(current pool)" 0
is "nobody is in it" "$(get pool/procs)" ""
refused "its name is taken" "there is a guest of this name already" timeout 60 "$lodge" \
	boot pool --host=module --rootdir / -- true
check "until it is removed" rmdir "$tree/pool"
"$lodge" rm pool

# No mount is needed
umount "$tree"
start pool 32M :
mountpoint -q "$tree" || mount -t lodge lodge "$tree"
is "made without a mount" "$(get pool/kind)" full
exec 7>"$tree/pool/autoremove"
check "its directory goes with it, whoever has autoremove open" finish pool
exec 7>&-
done_testing
