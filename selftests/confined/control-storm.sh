#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Making, using and removing guests from all sides at once; nothing may be left over.
# shellcheck disable=SC2317 # functions that are commands of other functions
here=$(dirname "$0")
. "$here/tap.sh"

rounds=${ROUNDS:-300}

# Objects that a guest is made of, in all slab caches, once the host has caught up.
objects()
{
	sync
	echo 2 >/proc/sys/vm/drop_caches
	sleep 1
	awk 'NR > 2 && ($1 ~ /^(inode_cache|dentry|kmalloc-[0-9k]+|lodge.*|kmem_cache_node)$/) { n += $2 } END { print n }' \
		/proc/slabinfo
}

make_and_remove()
{
	local name=$1 n=$2
	while ((n--)); do
		mkdir "$tree/$name" && rmdir "$tree/$name" || return 1
	done
}

make_and_remove warm 50
before=$(objects)
check "$rounds guests come and go" make_and_remove t1 "$rounds"
after=$(objects)
check "they leave nothing behind ($before objects before, $after after)" test $((after - before)) -lt "$rounds"

# Same name from two sides: every mkdir and rmdir may fail, but only for a good reason.
collide()
{
	local n=$1 out
	while ((n--)); do
		out=$(mkdir "$tree/same" 2>&1) || [[ $out = *exists* ]] || { echo "# $out"; return 1; }
		out=$(cat "$tree/same/memory.stat" 2>&1 >/dev/null) ||
			[[ $out = *"No such"* ]] || { echo "# $out"; return 1; }
		put 1M same/memory.max
		out=$(rmdir "$tree/same" 2>&1) || [[ $out = *"No such"* ]] || { echo "# $out"; return 1; }
	done
}
collide $((rounds / 3)) 2>/dev/null &
one=$!
collide $((rounds / 3)) 2>/dev/null &
two=$!
wait $one
result $? "one side of a storm on one name"
wait $two
result $? "the other side"
rmdir "$tree/same" 2>/dev/null

make_and_remove a "$rounds" &
one=$!
make_and_remove b "$rounds" &
two=$!
find "$tree" -type f -name 'memory.*' >/dev/null 2>&1
wait $one
result $? "one side of a storm on two names"
wait $two
result $? "the other side"

# Binding against removal: whoever comes first wins, and both are told.
bind_round()
{
	mkdir "$tree/race" || return 1
	echo 1 >"$tree/race/autoremove"
	bash -c "echo 0 >$tree/race/procs" 2>/dev/null &
	rmdir "$tree/race" 2>/dev/null
	wait $!
	eventually rmdir_gone
}
rmdir_gone()
{
	rmdir "$tree/race" 2>/dev/null
	test ! -e "$tree/race"
}
status=0
for ((i = 0; i < rounds / 10; i++)); do
	bind_round || status=1
done
result $status "binding races with removal"

is "no guest is left" "$(cd "$tree" && ls -d -- */ 2>/dev/null)" ""
done_testing
