#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Swap files of every kind, who may use them meanwhile, and that each page comes back.
. "$(dirname "$0")/program.sh"

# Fills memory with what cannot be compressed, then looks twice whether it is still there.
fill='
import random, sys, zlib
block = 1 << 16
data = [random.randbytes(block) for i in range(int(sys.argv[1]) * 16)]
sums = [zlib.crc32(b) for b in data]
for again in range(2):
    for b, s in zip(data, sums):
        if zlib.crc32(b) != s:
            sys.exit("a block changed")
'

# In MiB; python takes six more.
if debug_kernel; then fills=6 pool=7M; else fills=10 pool=10M; fi

# swaps KIND FILE: a guest with a file that is there already holds more than its memory
swaps()
{
	guest "swap-$1" $pool none
	check "$1: attached" put "$2" "test-swap-$1/memory.swap.file"
	is "$1: named" "$(cat "$guest/memory.swap.file")" "$2"
	refused "$1: one at a time" "busy" put "$scratch/other" "test-swap-$1/memory.swap.file"
	check "$1: every block comes back" inside timeout 300 python3 -c "$fill" $fills
	check "$1: pages were written" test "$(figure pswpout)" -gt 1000
	check "$1: and read" test "$(figure pswpin)" -gt 1000
	check "$1: most of them ahead" test "$(figure swap_ra_hit)" -gt $(($(figure pswpin) / 2))
}

unswaps()	# KIND FILE
{
	check "$1: nothing is left in it" eventually zero
	check "$1: detached" put none "test-swap-$1/memory.swap.file"
	is "$1: gone" "$(cat "$guest/memory.swap.file")" none
	is "$1: nobody was killed" "$(value oom_kill memory.events)" 0
	rmdir "$guest"
}

file=$scratch/swap-file
truncate -s 64M "$scratch/other" "$file"

# ---- a file of ext4, which has direct I/O ----
swaps ext4 "$file"
refused "nobody else writes it" "busy" dd if=/dev/zero of="$file" bs=4k count=1 conv=notrunc
refused "nor cuts it off" "busy" truncate -s 1M "$file"
chmod 600 "$file"
refused "nor swaps to it" "read swap header failed" swapon "$file"
check "it can be read" dd if="$file" of=/dev/null bs=1M iflag=direct status=none
mkdir "$tree/test-second"
refused "no other guest gets it" "exists" put "$file" test-second/memory.swap.file
ln -sf "$file" "$scratch/link"
refused "nor by another name" "exists" put "$scratch/link" test-second/memory.swap.file
unswaps ext4 "$file"
check "then it can be written again" dd if=/dev/zero of="$file" bs=4k count=1 conv=notrunc \
	status=none

exec 7<>"$file"
refused "not while it is open for writing" "busy" put "$file" test-second/memory.swap.file
exec 7>&-
check "but after" put "$file" test-second/memory.swap.file
check "and none" put none test-second/memory.swap.file

dd if=/dev/zero of="$file" bs=1M count=64 status=none && mkswap "$file" >/dev/null
if swapon "$file" 2>/dev/null; then
	refused "not while the host swaps to it" "busy" put "$file" test-second/memory.swap.file
	swapoff "$file"
fi
refused "no directory" "Invalid argument" put "$scratch" test-second/memory.swap.file
refused "no terminal" "Invalid argument" put /dev/tty test-second/memory.swap.file
: >"$scratch/empty"
refused "no empty file" "Invalid argument" put "$scratch/empty" test-second/memory.swap.file
refused "no mounted disk" "busy" put /dev/vda test-second/memory.swap.file
rmdir "$tree/test-second"

# ---- a file of tmpfs ----
mount -t tmpfs -o size=100M none "$work"
truncate -s 64M "$work/file"
swaps tmpfs "$work/file"
unswaps tmpfs "$work/file"
umount "$work"

# ---- a block device ----
disk=/dev/vdb
if [ -b $disk ]; then
	swaps disk $disk
	mkdir "$tree/test-second"
	refused "no other guest gets the disk" "exists" put $disk test-second/memory.swap.file
	rmdir "$tree/test-second"
	unswaps disk $disk
else
	result 0 "a block device # SKIP no $disk: run-vm --raw 64M"
fi

rm -f "$file" "$scratch/other" "$scratch/link" "$scratch/empty"
rmdir "$work"
done_testing
