#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guests that go with their last process, and guests that have processes.
# shellcheck disable=SC2317 # functions that are commands of other functions
here=$(dirname "$0")
. "$here/tree.sh"

# in_guest NAME COMMAND...: becomes the command in a guest
in_guest()
{
	# shellcheck disable=SC2016
	exec bash -c 'echo $$ >"$0" && exec "$@"' "$tree/$1/procs" "${@:2}"
}

gone()
{
	test ! -e "$tree/$1"
}

mkdir "$tree/t1" || exit
in_guest t1 sleep 60 &
sleeper=$!
# shellcheck disable=SC2016
check "a process binds itself by its own id" eventually sh -c 'grep -qx "$0" "$1"' $sleeper "$tree/t1/procs"
refused "a guest with a process is not removed" "busy" rmdir "$tree/t1"
check "which last_error says" grep -qx 't1: it has processes' "$tree/last_error"
refused "nor the module" "in use" rmmod lodge
put 1 t1/autoremove
kill -9 $sleeper
wait $sleeper 2>/dev/null
check "with autoremove it goes with its last process" eventually gone t1

mkdir "$tree/t1"
put 1 t1/autoremove
sleep 0.3
check "not before it had one" test -d "$tree/t1"
(in_guest t1 true)
check "then it goes" eventually gone t1

mkdir "$tree/t1"
(in_guest t1 true)
sleep 0.3
check "without autoremove it stays" test -d "$tree/t1"
check "with an empty list of processes" eventually sh -c "[ -z \"\$(cat $tree/t1/procs)\" ]"
put 1 t1/autoremove
check "until autoremove is set" eventually gone t1

mkdir "$tree/t1"
put 1 t1/autoremove
put 0 t1/autoremove
(in_guest t1 true)
sleep 0.3
check "autoremove can be taken back" test -d "$tree/t1"
check "and rmdir does it" eventually rmdir "$tree/t1"

mkdir "$tree/t1"
put 1 t1/autoremove
# shellcheck disable=SC2016
(in_guest t1 bash -c 'for i in 1 2 3 4; do (sleep 0.$i) & done; exit 0')
check "the last descendant counts" eventually gone t1

mkdir "$tree/t1"
put 1 t1/autoremove
exec 7>"$tree/t1/autoremove"
mkdir "$tree/t2"
put 1 t2/autoremove
(in_guest t1 true)
(in_guest t2 true)
# What goes after it has gone: it would have gone.
check "one that nobody holds goes" eventually gone t2
check "one whose autoremove is open for writing stays" test -d "$tree/t1"
current() { [ "$(get t1/memory.current)" = "$1" ]; }
check "for its figures to be read" eventually current 0
exec 7>&-
check "and it goes when that is closed" eventually gone t1

mkdir "$tree/t1"
put 1 t1/autoremove
bash -c "exec 7>$tree/t1/autoremove; read -r _" <&"$never" &
holder=$!
check "somebody holds it" eventually sh -c "readlink /proc/$holder/fd/7 2>/dev/null | grep -q autoremove"
mkdir "$tree/t2"
put 1 t2/autoremove
(in_guest t1 true)
(in_guest t2 true)
eventually gone t2
check "it stays" test -d "$tree/t1"
kill -KILL $holder
wait $holder 2>/dev/null
check "and goes when he is killed" eventually gone t1

mkdir "$tree/t1"
put 1 t1/autoremove
exec 7>"$tree/t1/autoremove"
(in_guest t1 true)
check "rmdir does not wait for that" eventually rmdir "$tree/t1"
refused "and nothing can be written to it then" "No such device" eval 'echo 1 >&7'
exec 7>&-

mkdir "$tree/t1"
chown -R 1000 "$tree/t1"
put 1 t1/autoremove
check "its owner may bind himself" as 1000 bash -c "echo 0 >$tree/t1/procs"
check "and it goes though he could not remove it" eventually gone t1

done_testing
