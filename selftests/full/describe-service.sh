#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Guests as a service: the units that are installed, and lodge boot --foreground as systemd sees it.
# shellcheck disable=SC2016,SC2317 # what the guests expand; functions that are called by others
# shellcheck source=full.sh
. "$(dirname "$0")/full.sh"
# shellcheck source=image.sh
. "$top/selftests/full/image.sh"

# --- what is installed
prefix=$dir/prefix
check "make install" quietly make -s -C "$top/userland/lodge" install O="$top/build" PREFIX="$prefix"
units=$prefix/lib/systemd
is "the units run what was installed" \
	"$(grep -h ^ExecStart= "$units"/*/lodge@.service | cut -d ' ' -f 1 | sort -u)" "ExecStart=$prefix/bin/lodge"
mkdir "$dir/session"
for manager in system user; do
	refused "systemd-analyze has nothing to say about that of the $manager's manager" 0 "" \
		env XDG_RUNTIME_DIR="$dir/session" systemd-analyze --man=no "--$manager" \
		verify "$units/$manager/lodge@.service"
	is "nothing at all" "$(env XDG_RUNTIME_DIR="$dir/session" systemd-analyze --man=no "--$manager" \
		verify "$units/$manager/lodge@.service" 2>&1)" ""
done
check "DESTDIR is honoured" quietly make -s -C "$top/userland/lodge" install O="$top/build" \
	PREFIX=/usr DESTDIR="$dir/dest"
is "and not in what is written" "$(grep -h ^ExecStart= "$dir"/dest/usr/lib/systemd/*/*.service |
	cut -d ' ' -f 1 | sort -u)" "ExecStart=/usr/bin/lodge"
check "there is a manual page of the file" test -e "$prefix/share/man/man5/lodge.conf.5"

# --- what a service manager hears
cat >"$dir/manager" <<'END'
import os, socket, subprocess, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
s.bind(sys.argv[1])
# A file of its own: a console's half line must not stand before what is heard.
service = subprocess.Popen(sys.argv[2:], env={**os.environ, "NOTIFY_SOCKET": sys.argv[1]},
                           stdin=subprocess.DEVNULL, stdout=open("output", "w"))
print("pid", service.pid, flush=True)
s.settimeout(0.2)
while service.poll() is None:
    try:
        text, rights, *_ = s.recvmsg(1000, 1000)
    except socket.timeout:
        continue
    sender = int.from_bytes(rights[0][2][:4], sys.byteorder)
    for line in text.decode().split("\n"):
        print(line, "" if sender == service.pid else "from somebody else", flush=True)
print("status", service.returncode)
END
# service FILE [ARG]...: in the background, as a service
service()
{
	: >heard
	rm -f notify
	as_user python3 "$dir/manager" "$PWD/notify" "$dir/lodge" boot --foreground -f "$@" >heard 2>said &
	manager=$!
	eventually grep -q ^pid heard
	pid=$(sed -n 's/^pid //p' heard)
}
heard() { grep -x -- "$1 *" heard >/dev/null; }
ready() { heard READY=1; }
# A guest is up before its command has said what a signal is to do.
listen() { [ "$(grep -c listening output)" -ge "$1" ]; }

cat >"three$tag.conf" <<END
[defaults]
append = $tag
rootdir = /
memory = 32M
net = switch=three,address=10.5.0.%i/24
command = sh -c 'trap "exit 0" TERM; echo listening; while [ ! -e /tmp/end ]; do sleep 0.1; done; exit 7'
[one{1..3}]
END
service "three$tag.conf"
check "READY=1" eventually ready
is "when all are up" "$(lodge ls -f "three$tag.conf" -q | xargs)" "one1 one2 one3"
check "it says how many" heard "STATUS=3 guests are up"
eventually listen 3
kill -TERM "$pid"
wait "$manager"
check "STOPPING=1" heard STOPPING=1
is "it was told to end, and all guests did well" "$(tail -n 1 heard)" "status 0"
is "none is left" "$(lodge ls -f "three$tag.conf" -q)" ""
lodge rm -f "three$tag.conf"

