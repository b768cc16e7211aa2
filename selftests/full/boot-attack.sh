#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What a guest's root does to its sandbox, to the launcher, and through it to the host.
# shellcheck disable=SC2016 # what the guest expands
# shellcheck source=full.sh
. "$(dirname "$0")/full.sh"
# shellcheck source=image.sh
. "$top/selftests/full/image.sh"

# hostfs follows "..": the root of the sandbox is the guest's to see, and its own directory to write to.
as_user mkdir "$dir/user/victim"
as_user touch "$dir/user/victim/pid" "$dir/user/victim/mconsole"
boot -n mess -- sh -c 'mount -t hostfs -o ../uml none /mnt && echo x >/mnt/junk && mkdir -p /mnt/a/b &&
	chmod 0 /mnt/a && rm -r /mnt/k && ln -s "$1/victim" /mnt/k && echo made' sh "$dir/user" </dev/null >out 2>&1
check "the guest makes a mess of its directory" grep -q made out
is "what its links lead to stays" "$(find victim | sort | xargs)" "victim victim/mconsole victim/pid"
nothing_left "and nothing of it is left"
is "its name is free again" "$(boot -n mess -- echo again </dev/null 2>&1)" again

# What the sandbox has of memory is the host's: it is bounded, and nothing but the kernel's directory.
out=$(boot -n fill -- sh -c 'mount -t hostfs -o .. none /mnt; dd if=/dev/zero of=/mnt/filler bs=1M count=64
	mkdir /mnt/directory; mount -t hostfs -o ../uml none /mnt; dd if=/dev/zero of=/mnt/filler bs=64k count=1024
	ls -l /mnt/filler; echo alive' </dev/null 2>&1)
is "the sandbox's root takes no file" "$(grep -c "dd: failed to open.*Read-only" <<<"$out")" 1
is "nor a directory" "$(grep -c "mkdir: cannot create.*Read-only" <<<"$out")" 1
check "a directory of 1 MiB has room for no more" grep -q "No space left" <<<"$out"
check "and the guest lives on" grep -qx alive <<<"$out"

# The COW file is the guest's, too, header and all.
image base.img <<'E2'
mkdir /m
mount -t hostfs -o "../$(cat /proc/cmdline | /bin/busybox sed 's/.*lodge_at=\([^ ]*\).*/\1/')" none /m
printf '%s\0lodge: merging' "$(/bin/busybox sed 's/.*lodge_at=\([^ ]*\).*/\1/' /proc/cmdline)/host.img" |
	dd of=/m/one.cow bs=1 seek=32 conv=notrunc 2>/dev/null && echo forged
E2
head -c 16M /dev/urandom >host.img
[ "$(id -u)" != 0 ] || chown "$user" host.img
before=$(cksum <host.img)
as_user timeout -s KILL 60 "$dir/lodge" boot --host "$guest_host" --append "$tag lodge_at=$dir/user" --root base.img \
	--cow one.cow </dev/null >out 2>&1
check "the guest forges the header of its COW file" grep -q forged out
refused "its base is not what the header says" 1 "belongs to" \
	lodge image cow merge --into-backing one.cow base.img
refused "nor does it start again" 125 "" start --root base.img --cow one.cow
image grow.img 300 <<'E2'
mkdir /m
mount -t hostfs -o "../$(cat /proc/cmdline | /bin/busybox sed 's/.*lodge_at=\([^ ]*\).*/\1/')" none /m
dd if=/dev/zero of=/m/grow.cow bs=1M seek=400 count=8 conv=notrunc 2>&1
dd if=/dev/zero of=/m/grow.img bs=1M seek=400 count=8 conv=notrunc 2>&1
echo "tried"
E2
as_user timeout -s KILL 60 "$dir/lodge" boot --host "$guest_host" --append "$tag lodge_at=$dir/user" --root grow.img \
	--cow grow.cow </dev/null >out 2>&1
check "the guest writes behind the end of its disk" grep -q tried out
# Nothing holds a kernel that is in the host's.
if ! in_module; then
	check "which is an error there" grep -q 'File too large' out
	check "the COW file is no longer than before" \
		[ "$(stat -c %s grow.cow)" -lt $((302 << 20)) ]
fi
is "and the image as long" "$(stat -c %s grow.img)" $((300 << 20))

is "the file that it named stays" "$(cksum <host.img)" "$before"

# What the caller has open is not for the guest.
mkfifo held
boot -n open -- sh -c 'echo up; read -r _' 9<host.img <held >out.open &
exec 8>held
eventually grep -qx up out.open
found=0 seen=0
for pid in $(left_over); do
	[ "$(readlink "/proc/$pid/exe")" != "$dir/lodge" ] || continue
	case $(readlink "/proc/$pid/exe") in */linux|*/enter) ;; *) continue ;; esac
	seen=1
	for fd in /proc/"$pid"/fd/*; do
		[ "$(readlink "$fd")" != "$dir/user/host.img" ] || found=1
	done
done
exec 8>&-
wait
is "a file that was open when lodge was called is not open in the guest" "$seen $found" "1 0"

# Escape sequences are not for the user's terminal.
boot -n shout -- sh -c 'printf "\033]0;pwn\007" >/proc/sys/kernel/hostname; echo up; read -r _' \
	<held >out.shout &
exec 8>held
eventually grep -qx up out.shout
said=$(lodge mconsole shout proc sys/kernel/hostname)
check "the management console tells of a name with one" [ "${said/pwn/}" != "$said" ]
is "and passes none on" "$(tr -d ' -~\n' <<<"$said")" ""
exec 8>&-
wait

# Words that only lodge's own tools say.
out=$(boot -- sh -c 'echo "bwrap: hello" >/dev/kmsg; echo c >/proc/sysrq-trigger' </dev/null 2>&1)
is "a guest cannot speak for the sandbox" "$(grep -c 'could not be made' <<<"$out")" 0
shares=()
for i in $(seq 16); do as_user mkdir "$dir/user/s$i"; shares+=(--share "s$i"); done
is "all the shares that there may be" \
	"$(boot "${shares[@]}" -- sh -c 'grep -c "/s[0-9]* hostfs " /proc/mounts' </dev/null)" 16
as_user mkdir "$dir/user/s1/in"
is "a share within another is itself" \
	"$(boot --share s1/in --share s1:ro -- sh -c "echo x >$dir/user/s1/in/x && echo good" </dev/null)" good
refused "logs: a name that is a path" 1 "begins with '.'" lodge logs ..

if ! in_module; then
	# A kernel that asks for disks and networks which nobody has given it.
	cp "$top/build/selftests/full/helper-asks" "$dir/"
	out=$(start --rootdir / --disk host.img --net user --kernel "$dir/helper-asks" -- true 2>&1)
	is "a kernel gets what the user has given it" "$(grep -c "asked: '\(ubd0\|vec0\)' 1" <<<"$out")" 3
	is "and nothing else" "$(grep '^asked: .* ' <<<"$out" | grep -v "'\(ubd0\|vec0\)' 1\$" | grep -v ' 0$')" ""
	check "whatever and however much it asks" grep -q 'asked: enough' <<<"$out"
fi
nothing_left "no process is left"
done_testing
