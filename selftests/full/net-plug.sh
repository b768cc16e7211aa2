#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Networks that come and go while a guest runs.
# shellcheck disable=SC2016,SC2317 # what the guest expands; functions that are commands of others
# shellcheck source=full.sh
. "$(dirname "$0")/full.sh"
# shellcheck source=image.sh
. "$top/selftests/full/image.sh"
# shellcheck source=driven.sh
. "$top/selftests/full/driven.sh"
cp "$top/selftests/full/helper-net.py" "$dir/"
net="$dir/helper-net.py"

up() { tell "ip addr add $2 dev $1; ip link set $1 up; ip route replace default via 10.0.2.2 2>&1 | head -n 1"; }
rows() { lodge net ls "$1" | awk 'NR > 1 { print $1, $3, $4 }'; }
named() { for pid in $(left_over); do [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != "$1" ] || echo "$pid"; done; }
servers() { named lodge-net | wc -l; }

as_user python3 "$net" listen 127.0.0.1 served >/dev/null 2>&1 &
eventually test -s served
read -r here server <served
there=$(python3 "$net" free)

driven web
is "a guest without networks has none" "$(rows web)" ""
is "the first is vec0" "$(lodge net add -p "$there:80" web user,host-loopback)" vec0
first=$(tell 'cat /sys/class/net/vec0/address')
up vec0 10.0.2.15/24 >/dev/null
is "it leads out" "$(tell "python3 $net fetch 10.0.2.2 $here")" hello
tell "PORT=80 python3 $net listen 0.0.0.0 /tmp/served >/dev/null 2>&1 &" >/dev/null
is "and in, at the port that is published" "$(python3 "$net" fetch 127.0.0.1 "$there")" hello
is "another one" "$(lodge net add web user,net=10.0.9.0/24,mtu=9000,mac=02:00:00:00:00:05)" vec1
is "as it was asked for" "$(tell 'cat /sys/class/net/vec1/address /sys/class/net/vec1/mtu' | xargs)" \
	"02:00:00:00:00:05 9000"
is "what it has" "$(rows web)" "vec0 1500 user,host-loopback
vec1 9000 user,net=10.0.9.0/24,mtu=9000,mac=02:00:00:00:00:05"
is "as JSON" "$(lodge net ls --json web | python3 -c 'import json, sys
print(*[(n["name"], n["mac"], n["mtu"]) for n in json.load(sys.stdin)][1:])')" \
	"('vec1', '02:00:00:00:00:05', 9000)"
refused "an address that is taken" 1 "has this MAC address" \
	lodge net add web user,net=10.0.8.0/24,mac=02:00:00:00:00:05
refused "a port that is taken" 1 "--publish $there:81: Address already in use" \
	lodge net add -p "$there:81" web user
is "each has a process that serves it, and no more are left" "$(servers)" 2

# --- out again
lodge net remove web vec0
is "one that is up can be pulled out" "$? $(tell 'ls /sys/class/net' | xargs)" "0 dummy0 lo vec1"
is "with what served it" "$(servers)" 1
is "and its port" "$(ss -Hltn "sport = :$there")" ""
is "the lowest number is free again" "$(lodge net add web user,host-loopback)" vec0
is "and has the address that follows from name and number" "$(tell 'cat /sys/class/net/vec0/address')" "$first"
up vec0 10.0.2.15/24 >/dev/null
is "it leads out, too" "$(tell "python3 $net fetch 10.0.2.2 $here")" hello
kill -KILL "$(named lodge-net | tail -n 1)"
eventually grep -q 'has no network any more' "$dir/err"
is "one whose server was killed: lodge says so" "$?" 0
lodge net remove web vec0
is "and it can be removed" "$? $(tell 'ls /sys/class/net' | xargs)" "0 dummy0 lo vec1"
lodge net remove web vec1
is "a guest without networks again" "$(rows web)$(servers)" 0

# --- a descriptor of the caller's
as_user python3 - "$dir/lodge" >fd.out <<'END' &
import socket, subprocess, sys
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
subprocess.run([sys.argv[1], "net", "add", "web", "fd=%d" % theirs.fileno()],
               pass_fds=[theirs.fileno()])
theirs.close()
sys.stdout.flush()
ours.settimeout(50)
print("a frame" if len(ours.recv(2000)) >= 14 else "?")
END
fd=$!
passed() { grep -q vec0 fd.out; }
check "a descriptor that the caller passes on" eventually passed
tell 'ip link set vec0 up' >/dev/null
wait "$fd"
is "leads to the other end" "$(xargs <fd.out)" "vec0 a frame"
lodge net remove web vec0

# --- refusals
refused "no such network" 1 "usr: no network is called 'usr'" lodge net add web usr
refused "none is none" 1 "none: is no network" lodge net add web none
refused "no such device" 1 "tap=lodgenone0: " lodge net add web tap=lodgenone0
refused "no such switch" 1 "no switch there" lodge net add web vde=nosuch
refused "a descriptor that is not open" 1 "fd=77: descriptor 77: Bad file descriptor" lodge net add web fd=77
refused "an address that nobody would set" 1 "one that runs gives itself its own" \
	lodge net add web mcast=239.0.0.1:5000,address=10.0.0.1/24
refused "a port for what is not NAT" 1 "is for the network 'user'" \
	lodge net add -p 1234:80 web mcast=239.0.0.1:5000
refused "no such guest" 1 "did you mean 'web'" lodge net add wob user
refused "no such interface" 1 "web: vec7: Device doesn't exist" lodge net remove web vec7
refused "what is no interface" 1 "ubda: not an interface" lodge net remove web ubda
refused "what was not offered" 1 "The host has no network for it" \
	lodge mconsole web config vec3:transport=host
lodge pause web
refused "while it is paused" 1 "is paused" lodge net add web user
lodge resume web
driven_end

# --- over a reboot
image again.img <<'E2'
mount -t sysfs sys /sys
echo "networks: $(ls /sys/class/net | tr '\n' ' ')"
while [ ! -e /sys/class/net/vec1 ]; do sleep 1; done
while [ -e /sys/class/net/vec0 ]; do sleep 1; done
[ -e /rebooted ] && { cat /sys/class/net/vec1/address; sleep 1000; }
touch /rebooted; sync
reboot -f
E2
start again --root again.img --net user --detach >out 2>&1
mac=02:00:00:00:00:07
lodge net add again user,mac=$mac >/dev/null
lodge net remove again vec0
says() { lodge logs again | tr -d '\r' | grep "$1"; }
check "it reboots" eventually quietly says "^$mac"
is "with the network that it had then" "$(says '^networks: ' | tail -n 1)" "networks: dummy0 lo vec1 "
lodge kill again
lodge rm again
kill "$server"
nothing_left "no process and no file is left"
done_testing
