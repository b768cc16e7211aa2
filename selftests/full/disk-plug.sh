#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Disks that come and go while a guest runs.
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

rows() { lodge disk ls "$1" | awk 'NR > 1 { print $1, $3, $4, $5 }' | sed "s|$dir/user/||g"; }

message_size=$("$top/build/selftests/full/helper-message-size")
files 16M plain.img base.img other.img
files 64M swap.img
driven web -m 64M
is "a guest without disks has none" "$(rows web)" ""
is "the first is ubda" "$(lodge disk add web plain.img)" ubda
is "and is there at once" "$(tell 'cat /sys/block/ubda/size')" 32768
is "a file system on it" "$(tell 'mke2fs -q /dev/ubda && mount /dev/ubda /mnt && echo here >/mnt/f && cat /mnt/f')" here
refused "in use, it stays: the guest's kernel says so" 1 "web: ubda: Device is currently open" \
	lodge disk remove web ubda
refused "nobody else gets it" 1 "plain.img: is in use by another guest" lodge disk add web plain.img
refused "nor does another guest" 125 "is in use by another guest" start --root plain.img
# Longer than any file that the guest has had, its memory among them.
files 1G long.img
is "a long one" "$(lodge disk add web long.img)" ubdb
is "takes what is written at its end" \
	"$(tell 'dd if=/dev/zero of=/dev/ubdb bs=1M seek=1000 count=4 conv=fsync 2>/dev/null; echo $?')" 0
lodge disk remove web ubdb
is "the next, with a COW file that is made" "$(lodge disk add web base.img,cow=base.cow)" ubdb
is "one that it cannot write to" "$(lodge disk add web other.img,ro)" ubdc
is "what it has" "$(rows web)" "ubda rw plain.img -
ubdb rw base.img base.cow
ubdc ro other.img -"
is "as JSON" "$(lodge disk ls --json web | python3 -c 'import json, sys
print(*[(d["name"], d["size"], d["readonly"], d["cow"] is None) for d in json.load(sys.stdin)])')" \
	"('ubda', 16777216, False, True) ('ubdb', 16777216, False, False) ('ubdc', 16777216, True, True)"
is "the COW file takes what is written" \
	"$(tell 'echo changed | dd of=/dev/ubdb bs=512 seek=9 conv=sync,fsync 2>/dev/null; dd if=/dev/ubdb bs=512 skip=9 count=1 2>/dev/null | head -n 1')" \
	changed
is "and the base stays" "$(tr -d '\0' <base.img | wc -c)" 0
is "a read-only one is that" \
	"$(tell 'dd if=/dev/zero of=/dev/ubdc bs=512 count=1 conv=fsync 2>/dev/null || echo refused')" refused
is "its kernel knows their names" "$(lodge mconsole web config ubdb)" "$dir/user/base.cow,$dir/user/base.img"

# --- out again
tell 'umount /mnt' >/dev/null
is "unmounted, it goes" "$(lodge disk remove web ubda 2>&1)$?" 0
is "and is not there any more" "$(tell 'ls /dev/ubda /sys/block/ubda 2>/dev/null')" ""
is "what was written to it is in the file" "$(within plain.img f)" here
check "its file system is whole" quietly e2fsck -fn plain.img
is "closed and unlocked, it can go to another" \
	"$(boot -- true </dev/null; start --rootdir / --disk plain.img -- sh -c 'mount /dev/ubda /mnt && cat /mnt/f')" here
lodge disk remove web ubdb
check "so can a COW file" lodge image cow merge base.cow merged.img
is "with all that was written" "$(dd if=merged.img bs=512 skip=9 count=1 2>/dev/null | head -n 1)" changed
is "no file of the host is open in the launcher or the guest" \
	"$(for pid in $(left_over); do find "/proc/$pid/fd" -lname '*plain.img' -o -lname '*base*'; done 2>/dev/null)" ""
is "the lowest name that is free is the next one's" "$(lodge disk add web swap.img)" ubda

# --- swap
is "swap on it" "$(tell 'mkswap /dev/ubda >/dev/null && swapon /dev/ubda && grep -c ubda /proc/swaps')" 1
refused "it is in use then" 1 "currently open" lodge disk remove web ubda
is "more than memory holds comes back from there as it was" \
	"$(tell 'mount -t tmpfs -o size=90% none /mnt -o size=100M
		head -c 80M /dev/urandom | tee /mnt/x | cksum >/run/a; cksum </mnt/x | cmp - /run/a && echo same
		awk "/ubda/ { print (\$4 > 16384 ? \"swapped\" : \"in memory\") }" /proc/swaps' | xargs)" "same swapped"
