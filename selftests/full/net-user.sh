#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# NAT without privileges: out, in through published ports, and what stays closed.
# shellcheck source=full.sh
. "$(dirname "$0")/full.sh"
cp "$top/selftests/full/helper-net.py" "$dir/"
net="$dir/helper-net.py"
servers=

# serve ADDRESS FILE: a server on this machine; $port is its port
serve()
{
	local pid

	as_user python3 "$net" listen "$1" "$2" >/dev/null 2>&1 &
	eventually test -s "$2" && read -r port pid <"$2"
	servers+=" $pid"
}

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

# The processes of this test that are called $1.
named() { for pid in $(left_over); do [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != "$1" ] || echo "$pid"; done; }
mac() { boot "$@" -- cat /sys/class/net/vec0/address </dev/null; }

# --- out
serve 127.0.0.1 served
here=$port
is "on the host: the server answers" "$(python3 "$net" fetch 127.0.0.1 "$here")" hello
is "no network unless asked for" "$(boot -- ls /sys/class/net </dev/null | grep -c vec)" 0
is "none is none" "$(boot --net none -- ls /sys/class/net </dev/null | grep -c vec)" 0
# shellcheck disable=SC2016 # for the guest's shell
boot -n one --net user -- sh -c 'ip -o -4 addr show vec0; ip route show default; cat /etc/resolv.conf
	cat /sys/class/net/vec0/address >&2
	for i in $(seq 200); do ip -o -6 addr show vec0 | grep -o fec0: && break; sleep 0.1; done' \
	</dev/null >plain 2>first
is "an address, a way out and a name server are there at once" \
	"$(head -n 3 plain | sed 's/ brd.*//' | xargs)" \
	"3: vec0 inet 10.0.2.15/24 default via 10.0.2.2 dev vec0 nameserver 10.0.2.3"
is "and an IPv6 address comes by itself" "$(tail -n 1 plain)" fec0:
boot --net user,mtu=9000,host-loopback,mac=02:00:00:12:34:56 --net user,net=192.168.77.0/24 -- \
	sh -c "python3 $net fetch 10.0.2.2 $here; ip -o -4 addr show
		cat /sys/class/net/vec0/mtu /sys/class/net/vec0/address
		ip link set vec0 down; ip link set vec0 up; ip route replace default via 10.0.2.2 dev vec0
		python3 $net fetch 10.0.2.2 $here
		ip route replace default via 192.168.77.2 dev vec1; ip route show default" </dev/null >two
is "with host-loopback the host's server can be reached" "$(head -n 1 two)" hello
is "two interfaces, two networks, one of them another" \
	"$(awk '/inet .*vec/ { print $2, $4 }' two | xargs)" "vec0 10.0.2.15/24 vec1 192.168.77.15/24"
check "a packet may be longer" grep -qx 9000 two
check "and the address a given one" grep -qx 02:00:00:12:34:56 two
is "an interface can go down and come up again" "$(tail -n 2 two | head -n 1)" hello
check "and the other network has a way out" grep -q 'default via 192.168.77.2 dev vec1' two

# --- what stays closed
lines() { wc -l <served; }
before=$(lines)
boot --net user -- sh -c "python3 $net connect 10.0.2.2 $here; python3 $net connect fec0::2 $here
	python3 $net sneak $here; python3 $net connect 10.0.2.2 $here" </dev/null >closed
check "the host's loop-back is closed" grep -q ^no: <<<"$(sed -n 1p closed)"
check "under its IPv6 name, too" grep -q ^no: <<<"$(sed -n 2p closed)"
is "nor do frames that are addressed to 127.0.0.1 get there" "$(lines)" "$before"
boot --net user,host-loopback -- \
	sh -c "python3 $net sneak $here; python3 $net fetch 10.0.2.2 $here" </dev/null >/dev/null
check "which they do if they may, so that was tested" [ "$(lines)" -gt $((before + 1)) ]

# --- in
there=$(python3 "$net" free)
start web out.web --publish "$there:80" -- env PORT=80 python3 "$net" listen 0.0.0.0 "$dir/user/inside"
is "a published port leads to the guest's server" \
	"$(python3 "$net" fetch 127.0.0.1 "$there")" hello
is "it is open on 127.0.0.1 only" \
	"$(ss -Hltn "sport = :$there" | awk '{ print $4 }')" "127.0.0.1:$there"
refused "a port that is in use" 125 "--publish $there:80: Address already in use" \
	boot --publish "$there:80" -- true
as_user "$dir/lodge" pause web
python3 "$net" fetch 127.0.0.1 "$there" >late &
late=$!
as_user "$dir/lodge" resume web
wait "$late"
is "who asks while the guest is paused gets an answer when it goes on" "$(cat late)" hello
as_user "$dir/lodge" kill web
wait "$job" 2>/dev/null
is "it is closed when the guest has ended" "$(ss -Hltn "sport = :$there")" ""
# libslirp lets no UDP answer go to the host's loop-back otherwise.
start udp out.udp --net user,host-loopback -p "0.0.0.0:$there:99/udp" -- python3 "$net" echo 99
eventually grep -q ready out.udp
is "a UDP port" "$(python3 "$net" ask 127.0.0.1 "$there")" knock
as_user "$dir/lodge" kill udp
wait "$job" 2>/dev/null

# --- addresses
first=$(cat first)
is "the same name has the same address" "$(mac -n one --net user)" "$first"
check "another has another" [ "$(mac -n two --net user)" != "$first" ]
check "it is a local one of one machine: $first" [ $((0x${first%%:*} & 3)) = 2 ]

# --- the process that serves it
start up out.up --net user -- sh -c 'echo ready; sleep 100'
eventually grep -q ready out.up
server=$(named lodge-net)
check "there is one" [ -n "$server" ]
if [ "$(id -u)" = 0 ]; then
	is "it has its line, and nothing else of the launcher's" \
		"$(find "/proc/$server/fd" -type l -printf '%l\n' | sed 's/:.*//' | sort | uniq -c | xargs)" \
		"3 /dev/null 1 socket"
fi
is "no capabilities, and it gets none" \
	"$(awk '/^Cap(Prm|Eff|Inh|Amb)|^NoNewPrivs/ { print $2 }' "/proc/$server/status" | sort -u | xargs)" \
	"0000000000000000 1"
kill -KILL "$(named lodge)"
wait "$job" 2>/dev/null
nothing_left "the launcher is killed: it goes, too"

start up out.up --net user -- sh -c 'echo ready; while [ ! -e /stop ]; do sleep 0.1; done; echo bye'
eventually grep -q ready out.up
kill -KILL "$(named lodge-net)"
eventually grep -q 'vec0 has no network any more' out.up.err
is "it is killed: lodge says so" "$? $(grep -c 'signal 9' out.up.err)" "0 1"
check "and the guest goes on" [ "$(as_user "$dir/lodge" ls -q)" = up ]
as_user "$dir/lodge" kill up
wait "$job" 2>/dev/null

is "a guest that floods its network" "$(boot --net user -- python3 "$net" flood 3 </dev/null)" sent
is "has one afterwards" "$(boot --net user,host-loopback -- sh -c \
	"python3 $net flood 2; python3 $net fetch 10.0.2.2 $here" </dev/null | xargs)" "sent hello"
nothing_left "no process and no file is left"
# shellcheck disable=SC2086 # several
kill $servers
done_testing
