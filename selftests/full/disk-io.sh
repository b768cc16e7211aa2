#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What a guest's disk does with what it is given: flushes, discards, sectors of two files.
# shellcheck disable=SC2016,SC2317 # what the guest expands; functions that are commands of others
# shellcheck source=full.sh
. "$(dirname "$0")/full.sh"
# shellcheck source=image.sh
. "$top/selftests/full/image.sh"
# shellcheck source=driven.sh
. "$top/selftests/full/driven.sh"

# files SIZE FILE...: of the user's
files()
{
	local size=$1 file
	shift
	for file; do
		truncate -s "$size" "$file"
		[ "$(id -u)" != 0 ] || chown "$user" "$file"
	done
}

field() { awk -v f="$1:" '$1 == f { print $2 }' "/proc/$2/status"; }

# The processes that read and write disks for the guest's kernel: its children that it does not trace.
io_processes()
{
	local pid kernels

	kernels=$(for pid in $(left_over); do field TracerPid "$pid"; done | sort -u | grep -vx 0)
	for pid in $(left_over); do
		[ "$(field TracerPid "$pid")" = 0 ] && ! grep -qx "$pid" <<<"$kernels" &&
			grep -qx "$(field PPid "$pid")" <<<"$kernels" && printf -- '-p %s ' "$pid"
	done
}

tracing=/sys/kernel/tracing

# The guest's kernel has functions of that name, too.
host_function() { awk -v name="$1" '$3 == name && NF == 3 { print "0x" $1 }' /proc/kallsyms; }

# watch: note what the guest's kernel asks the host for; unwatch
# In the host's kernel these are calls of its functions, not of the system.
watch()
{
	if [ "$guest_host" = module ]; then
		mountpoint -q "$tracing" || mount -t tracefs tracefs "$tracing"
		echo "p:disk_write $(host_function vfs_iter_write) file=%di at=+0(%dx):u64" \
			>"$tracing/kprobe_events" &&
			echo "p:disk_flush $(host_function vfs_fsync) file=%di" >>"$tracing/kprobe_events" &&
			echo 1 >"$tracing/events/kprobes/enable"
		return
	fi
	# shellcheck disable=SC2046 # options
	strace -A -e trace=pwrite64,fdatasync -o calls $(io_processes) 2>strace.err &
	strace=$!
	: >>strace.err
	eventually grep -q attached strace.err
}

unwatch()
{
	if [ "$guest_host" = module ]; then
		echo 0 >"$tracing/events/kprobes/enable"
		echo >"$tracing/kprobe_events"
	else
		kill "$strace"
		wait "$strace" 2>/dev/null
	fi
}

# Lines "write FILE POSITION" and "flush FILE".
calls()
{
	if [ "$guest_host" = module ]; then
		# Its consoles are written to, too, but never flushed.
		sed -n 's/.* disk_\(write\|flush\): ([^)]*) file=\([^ ]*\)\( at=\)\{0,1\}/\1 \2 /p' "$tracing/trace" |
			awk '{ line[NR] = $0; file[NR] = $2; if ($1 == "flush") flushed[$2] = 1 }
				END { for (i = 1; i <= NR; i++) if (file[i] in flushed) print line[i] }'
	else
		sed -n 's/^\([0-9]* *\)\{0,1\}pwrite64(\([0-9]*\), .*, \([0-9]*\)) *= [0-9]*$/write \2 \3/p
			s/^\([0-9]* *\)\{0,1\}fdatasync(\([0-9]*\)) *= 0$/flush \2/p' calls
	fi
}

# asked COMMAND: what the host is asked for when the guest has that done
asked()
{
	if [ "$guest_host" = module ]; then : >"$tracing/trace"; else : >calls; fi
	tell "$1" >/dev/null
	# Where it writes, bitmap or data, as the layout of base.cow has it; and where it flushes.
	calls | awk '/write/ { print $1, ($3 < 12288 && $3 >= 8192 ? "bitmap" : "data") } /flush/ { print $1 }
		{ fd[$2] = 1 } END { n = 0; for (i in fd) n++; print n, "file" }' | uniq | xargs
}

# --- flush
files 16M raw.img base.img
driven web --disk raw.img --disk base.img,cow=base.cow
check "the guest's disks can be watched" watch
write='dd if=/dev/urandom of=/dev/DISK bs=4k count=1 seek=99 conv=notrunc,fsync 2>/dev/null'
is "what is written is flushed when the guest says so" "$(asked "${write/DISK/ubda}")" "write data flush 1 file"
is "of a COW file data, bitmap, flush: in this order" "$(asked "${write/DISK/ubdb}")" \
	"write data write bitmap flush 1 file"
