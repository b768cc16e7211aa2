#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Values of the control files: what is accepted, and how the rest is refused.
# shellcheck disable=SC2317 # functions that are commands of other functions
here=$(dirname "$0")
. "$here/tree.sh"

# bad FILE VALUE ERROR REASON: refused with an error, and with the reason in last_error
bad()
{
	refused "$1: ${2@Q} is refused" "$3" put "$2" "t1/$1"
	is "$1: ${2@Q} has a reason" "$(get t1/last_error)" "t1: $1: $2: $4"
}

mkdir "$tree/t1" || exit

is "no error yet" "$(get t1/last_error)" ""
is "no limit yet" "$(get t1/memory.max)" max
is "nothing set aside yet" "$(get t1/memory.min)" 0
is "no swap file yet" "$(get t1/memory.swap.file)" none
is "no processes yet" "$(get t1/procs)" ""
is "no autoremove yet" "$(get t1/autoremove)" 0
is "no events yet" "$(get t1/memory.events | tr '\n' ' ')" "low 0 high 0 max 0 oom 0 oom_kill 0 "
check "memory.stat has lines of two words" awk 'NF != 2 { bad = 1 } END { exit bad || NR < 20 }' "$tree/t1/memory.stat"

for size in 64M:67108864 65536K:67108864 67108864:67108864 64m:67108864 67108865:67108864 max:max; do
	put "${size%:*}" t1/memory.max
	is "memory.max ${size%:*} reads back" "$(get t1/memory.max)" "${size#*:}"
done
printf 32M >"$tree/t1/memory.max"
is "a newline is not needed" "$(get t1/memory.max)" 33554432
for file in memory.zswap.max memory.swap.max; do
	put 8M t1/$file
	is "$file reads back" "$(get t1/$file)" 8388608
	put max t1/$file
	is "$file takes max" "$(get t1/$file)" max
done

for value in 12Q '' ' 1M' '1M ' 1MM 1.5G -1 0x10 MAX M '1 M'; do
	reason="not a size"
	[ -n "$value" ] || reason="no value"
	bad memory.max "$value" "Invalid argument" "$reason"
done
bad memory.max 99999999999999999999 "Numerical result out of range" "too large a number"
bad memory.max 18014398509481984K "Numerical result out of range" "too large a number"
refused "memory.max: more than the machine has" "out of range" put 1000T t1/memory.max
check "which last_error says" grep -q '^t1: memory.max: 1000T: the machine has [0-9]* bytes of memory$' "$tree/t1/last_error"
bad memory.min 33M "Invalid argument" "more than memory.max"
bad procs 1 "not supported" "a process can only bind itself: write 0 or its own id"
bad procs x "Invalid argument" "not a process id"
bad procs -1 "Invalid argument" "not a process id"
bad autoremove 2 "Invalid argument" "neither 0 nor 1"
bad memory.swap.file swap "Invalid argument" "neither none nor a path from the root"
bad memory.swap.file /dev/null "Invalid argument" "neither a regular file nor a block device"
bad memory.swap.file /no/such/file "No such file" "cannot be opened: no such file"
bad memory.reclaim no "Invalid argument" "not a size"
bad memory.reclaim 1G "temporarily unavailable" "only 0 bytes were reclaimed"
is "what was refused has changed nothing" "$(get t1/memory.max) $(get t1/memory.min) $(get t1/autoremove)" "33554432 0 0"

printf '1M\0' >"$tree/t1/memory.max" 2>/dev/null
is "a zero byte is refused" "$(get t1/last_error)" "t1: memory.max: 1M: a zero byte in it"
# As one write: the shell's own would be two.
at_once()
{
	printf '%s' "$1" | dd of="$tree/t1/memory.max" bs=64k iflag=fullblock conv=notrunc status=none
}
refused "4097 bytes are refused" "Invalid argument" at_once "$(printf '%04097d' 1048576)"
check "which last_error says" grep -q '\.\.\.: a value has at most 4096 bytes$' "$tree/t1/last_error"
check "4096 bytes are not" at_once "$(printf '%04096d' 1048576)"
is "they are a number" "$(get t1/memory.max)" 1048576
refused "unprintable text is refused" "Invalid argument" put $'\e[31m\x80' t1/memory.max
is "and shown as question marks" "$(get t1/last_error)" "t1: memory.max: ?[31m?: not a size"

for file in memory.current memory.peak memory.stat memory.events last_error; do
	refused "$file cannot be written" "Invalid argument" sh -c "exec >$tree/t1/$file"
done
refused "memory.reclaim cannot be read" "Invalid argument" cat "$tree/t1/memory.reclaim"

whole=$(get t1/memory.stat | cut -d' ' -f1)
for size in 1 7 100; do
	is "read in pieces of $size" "$(dd if="$tree/t1/memory.stat" bs=$size status=none | cut -d' ' -f1)" "$whole"
done
exec 7<"$tree/t1/memory.max"
is "a descriptor reads" "$(cat <&7)" 1048576
put 2M t1/memory.max
is "and is at its end then" "$(cat <&7)" ""
exec 7<&-
is "seeking back reads anew" "$(/usr/bin/python3 - "$tree/t1" <<'END'
import os, sys
fd = os.open(sys.argv[1] + "/memory.max", os.O_RDWR)
first = os.read(fd, 2)
os.pwrite(fd, b"3M", 0)
rest = os.read(fd, 100)
os.lseek(fd, 0, 0)
print(first, rest, os.read(fd, 100))
END
)" "b'20' b'97152\\n' b'3145728\\n'"

rmdir "$tree/t1"
done_testing
