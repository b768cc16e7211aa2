#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Shares: a guest uses a directory of the host, and gets no further.
# shellcheck disable=SC2016 # what the guest expands
# shellcheck source=full.sh
. "$(dirname "$0")/full.sh"
# shellcheck source=image.sh
. "$top/selftests/full/image.sh"

as_user mkdir "$dir/user/in" "$dir/user/out" "$dir/user/beside"
echo given | as_user tee in/file >/dev/null
echo hidden >beside/secret
ln -s "$dir/user/beside/secret" out/absolute
ln -s ../beside/secret out/relative
chmod -R a+rX .

is "a command finds the share at its own path" \
	"$(boot --share in:ro -- cat "$dir/user/in/file" </dev/null)" given
boot --share out -- sh -c "echo made >$dir/user/out/made && rm -f $dir/user/out/none" </dev/null
is "what it writes there is on the host" "$(cat out/made)" made
is "and belongs to the caller" "$(stat -c %u out/made)" "$(as_user id -u)"
boot --share in:ro -- sh -c "echo more >>$dir/user/in/file" </dev/null >log 2>&1
check "a read-only share takes nothing" grep -qi 'read-only' log
is "and stays as it is" "$(cat in/file)" given
boot --share out -- sh -c "echo no >$dir/user/in/other" </dev/null
check "what is beside a share stays the guest's" test ! -e in/other

# The guest's root tries whatever hostfs lets it; nothing beside the shares is in its sandbox.
image attack.img <<'E2'
mkdir /mnt /b
mount -t hostfs -o out none /mnt && echo mounted
cat /mnt/made
for link in absolute relative; do cat /mnt/$link 2>&1; done
for path in ../beside out/../../beside ../../../../../../../../../../etc .. / ../..; do
	mount -t hostfs -o $path none /b 2>/dev/null || continue
	cat /b/secret /b/passwd /b/etc/passwd 2>/dev/null
	umount /b
done
mount -t hostfs -o in none /b && echo x >/b/file
i=0
while [ $((i += 1)) -lt 100 ]; do
	rm -rf /mnt/race; mkdir /mnt/race
	{ rm -rf /mnt/race; ln -s ../../beside /mnt/race; } &
	cat /mnt/race/secret 2>/dev/null
	wait
done
rm -rf /mnt/race
echo "done"
E2
start --root attack.img --share out --share in:ro >log 2>&1
check "a machine mounts a share by its name" grep -q '^mounted' log
check "and reads it" grep -q '^made' log
check "all attacks were made" grep -q '^done' log
is "none found what is beside the share" "$(grep -c 'hidden\|root:x' log)" 0
is "none changed what is read-only" "$(cat in/file)" given

# Somebody on the host changes directories into links and back while the guest uses them.
as_user mkdir -p turning/place turning/link
as_user sh -c 'echo inside >turning/place/secret; cd turning; rmdir link; ln -s "$1" link' sh "$dir/user/beside"
as_user touch turning/going
as_user timeout 100 python3 - turning/place turning/link <<'E2' &
import ctypes, os, sys, time
libc = ctypes.CDLL(None)
paths = [os.fsencode(path) for path in sys.argv[1:]]
n = 0
while os.path.exists("turning/going"):
    # Now and then it stays as it is for so long that the guest gets through: each way in turn.
    n += 1
    if n % 51 == 0:
        time.sleep(0.02)
    # RENAME_EXCHANGE
    if libc.syscall(316, -100, paths[0], -100, paths[1], 2):
        sys.exit("renameat2")
E2
swapper=$!
image swap.img <<'E2'
mkdir /mnt /other
mount -t hostfs -o turning none /mnt
mount -t hostfs -o turning none /other
i=0 in=
while [ $((i += 1)) -lt 100 ] || { [ -z "$in" ] && [ $i -lt 2000 ]; }; do
	out=$(cat /mnt/place/secret /other/place/secret /other/link/secret 2>&1)
	echo "$out"
	case $out in *inside*|*over*) in=yes ;; esac
	echo over >/mnt/place/secret
	echo new >/other/place/made$i
	# With a question it would wait: the file may be another one when it looks.
	rm -f /other/place/made$i
done 2>&1
mount -t hostfs -o turning/place none /tmp && cat /tmp/secret 2>&1
mount -t hostfs -o turning/link none /tmp && cat /tmp/secret 2>&1
echo "done"
E2
start --root swap.img --share turning >log 2>&1
as_user rm turning/going
check "the host's side of the race went on" wait "$swapper"
check "and so did the guest's" grep -q '^done' log
check "which saw both" grep -q 'No such file\|nonexistent\|loop' log
check "and got through at times" grep -q 'inside\|over' log
is "it never found what is beside the share" "$(grep -c hidden log)" 0
is "nor changed it" "$(cat beside/secret; ls beside)" "$(printf 'hidden\nsecret')"

refused "a share that is not there" 125 "--share: nowhere: No such file" \
	boot --share nowhere -- true
refused "a file as a share" 125 "not a directory" boot --share in/file -- true
refused "two shares of one name" 125 "there is a share called in already" \
	boot --share in:ro --share "$dir/user/in:ro" -- true
refused "the root as a share" 125 "has no name" boot --share /:ro -- true
refused "a share without a sandbox" 125 "needs the sandbox" \
	boot --no-sandbox --share in:ro -- true
[ "$user" = 0 ] ||
	refused "a share that the caller cannot write to" 125 "you cannot write to it" \
		boot --share /etc -- true
nothing_left "no process is left"
done_testing