service "three$tag.conf"
eventually ready
lodge kill one2
ended() { grep -q "^one2: has ended, status 137$" output; }
check "one ends: that is said" eventually ended
is "the others go on" "$(lodge ls -f "three$tag.conf" -q | xargs)" "one1 one3"
lodge halt -f "three$tag.conf"
wait "$manager"
is "the last has ended: so does the service, and tells of the first failure" "$(tail -n 1 heard)" "status 137"
lodge rm -f "three$tag.conf"

service "three$tag.conf"
eventually ready
kill -KILL "$pid"
wait "$manager"
none() { [ -z "$(lodge ls -f "three$tag.conf" -q)" ]; }
check "lodge is killed: its guests shut down" eventually none
lodge rm -f "three$tag.conf"

sed 's/{1..3}//; s/%i/9/' "three$tag.conf" >"one$tag.conf"
service "one$tag.conf"
check "one guest: READY=1, from the service's own process" eventually ready
eventually listen 1
kill -TERM "$pid"
wait "$manager"
is "its command ends, and with its status the service" "$(tail -n 1 heard)" "status 0"

image power.img <<<'echo "here I am"; trap "" TERM; while :; do sleep 1; done'
cat >"disk$tag.conf" <<END
[disk]
root = power.img
append = $tag
END
service "disk$tag.conf"
check "a machine: READY=1" eventually ready
said() { grep -q "here I am" output; }
check "its console is the service's output" eventually said
kill -TERM "$pid"
wait "$manager"
is "a machine that was shut down has ended well" "$(tail -n 1 heard)" "status 0"

# --- a service manager: a user's, root's here, which thinks that systemd is everywhere
mkdir -p "$prefix/lib/lodge" "$dir/home/lodge" "$dir/home/systemd/user"
cp -r "$dir/guest" "$prefix/lib/lodge/"
cp "$units/user/lodge@.service" "$dir/home/systemd/user/"
sed 's/^memory = .*/memory = 40M/' "three$tag.conf" >"$dir/home/lodge/three.conf"
cat >"$dir/managed" <<'END'
mount -t tmpfs none /run || exit 77
mkdir -p -m 700 /run/systemd/system /run/session
export XDG_RUNTIME_DIR=/run/session XDG_CONFIG_HOME=$1 HOME=$1
lodge=$2
timeout -s KILL 120 /lib/systemd/systemd --user "--unit=default.target" >"$1/log" 2>&1 </dev/null &
for ((i = 0; i < 600; i++)); do
	systemctl --user is-system-running 2>/dev/null | grep -qE '^(running|degraded)' && break
	sleep 0.1
done
[ "$i" != 600 ] || exit 77
systemctl --user start lodge@three
echo "start: $? $("$lodge" ls -q -f "$1/lodge/three.conf" | xargs)"
systemctl --user show -p ActiveState,StatusText lodge@three | sort | xargs
systemctl --user stop lodge@three
echo "stop: $? $("$lodge" ls -q -f "$1/lodge/three.conf" | xargs)"
systemctl --user show -p ActiveState,Result lodge@three | sort | xargs
echo 'memory = 1' >>"$1/lodge/three.conf"
systemctl --user start lodge@three
echo "start, of what is wrong: $?"
systemctl --user stop lodge@three
systemctl --user exit
wait
END
if [ "$(id -u)" = 0 ]; then
	unshare -m bash "$dir/managed" "$dir/home" "$prefix/bin/lodge" >out.managed 2>err.managed </dev/null
fi
case $(id -u):$? in
0:0)	is "systemd starts the guests of a file, sees when they are up, and ends them" \
		"$(cat out.managed)" "start: 0 one1 one2 one3
ActiveState=active StatusText=3 guests are up
stop: 0 
ActiveState=inactive Result=success
start, of what is wrong: 1" ;;
*)	result 0 "systemd starts the guests # SKIP no service manager can be started here" ;;
esac
nothing_left "no process and no file is left"
done_testing
