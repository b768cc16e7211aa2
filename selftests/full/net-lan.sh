#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Switches of lodge's own: addresses by DHCP and a way out, frames that nobody would send, and what
# the processes keep. (Ten guests on one are in describe-network.sh.)
# shellcheck disable=SC2016,SC2317 # what the guests expand; functions that are called by others
# shellcheck source=full.sh
. "$(dirname "$0")/full.sh"
# shellcheck source=image.sh
. "$top/selftests/full/image.sh"
cp "$top/selftests/full/helper-net.py" "$dir/"
net="$dir/helper-net.py"

refused "nat is a switch's" 125 "--net tap=x,nat: tap has no 'nat'" boot --net tap=x,nat -- true
refused "nat= takes a network" 125 "nat=10.0.0.1/24: the address is not the network's first" \
	boot --net switch=a,nat=10.0.0.1/24 -- true
refused "a name that is too long" 125 "32 characters at most" \
	boot --net "switch=$(printf '%033d' 0)" -- true

# --- two machines that ask for their addresses, and one that has one
image dhcp.img <<'END'
cat >/lease <<'LEASE'
#!/bin/sh
[ "$1" = bound ] || exit 0
echo "lease $ip $router $dns"
/bin/busybox ifconfig $interface $ip netmask $subnet
LEASE
/bin/busybox chmod 755 /lease
/bin/busybox ifconfig vec0 up
/bin/busybox udhcpc -q -n -t 30 -i vec0 -s /lease
/bin/busybox ping -c 1 -W 30 10.9.0.2 | grep received
while :; do sleep 1; done
END
cat >"lan$tag.conf" <<END
[defaults]
append = $tag
host = $guest_host
memory = 32M
net = switch=lan,nat=10.9.0.0/24
[one]
root = dhcp.img
cow = %n.cow
[two]
root = dhcp.img
cow = %n.cow
END
is "two machines on a switch with a way out" "$(lodge boot -f "lan$tag.conf" | sort | xargs)" "one: up two: up"
leased() { lodge logs "$1" | tr -d '\r' | grep -q '^lease'; }
for i in one two; do check "$i has a lease" eventually leased "$i"; done
is "each its own" "$(for i in one two; do lodge logs "$i"; done | tr -d '\r' | grep '^lease' | sort | xargs)" \
	"lease 10.9.0.15 10.9.0.2 10.9.0.3 lease 10.9.0.16 10.9.0.2 10.9.0.3"
reached() { lodge logs "$1" | grep -q '1 packets received'; }
for i in one two; do check "$i reaches the way out" eventually reached "$i"; done
boot --net switch=lan,nat=10.9.0.0/24,address=10.9.0.99/24 -- sh -c \
	'busybox ip route; cat /etc/resolv.conf; busybox ping -c 1 -W 30 10.9.0.15; busybox ping -c 1 -W 30 10.9.0.16' \
	>out 2>&1 </dev/null
is "an address alone is enough: the gateway" "$(sed -n 's/^default via \([^ ]*\) .*/\1/p' out)" 10.9.0.2
is "the name server" "$(sed -n 's/^nameserver //p' out)" 10.9.0.3
is "it reaches both" "$(grep -c ' 0% packet loss' out)" 2

# comm NAME: the processes of this test that are called so
comm()
{
	for pid in $(left_over); do
		[ "$(cat "/proc/$pid/comm" 2>/dev/null)" != "$1" ] || echo "$pid"
	done
}
status() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }
switch=$(comm lodge-switch)
is "a switch has no capabilities, and gets none" \
	"$(status "$switch" CapEff) $(status "$switch" CapPrm) $(status "$switch" NoNewPrivs)" \
	"0000000000000000 0000000000000000 1"
is "it is the user's" "$(status "$switch" Uid | cut -f 1)" "$(as_user id -u)"
is "it is in nobody's way" "$(as_user readlink "/proc/$switch/cwd" 2>/dev/null || readlink "/proc/$switch/cwd")" \
	"$([ "$(id -u)" != 0 ] || echo /)"
boot --net switch=lan,nat=10.9.0.0/24,address=10.9.0.98/24 -- python3 "$net" flood 5 >flood.out 2>&1 </dev/null
is "frames that nobody would send" "$(cat flood.out)" sent
is "the switch is still there" "$(comm lodge-switch)" "$switch"
refused "and switches" 0 " 0% packet loss" boot --net switch=lan,address=10.9.0.97/24 -- \
	busybox ping -c 1 -W 30 10.9.0.15
lodge kill -f "lan$tag.conf"
over() { [ -z "$(comm lodge-switch)$(comm lodge-net)" ]; }
check "the switch and its way out end with the last guest" eventually over
lodge rm -f "lan$tag.conf"

# --- many who come and go at once: there is one switch at any time, and none in the end
for i in 1 2 3 4 5 6 7 8; do
	boot -m 32M --net "switch=busy,address=10.8.0.$i/24" -- busybox ping -c 1 -W 30 10.8.0.$i >"out.$i" 2>&1 </dev/null &
done
wait
is "eight guests come and go" "$(cat out.? | grep -c ' 0% packet loss')" 8
check "no switch is left" eventually over

# --- added to a guest that runs
cat >"late$tag.conf" <<END
[defaults]
append = $tag
host = $guest_host
memory = 32M
rootdir = /
[early]
net = switch=late,address=10.7.0.1/24
command = sleep 600
[late]
command = sh -c 'until busybox ifconfig vec0 10.7.0.2 netmask 255.255.255.0 up; do sleep 0.2; done; \\
	while :; do busybox ping -c 1 -W 5 10.7.0.1 | grep -q " 0%%" && echo answer; sleep 0.5; done'
END
lodge boot -f "late$tag.conf" >out.late
is "a switch is added to a guest that runs" "$(lodge net add late switch=late)" vec0
answers() { lodge logs late | grep -c answer; }
answered() { [ "$(answers)" -gt "$1" ]; }
check "others are there" eventually answered 0
kill -KILL "$(comm lodge-switch)"
before=$(answers)
check "and still are when the switch was killed" eventually answered $((before + 1))
lodge net remove late vec0
lodge kill -f "late$tag.conf"
lodge rm -f "late$tag.conf"
check "it ends, too" eventually over

# --- a switch that was killed with its guests leaves a socket, which the next one who looks removes
as_user "$dir/lodge" boot last -d -m 32M --append "$tag" --rootdir / --net switch=last -- sleep 100 >/dev/null
check "a switch has a socket" test -S "$XDG_RUNTIME_DIR/lodge/.switch-last"
# shellcheck disable=SC2046 # pids
kill -KILL $(left_over) 2>/dev/null
nothing_left "no process and no file is left"
done_testing
