#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Making, using and removing guests from all sides at once; nothing may be left over.
# long-control-storm.sh does it with more rounds.
# shellcheck disable=SC2317 # functions that are commands of other functions
here=$(dirname "$0")
. "$here/tap.sh"

rounds=${ROUNDS:-40}

# storm KIND NAME ROUNDS: in one process each, as starting one takes longer than what it does here
storm()
{
	python3 - "$tree" "$@" <<'END'
import errno, os, sys
tree, kind, name, rounds = sys.argv[1:]
guest = tree + "/" + name

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
for i in range(int(rounds)):
    if kind == "alone":
        make()
        remove()
    else:
        tolerate(make, errno.EEXIST)
        tolerate(read, *gone)
        tolerate(write, *gone)
        tolerate(remove, errno.ENOENT)
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
storm alone t1 30
before=$(objects)
check "$rounds guests come and go" storm alone t1 "$rounds"
after=$(objects)
check "they leave nothing behind ($before objects before, $after after)" test $((after - before)) -lt "$rounds"

storm collide same "$rounds" &
one=$!
storm collide same "$rounds" &
two=$!
wait $one
result $? "one side of a storm on one name"
wait $two
result $? "the other side"
rmdir "$tree/same" 2>/dev/null

storm alone a "$rounds" &
one=$!
storm alone b "$rounds" &
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
for ((i = 0; i < rounds / 10; i++)); do
	bind_round || status=1
done
result $status "binding races with removal"

rmdir "$tree/keep"
check "with the hooks armed and disarmed each time" storm alone t1 $((rounds / 20))

is "no guest is left" "$(cd "$tree" && echo */)" "*/"
done_testing
