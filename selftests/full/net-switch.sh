#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Ethernets that guests share: a descriptor, a switch of VDE's, a multicast group, a TAP device.
# shellcheck source=full.sh
. "$(dirname "$0")/full.sh"
cp "$top/selftests/full/helper-net.py" "$dir/"
net="$dir/helper-net.py"

# start NAME OUT OPTION... -- COMMAND...: a guest in the background; its launcher is $job
start()
{
	local name=$1 out=$2
	shift 2
	: >"$out"
	as_user "$dir/lodge" boot --host "$guest_host" --append "$tag" --rootdir / -n "$name" "$@" \
		>"$out" 2>"$out.err" </dev/null &
	job=$!
}

# two NET TEXT: a guest on NET that serves, and one on it that asks
two()
{
	start one out.one --net "$1,address=10.5.0.1/24" -- \
		env PORT=80 python3 "$net" listen 10.5.0.1 "$dir/user/inside"
	is "$2" "$(boot --net "$1,address=10.5.0.2/24" -- python3 "$net" fetch 10.5.0.1 80 </dev/null)" hello
	as_user "$dir/lodge" kill one
	wait "$job" 2>/dev/null
}

# --- a switch
# switch DIR [OPTION]: started
switch()
{
	as_user vde_switch -sock "$PWD/$1" -daemon -pidfile "$PWD/$1.pid" ${2+"$2"} </dev/null >/dev/null 2>&1
	eventually test -S "$1/ctl"
}

switch hub -hub
two vde=hub "two guests at a hub"
kill "$(cat hub.pid)"
switch switch
two "vde=$PWD/switch" "two guests at a switch"
is "their ports are no longer there" "$(find switch /tmp -maxdepth 1 -user "$(as_user id -u)" -name '*.0*-0*' 2>/dev/null)" ""
start one out.one --net "vde=$PWD/switch,address=10.5.0.1/24" -- sh -c 'echo ready; sleep 100'
eventually grep -q ready out.one
# shellcheck disable=SC2046 # a pid
kill -KILL $(pgrep -f -- "$tag" | while read -r pid; do [ "$(cat "/proc/$pid/comm")" != lodge ] || echo "$pid"; done)
wait "$job" 2>/dev/null
nothing_left "the launcher is killed: nothing is left"
is "and no port either" "$(find switch /tmp -maxdepth 1 -user "$(as_user id -u)" -name '*.0*-0*' 2>/dev/null)" ""
start one out.one --net "vde=$PWD/switch,address=10.5.0.1/24" -- sh -c \
	'echo ready; while [ ! -e /stop ]; do sleep 0.1; done'
eventually grep -q ready out.one
kill "$(cat switch.pid)"
eventually test ! -e switch/ctl
check "a switch that ends does not end the guest" [ "$(as_user "$dir/lodge" ls -q)" = one ]
as_user "$dir/lodge" kill one
wait "$job" 2>/dev/null

# --- a group
group=239.255.$((RANDOM % 250 + 1)).$((RANDOM % 250 + 1)):$((RANDOM % 20000 + 30000))
two "mcast=$group,local=127.0.0.1" "two guests in a group"

# --- a descriptor
as_user python3 - "$dir/lodge" "$tag" "$net" >out.fd 2>&1 </dev/null <<'END'
import os, socket, subprocess, sys
lodge, tag, helper = sys.argv[1:]
one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
def boot(end, address, *command):
    return subprocess.Popen(
        [lodge, "boot", "--append", tag, "--rootdir", "/", "--net",
         "fd=%d,address=%s/24" % (end.fileno(), address), "--", *command],
        pass_fds=[end.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
server = boot(one, "10.5.0.1", "env", "PORT=80", "python3", helper, "listen", "10.5.0.1",
              os.getcwd() + "/inside")
client = boot(two, "10.5.0.2", "python3", helper, "fetch", "10.5.0.1", "80")
one.close()
two.close()
print(client.communicate()[0].decode().strip())
server.terminate()
server.wait()
END
is "two guests on a pair of sockets" "$(cat out.fd)" hello
refused "a socket of bytes" 125 "neither a datagram nor a packet socket" as_user python3 -c \
	'import os, socket, sys
a, b = socket.socketpair()
os.set_inheritable(a.fileno(), True)
os.execv(sys.argv[1], [sys.argv[1], "boot", "--append", sys.argv[2], "--rootdir", "/", "--net", "fd=%d" % a.fileno(), "--", "true"])' \
	"$dir/lodge" "$tag"

# --- a device, where a user may have a network of his own
cat >tap.sh <<'END'
ip tuntap add dev lodge0 mode tap && ip addr add 10.5.0.1/24 dev lodge0 && ip link set lodge0 up &&
	ip link set lo up || exit 77
PORT=80 python3 "$3" listen 10.5.0.1 served.tap &
server=$!
"$1" boot --host "$guest_host" --append "$2" --rootdir / --net tap=lodge0,address=10.5.0.2/24 -- \
	python3 "$3" fetch 10.5.0.1 80
"$1" boot --host "$guest_host" --append "$2" --rootdir / --net tap=lo -- true
kill $server
END
# Debian lets everybody open the device; where only root may, the user gets a node of his own.
# shellcheck disable=SC2317 # called by the bash below
lend()
{
	mount --bind "$dir/tun" /dev/net/tun && as_user "$@"
}
tap=(sh ./tap.sh "$dir/lodge" "$tag" "$net")
if in_module; then
	unshare -n "${tap[@]}"
elif tap=(unshare -Urn "${tap[@]}") && [ "$(id -u)" = 0 ] && ! as_user test -w /dev/net/tun; then
	mknod -m 666 "$dir/tun" c 10 200
	export dir user
	export -f lend as_user
	unshare -m bash -c 'lend "$@"' bash "${tap[@]}"
else
	as_user "${tap[@]}"
fi >out.tap 2>err.tap </dev/null
case $? in
77)	result 0 "a TAP device # SKIP no device of the user's own: $(tail -n 1 err.tap)" ;;
*)	is "a TAP device" "$(cat out.tap)" hello
	check "a device that is none" grep -q "but no TAP device" err.tap ;;
esac
nothing_left "no process and no file is left"
done_testing
