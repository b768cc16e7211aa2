#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What somebody finds who has taken over a guest's kernel.
# shellcheck disable=SC2016 # what the guest expands
# shellcheck source=full.sh
. "$(dirname "$0")/full.sh"
# shellcheck source=image.sh
. "$top/selftests/full/image.sh"

cp "$top"/build/selftests/full/helper-{breakout,inject} "$dir/"
chmod a+rx "$dir"/helper-*

# breakout ARGUMENTS [OPTION]...: the helper instead of a kernel that runs a command
breakout()
{
	local arguments=$1
	shift
	as_user timeout -s KILL 60 "$dir/lodge" boot -v --append "$tag $arguments" \
		--kernel "$dir/helper-breakout" --rootdir / "$@" -- true </dev/null 2>&1
}

# Sockets of the host: one in a share, one whose name any process of its network could use.
as_user mkdir "$dir/user/share"
as_user touch listen
abstract=lodge-breakout-$$
as_user timeout 120 python3 - "$dir/user/share/socket" "$abstract" >heard <<'E2' &
import os, select, socket, sys
here = socket.socket(socket.AF_UNIX)
here.bind(sys.argv[1])
here.listen()
everywhere = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
everywhere.bind("\0" + sys.argv[2])
print("listening", flush=True)
while os.path.exists("listen"):
    if select.select([here, everywhere], [], [], 0.1)[0]:
        sys.exit("heard")
E2
listener=$!
eventually grep -q listening heard
# Longer than the guest's memory: no file of a guest may be longer than the longest that it has.
truncate -s 400M disk.img
[ "$(id -u)" != 0 ] || chown "$user" disk.img

# --- system calls

breakout "breakout_control=1" --no-seccomp >control
check "without a filter the helper does what it can" grep -qx 'the end' control
is "and no call kills it" "$(grep -c 'Bad system call' control)" 0
breakout "breakout_pid=$$ breakout_bomb=1" --processes 100 >out
check "all attempts are made" grep -qx 'the end' out
is "each call that no guest makes kills who makes it" \
	"$(sed -n 's/^killed \(.*\): Bad system call/\1/p' out)" \
	"$(sed -nE 's/:.*//; s/^(killed|refused|DONE) //p' control)"
start --root disk.img --share share:ro --kernel "$dir/helper-breakout" --append \
	"$tag breakout_pid=$$ breakout_disk=$PWD/disk.img breakout_socket=/host/share/socket breakout_abstract=$abstract" \
	2>&1 | tr -d '\r' >machine
check "a machine's kernel makes them too, at a terminal" grep -qx 'the end' machine
is "all others are refused" "$(grep -c '^refused' machine)" 27
is "none is done" "$(grep '^DONE\|^LOST' machine)" ""
is "its disk has kept its size" "$(stat -c %s disk.img)" $((400 << 20))
rm listen
check "nobody was heard at the host's sockets" wait "$listener"
is "the same without a sandbox: the filter is there" \
	"$(breakout "breakout_control=1" --no-sandbox | grep -c '^killed.*Bad system call')" \
	"$(grep -c '^killed' out)"

# --- what is in the sandbox

is "it sees nothing of the host's files" "$(grep '^SEEN' out)" ""
is "it has no more open than it needs" "$(sed -n 's/^descriptor [0-9]*: //p' out | xargs)" \
	"character device pipe pipe socket socket"
is "its environment says nothing" "$(grep ^environment out | sort | xargs)" \
	"environment PATH=/usr/bin:/bin environment PWD=/"
is "it can fill 1 MiB of the host's memory beside its own" "$(grep ^filled out)" \
	"filled 1024 KiB: ENOSPC"
forked=$(sed -n 's/^forked \([0-9]*\): EAGAIN/\1/p' out)
check "and makes no more processes than it may ($forked of 100 + 64)" [ "${forked:-1000}" -le 164 ]
check "nor far fewer" [ "${forked:-0}" -ge 100 ]

# --- the real kernel

# kernel_of NAME: its process is the child of one that waits for it, whose parent is the sandbox
kernel_of()
{
	local pid exe

	for pid in $(pgrep -f -- "$tag"); do
		exe=$(readlink "/proc/$pid/exe")
		[[ $exe = */linux* ]] || continue
		exe=$(readlink "/proc/$(ps -o ppid= -p "$pid" | xargs)/exe")
		[[ $exe = */linux* ]] || continue
		# The oldest: the guest's processes are its children.
		echo "$pid"
		return
	done
}

boot -n taken -- sh -c 'echo up; read -r _' < <(sleep 30) >taken.out 2>error &
eventually grep -q up taken.out
kernel=$(kernel_of)
is "three filters are on the guest's kernel" \
	"$(awk '/^Seccomp_filters:/ { print $2 }' "/proc/$kernel/status")" 3
is "it cannot become another program" "$("$dir/helper-inject" "$kernel" 59)" EPERM
is "in no way" "$("$dir/helper-inject" "$kernel" 322)" EPERM
is "and goes on" "$(lodge mconsole taken version | cut -c 1-5)" Linux
is "a call that it has no use for is its end" "$("$dir/helper-inject" "$kernel" 250)" \
	"killed: Bad system call"
wait %%
check "which lodge can explain" grep -q "taken: its kernel was killed for a system call.*SIGSYS" error

# The host carries out what the guest's processes call in its vsyscall page, filter and all.
is "a process that calls the vsyscall page does not end the guest" \
	"$(boot -- sh -c 'python3 -c "import ctypes
ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_void_p)(0xffffffffff600400)(None)" 2>/dev/null; echo alive' \
		</dev/null 2>&1)" alive
nothing_left "no process is left"
done_testing
