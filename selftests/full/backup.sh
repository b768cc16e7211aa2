#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Backups of guests that run: whole, and the guest goes on whatever happens.
# shellcheck disable=SC2016,SC2317 # what the guest expands; functions that are commands of others
# shellcheck source=full.sh
. "$(dirname "$0")/full.sh"
# shellcheck source=image.sh
. "$top/selftests/full/image.sh"

says() { lodge logs web | tr -d '\r' | grep -q "$1"; }
ticks() { lodge mconsole web proc uptime | tr -d '\n' | cut -d ' ' -f 1; }
goes_on() { local before; before=$(ticks) && [ -n "$before" ] && eventually ticked "$before"; }
ticked() { [ "$(ticks)" != "$1" ]; }
# Before a file has its name it is whole: what is in numbered files is right, and none is missing.
writer='i=0
while :; do
	i=$((i + 1))
	head -c 20000 /dev/urandom >/new; /bin/busybox md5sum </new >/sum; /bin/busybox mv /new /f$((i % 50)); /bin/busybox mv /sum /s$((i % 50))
	echo $i >/dev/ubdb; [ $i != 60 ] || echo "under way"
done'
# whole IMAGE: each file has the sum that is kept of it; how many have
whole()
{
	local i n=0 want

	for ((i = 0; i < 50; i++)); do
		want=$(within "$1" "s$i")
		[ -n "$want" ] || continue
		[ "$(debugfs -R "cat f$i" "$1" 2>/dev/null | md5sum)" = "$want" ] || continue
		n=$((n + 1))
	done
	echo "$n"
}

message_size=$("$top/build/selftests/full/helper-message-size")
image base.img 32 <<<"$writer"
truncate -s 1M b.img
truncate -s 1M c.img
[ "$(id -u)" != 0 ] || chown "$user" b.img c.img
start web --root base.img --cow web.cow --disk b.img --disk c.img,ro --detach >out 2>&1
check "a guest writes" eventually says 'under way'

out=$(lodge backup web first/ 2>&1)
is "a backup is made" $? 0
check "it says for how long the guest stood still: ${out##*for }" \
	grep -qE "^web: stopped for [0-9]+\.[0-9]{3} s: $dir/user/first$" <<<"$out"
check "and the guest goes on" goes_on
is "the disks that it writes to are there, and a note" "$(find first -type f -printf '%f\n' | sort | xargs)" \
	"backup.txt ubda.cow ubdb.img"
is "nobody else can see them" "$(stat -c %a first)" 700
check "the note says what it needs" grep -q "needs its backing file $dir/user/base.img" first/backup.txt
check "and what was not copied" grep -q "ubdc *read-only, not copied: $dir/user/c.img" first/backup.txt
check "the copy is a COW file like the first" quietly lodge image cow info first/ubda.cow
lodge image cow merge first/ubda.cow first.img
# No journal has to be replayed: what was frozen was whole.
is "its file system is clean" "$(e2fsck -fn first.img >/dev/null 2>&1; echo $?)" 0
is "without a journal to replay" "$(dumpe2fs -h first.img 2>/dev/null | grep -c needs_recovery)" 0
# Of the file that is being written the sum may be the one before.
check "all that was written is in it: $(whole first.img) of 50" [ "$(whole first.img)" -ge 49 ]
check "and it boots" grep -q 'boots' <<<"$(start --root first.img -- /bin/sh -c 'echo it boots; poweroff -f' 2>&1)"
check "the other one has what was written to it" grep -q '^[0-9]' <(tr -d '\0' <first/ubdb.img)

if [ "$(id -u)" = 0 ] && [ "$user" != 0 ]; then
	mine=$(id -nu "$user")/web
	mkdir roots && chmod 700 roots
	check "root makes one of a user's guest" quietly env XDG_RUNTIME_DIR=/run/user/0 "$dir/lodge" backup "$mine" roots/first
	is "it is root's" "$(stat -c %u roots roots/first roots/first/ubda.cow | sort -u)" 0
fi

# --- what goes wrong
refused "a directory that is there" 1 "first: is there already" lodge backup web first
refused "one that cannot be made" 1 "No such file or directory" lodge backup web nowhere/second
refused "no such guest" 1 "did you mean 'web'" lodge backup wob
refused "more than there is to say" 1 "one argument too many" lodge backup web a b
lodge pause web
refused "a paused one" 1 "is paused" lodge backup web second
lodge resume web
check "it goes on afterwards" goes_on
is "no half of a backup is left" "$(find . -name 'second*' -o -name '*.part')" ""

# A file system that is full: the rest of the copy finds no room.
if [ "$(id -u)" = 0 ]; then
	mkdir small
	mount -t tmpfs -o size=64k none small && chown "$user" small
	refused "no room" 1 "No space left on device" lodge backup web small/second
	is "nothing of it is left" "$(find small -mindepth 1)" ""
	umount small
else
	refused "no room" 1 "File too large" as_user sh -c "ulimit -f 8; trap '' XFSZ; exec $dir/lodge backup web second"
	is "nothing of it is left" "$(find . -name 'second*')" ""
fi
check "the guest goes on after that" goes_on

# Nobody else disturbs it; whoever is killed, the guest goes on.
as_user python3 - "$XDG_RUNTIME_DIR/lodge/web" "$message_size" >held.out 2>&1 <<'END' &
import os, socket, struct, sys, time
os.chdir(sys.argv[1])
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect("devices")
HOLD = 8
s.send(struct.pack("Ii", HOLD, -1).ljust(int(sys.argv[2]), b"\0"))
order, _ = struct.unpack_from("Ii", s.recv(100000))
print("held" if not order else "refused", os.getpid(), flush=True)
time.sleep(1000)
END
eventually grep -q . held.out
read -r held holder <held.out
is "a guest that is held" "$held" held
refused "answers nobody" 1 "a backup of this guest is being made" lodge mconsole web proc uptime
refused "is not let go by others" 1 "a backup of this guest is being made" lodge resume web
refused "and is held only once" 1 "a backup of this guest is being made" lodge backup web second
kill -KILL "$holder"
wait
check "the one who held it is killed: it goes on" eventually goes_on 2>/dev/null

# Killed at any moment: the copies are unfinished, or not there; the guest goes on.
for i in 1 2 3 4 5 6 7 8; do
	as_user "$dir/lodge" backup web "killed$i" >/dev/null 2>&1 &
	sleep "0.0$i"
	sig=KILL
	[ $((i % 2)) = 0 ] || sig=TERM
	# It is the child of the shell that as_user is in.
	pid=$(pgrep -P $!) && kill -$sig "$pid" 2>/dev/null
	wait $! 2>/dev/null
	eventually goes_on 2>/dev/null || break
done
is "killed at any moment: the guest goes on" "$i" 8
is "and what has a name is whole" "$(for d in killed?; do [ ! -d "$d" ] || [ -e "$d/backup.txt" ] || echo "$d"; done)" ""
is "who was told to end has left nothing" "$(find . -name 'killed[1357].part')" ""
check "and one that is let end still works" quietly lodge backup web last
lodge kill web
lodge rm web

start web --root base.img,ro --detach >/dev/null 2>&1
refused "a guest that has nothing to lose" 1 "has no disks that it can write to" lodge backup web none
lodge kill web
lodge rm web
nothing_left "no process and no file of a guest is left"
done_testing
