#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guests with disks: what they write arrives, and nowhere else.
# shellcheck disable=SC2016,SC2317 # what the guest expands; functions that are commands of others
# shellcheck source=full.sh
. "$(dirname "$0")/full.sh"
# shellcheck source=image.sh
. "$top/selftests/full/image.sh"

# --- a disk of its own
image root.img <<<'echo mark >/mark; echo "on $(uname -s)"'
start --root root.img >out 2>&1
is "a guest starts from its disk and powers off" $? 0
is "what it wrote is on the disk" "$(within root.img mark)" mark
check "its file system is whole" quietly e2fsck -fn root.img
check "its console was shown" grep -q '^on Linux' out

image ro.img <<<'touch /mark || echo refused'
before=$(cksum <ro.img)
start --root ro.img,ro >out 2>&1
is "a read-only disk stays as it is" "$(cksum <ro.img)" "$before"
check "and the guest is told" grep -q refused out

# --- copy on write
image base.img <<<'cat /mark; echo more >>/mark; echo "lines: $(grep -c more /mark)"'
before=$(cksum <base.img)
start --root base.img --cow one.cow >out 2>&1
is "the first boot makes the COW file" $? 0
check "and writes to it" grep -q 'lines: 1' out
start --root base.img --cow one.cow >out 2>&1
check "the second goes on with it, and knows its base" grep -q 'lines: 2' out
start --root base.img --cow two.cow >out 2>&1
check "another one begins anew" grep -q 'lines: 1' out
is "the base stays as it is" "$(cksum <base.img)" "$before"
check "a COW file is sparse" test "$(stat -c %b one.cow)" -lt $(($(stat -c %b base.img) / 2))
lodge image cow merge one.cow merged.img >/dev/null
is "merged, it has both lines" "$(within merged.img mark)" $'more\nmore'

image other.img <<<'echo'
refused "a COW file of another base" 125 "belongs to" start --root other.img --cow one.cow
touch -d yesterday base.img
refused "--cow without its base" 125 "needs --root" start --cow one.cow
refused "a base that was changed" 125 base.img start --root base.img --cow one.cow
rm base.img
refused "a base that is gone" 125 base.img start --root base.img --cow one.cow
check "no COW file is harmed" lodge image cow rebase --force one.cow merged.img

# --- several disks
head -c 1M /dev/zero >b.img
head -c 1M /dev/zero | tr '\0' c >c.img
[ "$(id -u)" != 0 ] || chown "$user" b.img c.img
image three.img <<'E2'
printf data | dd of=/dev/ubdb bs=512 seek=8 conv=fsync 2>/dev/null
head -c 4 /dev/ubdc; echo " was read"
printf data | dd of=/dev/ubdc bs=512 conv=fsync 2>/dev/null || echo "not written"
E2
start --root three.img --disk b.img --disk c.img,ro >out 2>&1
is "what is written to a second disk arrives" "$(tail -c +4097 b.img | head -c 4)" data
check "a third is read" grep -q 'cccc was read' out
check "and not written" grep -q 'not written' out
is "indeed" "$(tr -d c <c.img | wc -c)" 0

# A guest that writes a COW header into its disk must not get another file for it.
lodge image cow create evil.cow /etc/passwd >/dev/null 2>&1 ||
	lodge image cow create evil.cow c.img >/dev/null 2>&1
head -c 65536 evil.cow >evil.img
truncate -s 1M evil.img
[ "$(id -u)" != 0 ] || chown "$user" evil.img
image look.img <<<'head -c 4 /dev/ubdb; echo'
start --root look.img --disk evil.img >out 2>&1
check "an image with a COW header is still an image" grep -q OOOM out
check "which is told" grep -q "evil.img: is a COW file, but used as a plain disk" out

# --- discard
image trim.img 64 <<'E2'
mount -o remount,discard /
dd if=/dev/zero of=/big bs=1M count=32 2>/dev/null; sync
echo big
rm /big; sync; mount -o remount,ro /
E2
start --root trim.img >out 2>&1
check "what the guest frees is a hole" test "$(stat -c %b trim.img)" -lt $((20 * 2048))
check "it was there" grep -q big out

# --- the end comes at any moment
image busy.img 32 <<'E2'
i=0
while :; do i=$((i + 1)); echo $i >/count; dd if=/dev/zero of=/f$((i % 7)) bs=64k count=9 2>/dev/null
[ $((i % 3)) = 0 ] && sync; done
E2
for i in 1 2 3; do
	start --name busy --root busy.img --cow busy.cow >out 2>&1 &
	eventually lodge mconsole busy version >/dev/null 2>&1
	eventually test -s busy.cow
	sleep "0.$((i * 2))"
	lodge kill busy
	wait
	lodge image cow merge busy.cow busy$i.img >/dev/null &&
		e2fsck -fy busy$i.img >/dev/null 2>&1
	[ $? -le 1 ] && e2fsck -fn busy$i.img >/dev/null 2>&1
	is "killed while it writes: the COW file is whole, round $i" $? 0
done

# --- an init of the user's own
start --root three.img -- /bin/sh -c 'echo $#: $0 $1; poweroff -f' one 'two  words' >out 2>&1
check "init and its arguments are the user's" grep -q '^1: one two words' out

# --- refusals
refused "a disk that is not there" 125 "--root: nothing.img: No such file" start --root nothing.img
refused "a directory" 125 "neither a file nor a block device" start --root /,ro
: >empty.img
refused "an empty file" 125 "is empty" start --root empty.img,ro
image busy2.img <<<'echo mounted; while :; do sleep 1; done'
start two --root busy2.img --detach >out
mounted() { lodge logs two | grep -q mounted; }
eventually mounted
refused "a disk that another guest has" 125 "is in use by another guest" start --root busy2.img
lodge kill two && lodge rm two
refused "an unknown option of a disk" 125 "rw: not an option of a disk" start --root three.img,rw
refused "one file as two disks" 125 "another disk of this guest already" \
	start --root three.img --disk three.img
refused "--root and --rootdir" 125 "exclude each other" start --root three.img --rootdir /
is "--detach and --rootdir" "$(start command --rootdir / --detach sh -c 'echo said; echo here >&2')" command
ended() { ! lodge ls -q 2>/dev/null | grep -qx command; }
eventually ended
is "what its command has said is in its log" "$(lodge logs command | sort | xargs)" "here said"
lodge rm command
refused "a command that is not there, in the background" 127 "nosuch: command not found" \
	start command --rootdir / --detach nosuch
lodge rm command
refused "a read-only disk with a COW file" 125 "takes no COW file" \
	start --root three.img,ro --cow x.cow
check "and no COW file is left" test ! -e x.cow
refused "neither" 125 "is needed" start -m 64M
# In the host's kernel it says how: panicked.
refused "an init that is not there" 125 "its kernel has " \
	start --root three.img -- /no/init
nothing_left "no process is left"
done_testing
