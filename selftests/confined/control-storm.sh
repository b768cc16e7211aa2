#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Making, using and removing guests from all sides at once; nothing may be left over.
# long-control-storm.sh does it with more rounds.
# shellcheck disable=SC2317 # functions that are commands of other functions
here=$(dirname "$0")
. "$here/tree.sh"

rounds=${ROUNDS:-40}
# A loaded machine or a debug kernel does less.
limit=${ROUNDS:+3600}
limit=${limit:-5}

# storm KIND NAME ROUNDS: in one process each, as starting one takes longer than what it does here;
# prints how many rounds it did within the limit
storm()
{
	/usr/bin/python3 - "$tree" "$limit" "$@" <<'END'
import errno, os, sys, time
tree, limit, kind, name, rounds = sys.argv[1:]
guest = tree + "/" + name
end = time.monotonic() + int(limit)
done = 0

def tolerate(what, *errors):
    try:
        what()
    except OSError as err:
        if err.errno not in errors:
            sys.exit(f"# {what.__name__}: {err.strerror}")

def make():
    os.mkdir(guest)

def remove():
    os.rmdir(guest)

def read():
    for file in os.listdir(guest):
        if file != "memory.reclaim":
            with open(guest + "/" + file, "rb", 0) as f:
                f.read()

def write():
    fd = os.open(guest + "/memory.max", os.O_WRONLY)
    try:
        os.write(fd, b"64M")
    finally:
        os.close(fd)

gone = (errno.ENOENT, errno.ENODEV)
while done < int(rounds) and time.monotonic() < end:
    if kind == "alone":
        make()
        remove()
    else:
        tolerate(make, errno.EEXIST)
        tolerate(read, *gone)
        tolerate(write, *gone)
        tolerate(remove, errno.ENOENT)
    done += 1
print(done)
END
}

# Objects that a guest is made of, in all slab caches, once the host has caught up.
objects()
{
	sync
	echo 2 >/proc/sys/vm/drop_caches
	sleep 1
	awk 'NR > 2 && $1 ~ /^(inode_cache|dentry|kmalloc-|lodge|zspage|task_struct)/ { n += $2 } END { print n }' /proc/slabinfo
}

# Arming and disarming the hooks takes longest: a guest that stays spares us that.
mkdir "$tree/keep"
storm alone t1 $((rounds / 2)) >/dev/null
before=$(objects)
done=$(storm alone t1 "$rounds")
result $? "guests come and go ($done)"
after=$(objects)
# A guest is more than 60 objects, but the host's own come and go by the hundred: few rounds only
# tell whether whole guests are left, many whether each leaves one object.
left=$((after - before))
most=$((done < 500 ? 400 + 8 * done : done))
# KASAN keeps what was freed; where it is, kmemleak looks at the end.
grep -q ' kasan_' /proc/kallsyms ||
	check "they leave nothing behind ($before objects before, $after after)" test $left -lt $most

storm collide same "$rounds" >/dev/null &
one=$!
storm collide same "$rounds" >/dev/null &
two=$!
wait $one
result $? "one side of a storm on one name"
wait $two
result $? "the other side"
rmdir "$tree/same" 2>/dev/null

storm alone a "$rounds" >/dev/null &
one=$!
storm alone b "$rounds" >/dev/null &
two=$!
find "$tree" -type f -name 'memory.*' >/dev/null 2>&1
wait $one
result $? "one side of a storm on two names"
wait $two
result $? "the other side"
# Binding against removal: whoever comes first wins, and both are told.
rmdir_gone()
{
	rmdir "$tree/race" 2>/dev/null
	test ! -e "$tree/race"
}

bind_round()
{
	mkdir "$tree/race" || return 1
	echo 1 >"$tree/race/autoremove"
	(echo $BASHPID >"$tree/race/procs") 2>/dev/null &
	rmdir "$tree/race" 2>/dev/null
	wait $!
	eventually rmdir_gone
}
status=0
end=$((SECONDS + limit))
for ((i = 0; i < rounds / 10 && SECONDS < end; i++)); do
	bind_round || status=1
done
result $status "binding races with removal"

rmdir "$tree/keep"
storm alone t1 $((rounds / 20)) >/dev/null
result $? "with the hooks armed and disarmed each time"

is "no guest is left" "$(cd "$tree" && echo */)" "*/"
done_testing
