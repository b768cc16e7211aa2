#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A Debian with a web server and a database, as a user would make and use it.
# LODGE_TEST_IMAGE has been made before, where there is no network; what it becomes needs room.
# shellcheck disable=SC2317 # functions that are commands of others
[ -z "${LODGE_SCRATCH:-}" ] || export TMPDIR=$LODGE_SCRATCH
# shellcheck source=full.sh
. "$(dirname "$0")/full.sh"

lodge() { as_user timeout -s KILL 900 "$dir/lodge" "$@" </dev/null; }
# Without what a shell tells its terminal in between.
says() { lodge logs deb 2>/dev/null | sed 's/\r//g; s/\x1b\[[?0-9;]*[a-z]//g' | grep -q "$1"; }
over() { ! lodge ls 2>/dev/null | grep -q '^deb '; }
typed() { (printf '%s\n' "$1"; sleep 2) | as_user timeout -s KILL 60 "$dir/lodge" console deb >/dev/null 2>&1; }

start()
{
	lodge boot deb --host "$guest_host" --append "$tag" --root "$image" --cow deb.cow -m 512M \
		-p "127.0.0.1:$port:80" --detach
}

port=$(python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')

image=${LODGE_TEST_IMAGE:-debian.img}
if [ -z "${LODGE_TEST_IMAGE:-}" ]; then
	# As root, if root runs this: a user needs IDs of his own in /etc/subuid.
	"$top/selftests/full/helper-debian" "$dir/lodge" "$image" >build.log 2>&1 </dev/null
	is "the image is built" $? 0
	[ "$failed" = 0 ] || { sed 's/^/# /' build.log | tail -n 20; done_testing; }
fi
is "it boots" "$(start 2>&1)" deb
check "to a login prompt" patiently says ' login:'
check "its web server answers at a port of the host" \
	patiently quietly curl -fsS "http://127.0.0.1:$port/"
typed root
check "root logs in" patiently says 'root@.*#'
typed "until mariadb -e 'select 1' >/dev/null 2>&1; do sleep 1; done; echo up: yes"
check "the database comes up" patiently says '^up: yes'
typed "mariadb -e 'create database t; create table t.t (a int primary key, b varchar(99)) engine=innodb'"
typed "for i in \$(seq 500); do echo \"insert into t.t values (\$i, md5(\$i));\"; done | mariadb"
typed "mariadb -Ne \"select 'rows', count(*), sum(b = md5(a)) from t.t; check table t.t\" | xargs echo"
check "it keeps what it is given" patiently says '^rows 500 500 t.t check status OK'
typed 'poweroff'
check "poweroff inside ends it" patiently over
check "cleanly" says 'reboot: \(Power down\|System halted\)'

is "it boots again" "$(start 2>&1)" deb
check "to a login prompt" patiently says ' login:'
typed root
typed "until mariadb -e 'select 1' >/dev/null 2>&1; do sleep 1; done; mariadb -Ne \"select 'rows', count(*) from t.t\" | xargs echo"
check "the rows are there" patiently says '^rows 500'
lodge halt deb
is "lodge halt from outside ends it" $? 0
lodge rm deb
lodge image cow merge deb.cow merged.img >/dev/null
check "its file system is whole" quietly /sbin/e2fsck -fn merged.img
nothing_left "no process is left"
done_testing
