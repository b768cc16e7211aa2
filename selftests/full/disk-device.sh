#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A block device of the host as a disk: in the test machine, which has one to spare.
top=$(cd "$(dirname "$0")/../.." && pwd)
[ "${1:-}" = inside ] || exec "$top/selftests/qemu/run-vm" --no-module --disk 0 --raw 64M \
	--log "$top/build/vm/full-device.log" -- "$0" inside
# shellcheck source=full.sh
. "$top/selftests/full/full.sh"
# shellcheck source=image.sh
. "$top/selftests/full/image.sh"
# shellcheck source=driven.sh
. "$top/selftests/full/driven.sh"

chown "$user" /dev/vda
is "a device as the disk of a guest, which makes a file system" "$(start --rootdir / --disk /dev/vda -- sh -c '
	cat /sys/block/ubda/size; mke2fs -q -t ext4 /dev/ubda && mount /dev/ubda /mnt && echo here >/mnt/f && umount /mnt' 2>&1)" \
	131072
check "the file system is on the device" quietly e2fsck -fn /dev/vda
is "with what was written" "$(within /dev/vda f)" here

driven web
is "added to one that runs" "$(lodge disk add web /dev/vda)" ubda
is "it is there" "$(tell 'mount /dev/ubda /mnt && cat /mnt/f && fstrim /mnt && echo trimmed')" $'here\ntrimmed'
refused "and nobody else's" 1 "in use" lodge disk add web /dev/vda
lodge backup web copy >/dev/null
check "its backup is a whole file system" quietly e2fsck -fn copy/ubda.img
is "of the same size" "$(stat -c %s copy/ubda.img)" $((64 << 20))
tell 'umount /mnt' >/dev/null
lodge disk remove web ubda
before=$(cksum </dev/vda)
is "with a COW file" "$(lodge disk add web /dev/vda,cow=device.cow)" ubda
is "it can be written to" "$(tell 'mount /dev/ubda /mnt && echo more >/mnt/g && umount /mnt && echo written')" written
lodge disk remove web ubda
is "and the device stays as it was" "$(cksum </dev/vda)" "$before"
lodge image cow merge device.cow merged.img
is "the COW file has what is new" "$(within merged.img g)" more
is "to read only" "$(lodge disk add web /dev/vda,ro)" ubda
is "it is not written to" "$(tell 'mount -o ro /dev/ubda /mnt && cat /mnt/f; echo x 2>/dev/null >/mnt/f || echo refused')" \
	$'here\nrefused'
driven_end
nothing_left "no process and no file is left"
done_testing