is "swapped back" "$(tell 'umount /mnt; swapoff /dev/ubda && echo off')" off
check "it can go" lodge disk remove web /dev/ubda
lodge disk remove web ubd2
is "a guest without disks again" "$(rows web)" ""

# --- what nobody has given
refused "a file that the guest cannot see" 1 "see lodge disk add" \
	lodge mconsole web config "ubdb=$dir/user/plain.img"
check "uml_mconsole says so, too" grep -q 'see lodge disk add' <<<"$(as_user timeout 20 uml_mconsole \
	"$XDG_RUNTIME_DIR/lodge/web/mconsole" config "ubdb=$dir/user/plain.img" 2>&1)"
is "that leaves nothing in the way" "$(lodge disk add web plain.img; lodge disk add web other.img)" $'ubda\nubdb'
refused "what was not offered" 1 "The host has no disk for it" lodge mconsole web config ubdc=@host
refused "one that is there" 1 "already configured" lodge mconsole web config ubda=@host
lodge disk remove web ubda
lodge disk remove web ubdb

# A client that has gone leaves no disk that the guest could ask for later.
as_user python3 - "$XDG_RUNTIME_DIR/lodge/web/devices" plain.img "$message_size" <<'END'
import array, os, socket, struct, sys
for size in (0, 1, 100, 9000, 100000):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(sys.argv[1])
    try:
        s.send(os.urandom(size))
    except OSError:
        pass
for order in range(20):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(sys.argv[1])
    with open(sys.argv[2]) as f:
        s.sendmsg([struct.pack("Ii", order, order - 5).ljust(int(sys.argv[3]), b"\xff")],
                  [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [f.fileno()] * 3))])
END
check "after rubbish at its socket it answers" eventually quietly lodge mconsole web version
is "nothing has changed" "$(rows web)" ""
is "and it still takes disks" "$(lodge disk add web plain.img)" ubda
is "its socket is the user's own" "$(stat -c '%a %u' "$XDG_RUNTIME_DIR/lodge/web/devices")" "600 $(as_user id -u)"

# --- refusals
refused "no such guest" 1 "did you mean 'web'" lodge disk add wob plain.img
refused "no such file" 1 "disk add: nothing.img: No such file" lodge disk add web nothing.img
refused "an option that is none" 1 "not an option of a disk" lodge disk add web other.img,rw
refused "a COW file of another base" 1 "belongs to" lodge disk add web other.img,cow=base.cow
refused "no such disk" 1 "web: ubdp: Device doesn't exist" lodge disk remove web ubdp
refused "what is no disk" 1 "vec0: not a disk" lodge disk remove web vec0
refused "an action that is none" 1 "grow: no such action" lodge disk grow web
refused "no action" 1 "no action" lodge disk
refused "no file" 1 "add: no FILE" lodge disk add web
refused "no guest" 1 "ls: no NAME" lodge disk ls
refused "more than there is to say" 1 "one argument too many" lodge disk remove web ubda ubdb
lodge pause web
refused "while it is paused" 1 "is paused" lodge disk add web other.img
lodge resume web
is "and afterwards it is not there" "$(rows web)" "ubda rw plain.img -"
driven_end
check "nothing is locked when it has ended" lodge image cow create plain.cow plain.img
rm plain.cow

# --- over a reboot
image again.img <<'E2'
echo "disks: $(cat /proc/partitions | grep -o 'ubd.*' | tr '\n' ' ')"
while [ ! -e /dev/ubdc ]; do sleep 1; done
while [ -e /dev/ubdb ]; do sleep 1; done
reboot -f
E2
files 1M boot.img
start again --root again.img --disk boot.img --detach >out 2>&1
lodge disk add again other.img >/dev/null
lodge disk remove again ubdb
says() { lodge logs again | tr -d '\r' | grep -c "$1"; }
rebooted() { [ "$(says '^disks: ')" -ge 2 ]; }
check "it reboots" eventually rebooted
is "with what it had then" "$(lodge logs again | tr -d '\r' | grep '^disks: ' | tail -n 1)" "disks: ubda ubdc "
refused "which is locked as before" 125 "in use" start --root other.img
check "what was removed is not" lodge image cow create boot.cow boot.img
lodge kill again
lodge rm again

nothing_left "no process and no file is left"
done_testing
