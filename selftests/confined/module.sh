#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The module stays while it is in use, goes when it is not, and comes back.
# shellcheck disable=SC2317 # functions that are commands of other functions
. "$(dirname "$0")/tree.sh"

module=${LODGE_MODULE:-}
if [ -z "$module" ]; then
	echo "1..0 # SKIP not in the test machine"
	exit 0
fi

# hold NAME: a process in a guest; $held is its pid
hold()
{
	mkdir "$tree/$1"
	bash -c "echo 0 >'$tree/$1/procs' && exec sleep 600" &
	held=$!
	eventually grep -q . "$tree/$1/procs"
}

unload() { rmmod lodge; }

refused "not while the tree is mounted" "in use" unload
mkdir "$tree/test-a"
umount -l "$tree"
eventually true
refused "not while a guest exists" "in use" unload
mount -t lodge lodge "$tree"
check "the guest is still there" test -d "$tree/test-a"
check "and can be removed" rmdir "$tree/test-a"

hold test-b
umount -l "$tree"
refused "not while a process is in a guest" "in use" unload
kill -KILL "$held"
wait "$held" 2>/dev/null
mount -t lodge lodge "$tree"
check "the guest of a dead process can be removed" eventually rmdir "$tree/test-b"

# A path to a mapping of a process outlives the process and its guest.
hold test-d
coproc path { python3 -c '
import os, sys
pid = sys.argv[1]
with open(f"/proc/{pid}/maps") as maps:
    lines = [line for line in maps if "[lodge:" in line]
name = "-".join("%x" % int(end, 16) for end in lines[0].split()[0].split("-"))
fd = os.open(f"/proc/{pid}/map_files/{name}", os.O_PATH)
print("open", flush=True)
for line in sys.stdin:
    print(os.readlink(f"/proc/self/fd/{fd}"), flush=True)
' "$held"; }
read -r line <&"${path[0]}"
is "a mapping is opened as a path" "$line" open
kill -KILL "$held"
wait "$held" 2>/dev/null
check "the guest goes meanwhile" eventually rmdir "$tree/test-d"
echo >&"${path[1]}"
read -r line <&"${path[0]}"
is "the path keeps its name" "$line" "[lodge:test-d]"
umount "$tree"
refused "the module stays" "in use" unload
to=${path[1]}
exec {to}>&-
wait
mount -t lodge lodge "$tree"

for ((i = 0; i < 5; i++)); do
	umount "$tree"
	check "rmmod" eventually unload
	check "insmod" insmod "$module"
	check "mount" mount -t lodge lodge "$tree"
	hold test-c
	kill -KILL "$held"
	wait "$held" 2>/dev/null
	check "a guest after insmod" eventually rmdir "$tree/test-c"
done
done_testing
