#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Whatever is wrong with a network that is asked for is said before a guest is started.
# shellcheck source=full.sh
. "$(dirname "$0")/full.sh"

# bad TEXT WORDS OPTION...
bad()
{
	local text=$1 words=$2
	shift 2
	refused "$text" 125 "$words" boot "$@" -- true
}

bad "no such network" "no network is called 'usr'" --net usr
bad "nothing at all" "no network is called ''" --net ''
bad "user is not one of several" "user has no value" --net user=x
bad "a key that is nearly right" "did you mean 'mtu'" --net user,mtv=3
bad "a key of another network" "user has no 'address'" --net user,address=10.0.0.1/24
bad "an empty key" "user has no ''" --net user,
bad "a key without its value" "mtu= needs a value" --net user,mtu
bad "a packet that is too short" "mtu=100: not a number from 576" --net user,mtu=100
bad "one that is too long" "mtu=70000: not a number" --net user,mtu=70000
bad "a length that is none" "mtu=1e3: not a number" --net user,mtu=1e3
bad "half a MAC address" "mac=02:00: not a MAC address" --net user,mac=02:00
bad "more than one" "not a MAC address" --net user,mac=02:00:00:00:00:01x
bad "a MAC address of many" "an interface cannot have that one" --net user,mac=ff:ff:ff:ff:ff:ff
bad "of nobody" "an interface cannot have that one" --net user,mac=00:00:00:00:00:00
bad "the same one twice" "vec0 has this MAC address" \
	--net user,mac=02:00:00:00:00:01 --net user,mac=02:00:00:00:00:01
bad "a network that is too small" "with 8 to 27 bits" --net user,net=10.0.2.0/28
bad "an address that is not a network's" "not the network's first" --net user,net=10.0.2.1/24
bad "no network" "net=x: not an IPv4 address" --net user,net=x/24
bad "a switch with a value" "host-loopback has no value" --net user,host-loopback=1
bad "too many" "8 interfaces at most" --net user --net user --net user --net user --net user \
	--net user --net user --net user --net user
bad "half a port" "not [ADDRESS:]HOSTPORT:GUESTPORT" --publish 80
bad "port 0" "not [ADDRESS:]HOSTPORT:GUESTPORT" --publish 0:80
bad "a port that does not exist" "not [ADDRESS:]HOSTPORT:GUESTPORT" --publish 8080:65536
bad "a port that is no number" "not [ADDRESS:]HOSTPORT:GUESTPORT" --publish http:80
bad "no such protocol" "not [ADDRESS:]HOSTPORT:GUESTPORT" --publish 8080:80/sctp
bad "an address that is none" "'localhost' is not an IPv4 address" --publish localhost:8080:80
bad "one that is another machine's" "Cannot assign requested address" \
	--publish 203.0.113.1:8080:80
[ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" -lt 2 ] || in_module ||
	bad "a port that is root's" "--publish 1:80: Permission denied" --publish 1:80
bad "no device" "tap=DEVICE is needed" --net tap
# Debian lets everybody open it; a container or another host may not.
words="there is no TAP device of yours"
as_user test -w /dev/net/tun || words="--net tap=lodgenone0: /dev/net/tun: "
bad "a device that is not the user's" "$words" --net tap=lodgenone0
bad "a name that is too long" "15 characters at most" --net tap=abcdefghijklmnop
bad "a descriptor that is none" "not a descriptor's number" --net fd=x
bad "one that the caller needs" "not a descriptor's number" --net fd=1
bad "one that is not open" "descriptor 77: Bad file descriptor" --net fd=77
refused "one that is a file" 125 "neither a socket nor a TAP device" \
	boot --net fd=9 -- true 9</dev/null
bad "no switch" "no switch there" --net vde="$PWD/nosuch"
bad "no group" "not ADDRESS:PORT" --net mcast=239.0.0.1
bad "a group that is none" "10.0.0.1 is no multicast address" --net mcast=10.0.0.1:5000
bad "a port of a group that is none" "not ADDRESS:PORT" --net mcast=239.0.0.1:0
bad "an interface that is another machine's" "--net mcast=239.0.0.1:5000,local=203.0.113.1: " \
	--net mcast=239.0.0.1:5000,local=203.0.113.1
nothing_left "no process and no file is left"
done_testing
