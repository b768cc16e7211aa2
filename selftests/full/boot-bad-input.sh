#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What is not as it should be: a clear error each time, and nothing left behind.
# shellcheck disable=SC2016 # what another shell expands
# shellcheck source=full.sh
. "$(dirname "$0")/full.sh"
# shellcheck source=image.sh
. "$top/selftests/full/image.sh"

# What there is that a guest could leave: processes, sockets, files, mounts.
state()
{
	left_over
	find "$dir" ! -path "$dir/user/run/lodge*" ! -name out | sort
	find "$dir/user/run/lodge" -mindepth 1 2>/dev/null
	grep -c "$dir" /proc/net/unix
	grep -c "$dir" /proc/mounts
}

# bad TEXT STATUS WORDS COMMAND...: refused, and everything is as before
bad()
{
	local before

	before=$(state)
	refused "$@"
	is "  and nothing is left of it" "$(eventually same "$before" || state)" ""
}
# shellcheck disable=SC2317 # called by eventually
same() { [ "$(state)" = "$1" ]; }

# in_namespace SCRIPT ARGUMENT...: where this user is root, of nothing but a mount namespace
in_namespace()
{
	as_user env TAG="$tag" LODGE="$dir/lodge" timeout -s KILL 60 unshare -Urm sh -c "$@" </dev/null
}

image good.img <<<'echo up'
dies="its kernel has failed"
! in_module || dies="its kernel has panicked: VFS: Unable to mount root fs"

# --- images

as_user sh -c 'head -c 1M /dev/urandom >noise.img; echo text >text.img; truncate -s 16M zero.img'
as_user sh -c 'head -c 6M good.img >short.img; : >empty.img; mkfifo fifo.img; ln -s nowhere link.img'
bad "noise as an image" 125 "$dies" start --root noise.img
check "  the kernel says what it could not mount" \
	grep -q 'Unable to mount root fs' <(start --root noise.img 2>&1)
bad "nothing but zeros" 125 "$dies" start --root zero.img
bad "less than a sector" 125 "--root: $PWD/text.img: is empty: a disk has 512 bytes at least" \
	start --root text.img
bad "an empty file" 125 "--root: $PWD/empty.img: is empty" start --root empty.img
bad "an image that was cut off" 125 "$dies" start --root short.img
bad "a pipe" 125 "--root: $PWD/fifo.img: neither a file nor a block device" start --root fifo.img,ro
bad "a link that leads nowhere" 125 "--root: link.img: No such file" start --root link.img
as_user sh -c 'cp good.img closed.img; chmod 0 closed.img'
if ! in_module; then
	bad "one that the user may not read" 125 "closed.img: Permission denied" start --root closed.img,ro
	bad "one that the user may only read" 125 "/etc/passwd: Permission denied" \
		start --root /etc/passwd
fi

# --- copy on write

lodge image cow create whole.cow good.img
as_user sh -c 'head -c 20 whole.cow >stub.cow; head -c 1M whole.cow >half.cow; echo x >text.cow
	cp whole.cow version.cow; printf "\\0\\0\\0\\11" | dd of=version.cow bs=1 seek=4 conv=notrunc 2>/dev/null'
bad "a COW file cut off in its header" 125 "stub.cow: is empty" start --root good.img --cow stub.cow
as_user truncate -s 600 stub.cow
bad "one that ends within it" 125 "stub.cow: truncated: ends within its header" \
	start --root good.img --cow stub.cow
bad "one that is half there" 125 "half.cow: truncated: has 1048576 bytes of " \
	start --root good.img --cow half.cow
bad "one of another version" 125 "version.cow: a COW file of an unknown version" \
	start --root good.img --cow version.cow
bad "an image in its place" 125 "zero.img: not a COW file" start --root good.img --cow zero.img
bad "a directory that is not there" 125 "nosuch/new.cow: No such file" \
	start --root good.img --cow nosuch/new.cow

# --- names, kernels, sizes

bad "a name with a slash" 125 "a/b: name: has a slash" start a/b --root good.img
bad "a name that is a path" 125 "..: name: begins with '.'" start .. --root good.img
bad "an empty name" 125 "name cannot be empty" boot --name '' -- true
bad "no kernel" 125 "nosuch: No such file" start --root good.img --kernel nosuch
bad "a directory as a kernel" 125 "/usr: not a file" start --root good.img --kernel /usr
if in_module; then
	bad "a kernel that is a script" 125 "/usr/bin/ldd: not a guest kernel for --host=module" \
		start --root good.img --kernel /usr/bin/ldd
