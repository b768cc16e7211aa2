#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Guests of other users: root sees them and can end them, nobody else does; and a user who lays
# traps for root catches nothing.
# shellcheck disable=SC2016,SC2317 # what others expand; functions that are called by others
# shellcheck source=full.sh
. "$(dirname "$0")/full.sh"

if [ "$(id -u)" != 0 ]; then
	result 0 "guests of other users # SKIP root is needed, and another user"
	done_testing
fi

owner=$(id -nu "$user")
lodge() { as_user timeout -s KILL 60 "$dir/lodge" "$@"; }
# As an administrator's shell has it.
root() { env -u LODGE_ROOT XDG_RUNTIME_DIR=/run/user/0 timeout -s KILL 60 "$dir/lodge" "$@"; }
# start NAME: a guest of the user's that counts
start()
{
	lodge boot "$1" -d --append "$tag" -m 32M --rootdir / -- \
		sh -c 'trap "echo bye; exit" TERM; echo hello; while :; do echo tick; sleep 0.2; done'
}

name=web-$$
is "a user has a guest" "$(start "$name")" "$name"
mine=$owner/$name
is "root sees it, and whose it is" "$(root ls -q | grep -F "$name")" "$mine"
is "its memory" "$(root ls | awk -v name="$mine" '$1 == name { print $4 }')" 32M
is "in JSON, too" "$(root ls --json | python3 -c '
import json, sys
print([(g["user"], g["kind"]) for g in json.load(sys.stdin) if g["name"] == sys.argv[1]])' "$name")" \
	"[('$owner', 'full')]"
is "stat" "$(root stat "$mine" | awk '$1 == "kind" || $1 == "memory.max" { print $2 }' | xargs)" "full 32M"
check "ps" grep -q "$mine .* /linux mem=" <<<"$(root ps "$mine")"
check "ps of all" grep -q "$mine " <<<"$(root ps)"
check "ps, as the user himself" grep -q " $name .* /linux mem=" <<<"$(lodge ps "$name")"
check "logs" grep -q hello <<<"$(root logs "$mine")"
check "mconsole" grep -q "^Linux $name " <<<"$(root mconsole "$mine" version)"
check "net" quietly root net ls "$mine"
check "by the user's number" grep -q "^Linux $name " <<<"$(root mconsole "$user/$name" version)"
refused "without the user's name it is not found, but known" 1 "did you mean '$mine'" root halt "$name"
refused "nearly the name" 1 "did you mean '$mine'" root halt "${mine}x"
refused "no such user" 1 "name: has a slash, and there is no user 'nosuch'" root halt nosuch/web
refused "no such guest of root's" 1 "no such full guest" root halt root/nosuch
refused "a backup, but there is nothing to copy" 1 "$mine: has no disks" root backup "$mine"
refused "no console, but it is asked" 1 "it runs one command" root console "$mine"
refused "it cannot be forgotten while it runs" 1 "it runs" root rm "$mine"
refused "nobody else reaches guests of others" 1 "only root reaches the guests of other users" \
	lodge halt root/web
refused "with his own name in front a user finds his own" 0 "Linux $name" lodge mconsole "$mine" version
refused "what comes behind it is a name" 1 "has a slash" lodge halt "$owner/a/b"

is "who is root in a user namespace only is no more than himself" \
	"$(as_user unshare -Ur "$dir/lodge" ls -q)" "$name"

count() { root logs "$mine" | wc -l; }
root pause "$mine"
before=$(count)
sleep 1
is "pause" "$(count)" "$before"
root resume "$mine"
more() { [ "$(count)" -gt "$before" ]; }
check "resume" eventually more
# A name that root has, too, is root's.
for i in b c; do start "$name-$i" >/dev/null; done
root boot "$name" -d --append "$tag" -m 32M --rootdir / -- sleep 1000 >/dev/null
is "both have a guest of this name" "$(root ls -q | grep -xF -e "$name" -e "$mine" | xargs)" "$name $mine"
root kill "$name"
is "root's own was meant" "$(root ls -q | grep -xF -e "$name" -e "$mine" | xargs)" "$mine"
root rm "$name"
root halt "$mine" "$mine-b"
is "halt, of two" "$? $(root ls -q | grep -F "$name")" "0 $mine-c"
check "they were asked" grep -qx bye <<<"$(root logs "$mine")"
root rm "$mine" "$mine-b"
refused "rm" 1 "no such full guest" root logs "$mine"
is "nothing of them is left" "$(find "$XDG_RUNTIME_DIR/lodge" -mindepth 1 -maxdepth 1 -printf '%f')" "$name-c"
start "$name" >/dev/null
root kill "$mine"
is "kill" "$? $(lodge ls -q)" "0 $name-c"
lodge rm "$name"