is "what is in it has no new bits" "$(asked "${write/DISK/ubdb}")" "write data flush 1 file"
tell 'mke2fs -q -t ext4 /dev/ubda && mount /dev/ubda /mnt' >/dev/null
check "so does fsync() of a file" grep -q flush <<<"$(asked 'dd if=/dev/zero of=/mnt/f bs=4k count=1 conv=fsync 2>/dev/null')"
tell 'umount /mnt' >/dev/null
unwatch
driven_end

# --- sectors of two files
# Every other kind of neighbours: single sectors, halves of pages, whole pages.
files 1M mixed.img
python3 - mixed.img <<'END'
import random, sys
random.seed(1)
with open(sys.argv[1], "r+b") as f:
    f.write(random.randbytes(1 << 20))
END
as_user "$dir/lodge" image cow create mixed.cow mixed.img
python3 - mixed.cow <<'END'
import random, sys
random.seed(2)
bitmap, data = 8192, 12288
with open(sys.argv[1], "r+b") as f:
    for sector in range(2048):
        if random.random() < 0.4:
            f.seek(data + sector * 512)
            f.write(random.randbytes(512))
            f.seek(bitmap + sector // 8)
            byte = f.read(1)[0]
            f.seek(bitmap + sector // 8)
            f.write(bytes([byte | 1 << sector % 8]))
END
lodge image cow merge mixed.cow mixed.want
files 16K tiny.img
driven web --disk mixed.img,cow=mixed.cow --disk tiny.img,cow=tiny.cow
is "pages of both files are read as they are" "$(tell 'cksum </dev/ubda')" "$(cksum <mixed.want)"
is "in pieces of any size" "$(tell 'dd if=/dev/ubda bs=128k iflag=direct 2>/dev/null | cksum
	dd if=/dev/ubda bs=512 iflag=direct 2>/dev/null | cksum')" "$(cksum <mixed.want; cksum <mixed.want)"
tell 'for i in 3 8 100 101 2047; do head -c 512 /dev/zero | tr "\0" $((i % 9 + 1)) |
	dd of=/dev/ubda bs=512 seek=$i oflag=direct conv=notrunc 2>/dev/null; done' >/dev/null
for i in 3 8 100 101 2047; do
	head -c 512 /dev/zero | tr '\0' $((i % 9 + 1)) | dd of=mixed.want bs=512 seek=$i conv=notrunc 2>/dev/null
done
is "single sectors that are written" "$(tell 'dd if=/dev/ubda bs=64k iflag=direct 2>/dev/null | cksum')" \
	"$(cksum <mixed.want)"
is "a disk of a few sectors" "$(tell 'head -c 16384 /dev/zero | tr "\0" x | dd of=/dev/ubdb bs=512 conv=fsync 2>/dev/null
	tr -d x </dev/ubdb | wc -c')" 0
driven_end
lodge image cow merge mixed.cow mixed.got
check "are in the COW file" cmp mixed.got mixed.want
lodge image cow merge tiny.cow tiny.got
is "all of them" "$(tr -d x <tiny.got | wc -c) $(wc -c <tiny.got)" "0 16384"

# --- discard
blocks() { stat -c %b "$1"; }
files 64M holes.img over.img
mke2fs -q -t ext4 over.img
driven web --disk holes.img --disk over.img,cow=over.cow
tell 'mke2fs -q -t ext4 /dev/ubda; mkdir /run/a /run/b; mount /dev/ubda /run/a; mount /dev/ubdb /run/b
	for i in a b; do head -c 30M /dev/urandom >/run/$i/big; done; sync' >/dev/null
check "what is written takes room" test "$(blocks holes.img)" -gt $((30 * 2048)) -a "$(blocks over.cow)" -gt $((30 * 2048))
tell 'rm /run/a/big /run/b/big; sync; fstrim /run/a; fstrim /run/b; umount /run/a /run/b' >/dev/null
check "what is discarded takes none" test "$(blocks holes.img)" -lt $((20 * 2048))
check "nor in a COW file" test "$(blocks over.cow)" -lt $((10 * 2048))
is "where it reads as zeros" "$(tell 'head -c 1M /dev/urandom | dd of=/dev/ubdb bs=64k seek=64 conv=fsync 2>/dev/null
	blkdiscard -f -o 4M -l 1M /dev/ubdb 2>/dev/null && dd if=/dev/ubdb bs=64k skip=64 count=16 iflag=direct 2>/dev/null | tr -d "\0" | wc -c')" 0
driven_end
lodge image cow merge over.cow merged.img
is "as it does in the file" "$(dd if=merged.img bs=64k skip=64 count=16 2>/dev/null | tr -d '\0' | wc -c)" 0

nothing_left "no process and no file is left"
done_testing
