#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Networks of guests with disks, which ask for their addresses themselves.
# shellcheck disable=SC2016,SC2119 # what the guest expands; start has options
# shellcheck source=full.sh
. "$(dirname "$0")/full.sh"
# shellcheck source=image.sh
. "$top/selftests/full/image.sh"
cp "$top/selftests/full/helper-net.py" "$dir/"
net="$dir/helper-net.py"

as_user python3 "$net" listen 127.0.0.1 served >/dev/null 2>&1 &
eventually test -s served
read -r here pid <served
is "on the host: the server answers" "$(python3 "$net" fetch 127.0.0.1 "$here")" hello

image dhcp.img <<END
cat >/lease <<'LEASE'
#!/bin/sh
[ "\$1" = bound ] || exit 0
echo "lease \$ip \$router \$dns"
/bin/busybox ifconfig \$interface \$ip netmask \$subnet
/bin/busybox route add default gw \$router
LEASE
/bin/busybox chmod 755 /lease
mount -t sysfs sys /sys
echo "address \$(cat /sys/class/net/vec0/address)"
echo "environment \$(/bin/busybox env | grep -c lodge_vec)"
/bin/busybox ifconfig vec0 up
/bin/busybox udhcpc -q -n -i vec0 -s /lease
echo "server \$(/bin/busybox nc 10.0.2.2 $here </dev/null)"
END
start disk --root dhcp.img --net user,host-loopback,mac=02:00:00:00:00:77 >out 2>&1
is "it ends well" $? 0
said() { tr -d '\r' <out | grep -m 1 "^$1" ; }
is "its address is the one given" "$(tr -d '\r' <out | grep '^address 0')" "address 02:00:00:00:00:77"
is "DHCP tells it the rest" "$(said lease)" "lease 10.0.2.15 10.0.2.2 10.0.2.3"
is "and it has a network" "$(said server)" "server hello"
is "what is for lodge's own init is not said to others" "$(said environment)" "environment 0"

there=$(python3 "$net" free)
image web.img <<'END'
/bin/busybox ifconfig vec0 10.0.2.15
while :; do echo hello | /bin/busybox nc -l -p 80; done
END
start web --detach --root web.img --publish "$there:80" >out.web 2>&1
is "a published port leads to the server of one in the background" \
	"$(python3 "$net" fetch 127.0.0.1 "$there")" hello
refused "which is in use then" 125 "--publish $there:80: Address already in use" \
	start --root dhcp.img --publish "$there:80"
refused "addresses that nobody would set" 125 "addresses are for --rootdir" \
	start --root dhcp.img --net mcast=239.0.0.1:5000,address=10.0.0.1/24
lodge kill web
lodge rm web
kill "$pid"
nothing_left "no process and no file is left"
done_testing