# --- traps
mkdir "$dir/root"
echo secret >"$dir/root/secret"
chmod 600 "$dir/root/secret"
sleep 600 &
victim=$!
as_user mkdir "$XDG_RUNTIME_DIR/lodge/evil" "$XDG_RUNTIME_DIR/lodge/ev"$'\e[31m'il
cat >"$dir/trap.py" <<'END'
"""A guest that is none: whatever root may look at leads somewhere else, or nowhere."""
import fcntl, os, sys, time
for directory in sys.argv[4:]:
    os.chdir(directory)
    lock = os.open("lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    for name in ("killed", "halted", "log.1", "messages", "uml", "devices"):
        os.symlink(sys.argv[2] + "/" + name, name)
    os.symlink(sys.argv[2] + "/secret", "log")
    os.mkfifo("memory.max")
    with open("pid", "w") as pid:
        print(sys.argv[3], file=pid)
    os.mkdir("consoles")
    os.symlink(sys.argv[2] + "/socket", "consoles/0")
    with open("consoles/list", "w") as consoles:
        print("0 attach \033[31mred", file=consoles)
    os.symlink(sys.argv[2] + "/datagrams", "mconsole")
print("ready", os.getpid(), flush=True)
time.sleep(1000)
END
python3 -c '
import socket, sys, time
a = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
a.bind(sys.argv[1] + "/socket")
a.listen()
b = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
b.bind(sys.argv[1] + "/datagrams")
print("ready", flush=True)
b.settimeout(1000)
print("asked", b.recv(1000), flush=True)' "$dir/root" "$tag" >asked &
sockets=$!
eventually quietly grep ready asked
as_user python3 "$dir/trap.py" "$tag" "$dir/root" "$victim" "$XDG_RUNTIME_DIR/lodge/evil" \
	"$XDG_RUNTIME_DIR/lodge/ev"$'\e[31m'il >trapped &
eventually quietly grep ready trapped
traps=$(cut -d ' ' -f 2 trapped)
evil=$owner/evil
is "root sees what says that it is a guest, and no name that is none" \
	"$(root ls -q | grep -F "$owner/ev")" "$evil"
check "a pipe that nobody writes to does not stop root" quietly root stat "$evil"
is "what a terminal could take for a command is not shown" "$(root console --list "$evil" | tail -n 1 | tr -s ' ')" "0 attach ?[31mred"
as_user sh -c "rm -r $XDG_RUNTIME_DIR/lodge/evil/consoles/list; ln -s ../log $XDG_RUNTIME_DIR/lodge/evil/consoles/0.log"
refused "a link to what only root reads" 1 "" root logs "$evil"
check "is not read" test -z "$(root logs "$evil" 2>/dev/null)"
refused "a link to a socket that only root reaches" 1 "mconsole: Permission denied" root pause "$evil"
refused "and one to another" 1 "console 0: Permission denied" root console "$evil"
is "nobody was asked anything" "$(cat asked)" ready
refused "a process that is root's" 1 "Operation not permitted" root kill "$evil"
check "is not killed" kill -0 "$victim"
is "nor is a file made, or changed" "$(find "$dir/root" -type f -print) $(cat "$dir/root/secret")" \
	"$dir/root/secret secret"
kill "$traps" "$sockets" "$victim"
wait "$sockets" "$victim" 2>/dev/null
mkdir "$dir/root/uml"
touch "$dir/root/uml/file"
as_user sh -c "cd $XDG_RUNTIME_DIR/lodge/evil && echo 0 >status && rm -r consoles && ln -s $dir/root consoles"
root rm "$evil"
is "what is forgotten is the user's, not what he points to" "$? $(find "$dir/root" -type f | sort | xargs)" \
	"0 $dir/root/secret $dir/root/uml/file"
rm -rf "$XDG_RUNTIME_DIR/lodge/ev"$'\e[31m'il
# A process that looks like a launcher, where no guest is: its directory is left as it is.
as_user mkdir -p home/project home/other
as_user sh -c 'for file in log pid status; do echo x >home/other/$file; done'
cp /bin/sleep "$dir/guest/lodge"
as_user sh -c "cd home/project && echo \$\$ >../pid && exec $dir/guest/lodge 60" &
launched() { [ "$(cat "/proc/$(cat home/pid)/comm")" = lodge ]; }
eventually quietly launched
root ls >/dev/null
is "a directory that is not of guests stays as it is" \
	"$(find home -mindepth 2 | sort | xargs)" \
	"home/other/log home/other/pid home/other/status"
kill "$(cat home/pid)"
wait 2>/dev/null
# One that others can change is not trusted.
chmod 777 "$XDG_RUNTIME_DIR/lodge"
is "a directory that others can change is not looked into" "$(root ls -q 2>/dev/null | grep -cF "$name")" 0
chmod 700 "$XDG_RUNTIME_DIR/lodge"
root kill "$mine-c"
lodge rm "$name-c"
nothing_left "no process and no file is left"
done_testing
