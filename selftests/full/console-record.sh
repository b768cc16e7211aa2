#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Records of what passes through terminals: complete, and where no guest sees or reaches them.
# shellcheck disable=SC2016,SC2317 # what the guest expands; functions that are commands of others
# shellcheck source=full.sh
. "$(dirname "$0")/full.sh"
# shellcheck source=image.sh
. "$top/selftests/full/image.sh"
# shellcheck source=consoles.sh
. "$top/selftests/full/consoles.sh"

with=("$top/build/selftests/full/helper-pty")
shells shell.img
says() { lodge logs "$1" 2>/dev/null | tr -d '\r' | grep -q "$2"; }

# cast FILE TYPE: what a record has of it, all in one; each line must be as asciicast has it
cat >"$dir/cast.py" <<-'END'
	import json, sys
	with open(sys.argv[1], encoding="utf-8") as file:
	    head, *events = [json.loads(line) for line in file.read().splitlines()]
	assert head["version"] == 2 and head["timestamp"] > 1.7e9, head
	before = 0
	for at, kind, text in events:
	    assert before <= at and kind in "oirm" and isinstance(text, str), (at, kind, text)
	    before = at
	if sys.argv[2] == "head":
	    print(head["width"], head["height"], head["title"])
	for _, kind, text in events:
	    if kind == sys.argv[2]:
	        sys.stdout.buffer.write(text.encode() + (b" " if kind in "rm" else b""))
END
cast() { python3 "$dir/cast.py" "$@"; }

is "a guest of which everything is recorded" "$(start rec --root shell.img -d --record records \
	--serial attach)" rec
check "somebody types, and changes the window's size" somebody run "$dir/lodge" console rec <<-'END'
	expect hello from tty0
	type echo two$((2)); printf '\\303\\244\\342\\202\\254\\377\\000"|\\033[1m'\r
	expect two2
	expect |
	size 33 91
	type sleep 1; echo \xc3\xa9\xff\r
	expect \xff
	type echo don$((3))e\r
	expect don3e
	type \x1d\x1d\x1d
	status 0
END
(echo 'echo serial$((4))'; sleep 1) | lodge console rec s0 >/dev/null 2>&1
recorded() { grep -q serial4 records/rec-*-ttyS0.cast; }
check "a serial line has a record of its own" eventually recorded
record=$(echo records/rec-*-tty0.cast)
# What was not UTF-8 is U+FFFD in it, as in what is compared.
lodge logs rec | python3 -c 'import sys; sys.stdout.write(
	sys.stdin.buffer.read().decode(errors="replace"))' >said
check "the record has what the log has" cmp said <(cast "$record" o)
check "characters, and what is none" grep -aq $'ä€\xef\xbf\xbd.*"|\033\\[1m' <(cast "$record" o)
check "what was typed" grep -aq $'echo \xc3\xa9\xef\xbf\xbd' <(cast "$record" i)
is "its sizes" "$(cast "$record" r)" "100x30 91x33 "
is "its head" "$(cast "$record" head)" "80 24 rec: tty0"
is "only the user may read it" "$(stat -c %a "$record")" 600
somebody run sh -c "LC_ALL=C.UTF-8 asciinema cat $record >played" <<<'status 0'
check "asciinema plays it" cmp said played
lodge halt rec
lodge rm rec

# Terminals that programs in the guest make, as sshd does.
image ptys.img < <(cat <<-'END'
	mkdir -p /dev/pts
	mount -t devpts pts /dev/pts
	echo up
	read -r go
	{ until grep -q ready /tmp/shown 2>/dev/null; do sleep 1; done; echo passw0rd; } |
		/bin/with 31 77 /bin/sh -c 'stty -echo; echo ready; read -r secret
			head -c 60000 /dev/zero' >/tmp/shown
	printf 'echo second$((2))\nstty rows 20 cols 60\nexit\n' | /bin/with 24 80 /bin/sh -i >/dev/null
	grep -c record /proc/cmdline; dmesg | grep -ci record; echo seen$((3))
	i=0
	while [ $i != 100 ]; do echo exit | /bin/with 1 1 /bin/sh & i=$((i + 1)); done >/dev/null
	wait
	echo many$((4))
	read -r go
END
)
debugfs -w -R "write ${with[0]} bin/with" ptys.img >/dev/null 2>&1
debugfs -w -R 'set_inode_field bin/with mode 0100755' ptys.img >/dev/null 2>&1
is "a guest in which others have terminals" \
	"$(start ptys --root ptys.img -d --record records)" ptys
eventually says ptys '^up'
(echo; sleep 1) | lodge console ptys >/dev/null 2>&1
check "they end" eventually says ptys '^many4'
is "the guest does not see it" "$(lodge logs ptys | tr -d '\r' | grep -B2 '^seen3' | xargs)" "0 0 seen3"
first=$(echo records/ptys-*-pty1.cast)
is "the first terminal has a record" "$(cast "$first" head)" "77 31 ptys: pts/0"
is "with what was typed without an echo" "$(cast "$first" i | grep -c passw0rd)" 1
is "and not shown" "$(cast "$first" o | grep -c passw0rd)" 0
is "all of it" "$(cast "$first" o | tr -dc '\0' | wc -c)" 60000
is "the second one has its own" "$(cast records/ptys-*-pty2.cast r)" "80x20 60x20 "
check "with what it has shown" grep -q second2 <(cast records/ptys-*-pty2.cast o)
is "and so have a hundred at a time" "$(find records -name 'ptys-*-pty*.cast' | wc -l)" 102
good=0
for file in records/ptys-*-pty*.cast; do cast "$file" o >/dev/null || good=1; done
is "each of them as it should be" $good 0
lodge kill ptys
lodge rm ptys

# A full disk: a small tmpfs, in a mount namespace that ends with lodge.
as_user mkdir small
small()
{
	as_user bwrap --dev-bind / / --size 131072 --tmpfs "$dir/user/small" --die-with-parent \
		sh -c 'head -c 65536 /dev/zero >small/ballast; exec timeout -s KILL 90 "$0" boot "$@"' \
		"$dir/lodge" "$@" </dev/null
}
image full.img <<-'END'
	echo before
	head -c 300000 /dev/zero
	echo after$((1))
	while :; do sleep 1; echo still; done
END
small full --root full.img --console attach --record small --append "$tag" >full.out 2>full.err &
small=$!
check "a record that finds its disk full does not hold the guest up" eventually says full '^after1'
check "it is said" eventually grep -q \
	'full: .*-tty0.cast: No space left on device: what is said now is not recorded' full.err
# Through the root directory of lodge, which alone has that tmpfs.
inside=/proc/$(pgrep -f "^$dir/lodge boot full")/root$dir/user/small
cp "$inside"/full-*-tty0.cast full.cast
check "the record ends with a whole line" quietly cast full.cast o
is "which is of before that" "$(cast full.cast o | grep -ac after1)" 0
rm "$inside/ballast"
goes_on() { cp "$inside"/full-*-tty0.cast full.cast && cast full.cast o | grep -aq still; }
check "when there is room again it goes on" eventually goes_on
check "and says what is missing" grep -q '^[0-9]* bytes are missing here $' <(cast full.cast m)
lodge kill full
wait $small
nothing_left "nothing is left"
done_testing