else
	bad "a kernel that is a script" 125 "its kernel has failed" \
		start --root good.img --kernel /usr/bin/ldd
	bad "a kernel that cannot be executed" 125 "Permission denied" \
		start --root good.img --kernel good.img
fi
bad "no number of processes" 125 "--processes: many: not a number" boot --processes many -- true
bad "too few" 125 "--processes: 3: must be from 64 to 4000000" boot --processes 3 -- true
bad "fewer than none" 125 "--processes: -100: not a number" boot --processes -100 -- true
bad "more than there can be" 125 "must be from" boot --processes 99999999999999999999 -- true
bad "a priority that takes from others" 125 "--nice: -1: not a number" boot --nice -1 -- true
bad "one that there is not" 125 "--nice: 20: must be from 0 to 19" boot --nice 20 -- true

# --- networks

as_user timeout 60 python3 -c 'import socket, time
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
time.sleep(60)' >port &
listener=$!
eventually test -s port
bad "a port in use" 125 "--publish 127.0.0.1:$(cat port):80: Address already in use" \
	boot --net user -p "127.0.0.1:$(cat port):80" -- true
kill "$listener"
bad "no /dev/net/tun" 125 "/dev/net/tun: No such file" in_namespace \
	'mount -t tmpfs none /dev/net 2>/dev/null || { mount -t tmpfs none /dev; : >/dev/null; }
	exec "$LODGE" boot --append "$TAG" --rootdir / --net tap=lodge0 -- true'
bad "a network that there is not" 125 "no network is called 'bridge'" boot --net bridge -- true

# --- the host, where somebody may make namespaces who is not its root

if in_module; then
	nothing_left "no process is left"
	done_testing
fi
# Where root may make one namespace, and nobody in it another.
forbidden='echo 1 >/proc/sys/user/max_user_namespaces; exec unshare -U --map-user=1000'
boot_there='"$LODGE" boot --append "$TAG" --rootdir /'
bad "no user namespaces" 125 "the sandbox could not be made (bwrap: " \
	in_namespace "$forbidden $boot_there -- true"
bad "  with advice" 125 "install bubblewrap, allow user namespaces, or take --no-sandbox" \
	in_namespace "$forbidden $boot_there -- true"
bad "  for root, too" 125 "the sandbox could not be made (bwrap: " \
	in_namespace "echo 0 >/proc/sys/user/max_user_namespaces; $boot_there -- true"
is "  which is good" "$(in_namespace "$forbidden $boot_there --no-sandbox -- echo up")" up
bad "no room for the guest's directory" 125 "No space left on device" in_namespace \
	'mkdir full; mount -t tmpfs -o size=4k,nr_inodes=2 none full
	XDG_RUNTIME_DIR=$PWD/full "$LODGE" boot --append "$TAG" --rootdir / -- true; s=$?
	umount full; rmdir full; exit $s'
bad "no room for a COW file" 125 "new.cow: No space left on device" in_namespace \
	'mkdir full; mount -t tmpfs -o size=64k none full; head -c 64k /dev/zero >full/filler
	cd full; "$LODGE" boot --append "$TAG" --root ../good.img --cow new.cow; s=$?
	ls | grep -vx filler; cd ..; umount full; rmdir full; exit $s'
image writer.img 16 <<'E2'
head -c 4000000 /dev/zero >/file && sync
echo "written: $?"
E2
out=$(in_namespace 'mkdir full; mount -t tmpfs -o size=512k none full
	"$LODGE" boot --append "$TAG" --root writer.img --cow full/new.cow 2>&1; echo "status $?"
	umount full; rmdir full')
check "a disk of the host that fills up is an I/O error in the guest" grep -q 'I/O error' <<<"$out"
check "which lives until it has powered off" grep -q 'written:' <<<"$out"
is "  and nothing is left of it" "$(left_over)" ""
bad "a runtime directory of somebody else's" 125 "not a directory that only you can write to" \
	in_namespace 'mkdir -m 777 open open/lodge; chmod 777 open/lodge
	XDG_RUNTIME_DIR=$PWD/open "$LODGE" boot --append "$TAG" --rootdir / -- true; s=$?
	rm -r open; exit $s'
nothing_left "no process is left"
done_testing
