#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What can be behind a console or a serial line, each of them used.
# What changes the size of a window reaches the guest beside what is typed: it is waited for.
# shellcheck disable=SC2016,SC2317 # what the guest expands; functions that are commands of others
# shellcheck source=full.sh
. "$(dirname "$0")/full.sh"
# shellcheck source=image.sh
. "$top/selftests/full/image.sh"
# shellcheck source=consoles.sh
. "$top/selftests/full/consoles.sh"

shells shell.img
says() { lodge logs many "$1" 2>/dev/null | tr -d '\r' | grep -q "$2"; }
attached() { somebody run "$dir/lodge" console "$@"; }

as_user mkfifo typed.fifo
as_user touch shown
exec 7<>typed.fifo 8>>shown
is "a guest with consoles of all kinds" "$(start many --root shell.img --detach --console attach \
	--console pty --console port=0 --console 4:null --console 5:none --console fd=7:8 \
	--console port=0 \
	--serial port=0,raw --serial 3:pts --serial attach 2>said)" many
exec 7>&- 8>&-
check "where it has put them is said" grep -q 'many: console 1 is /dev/pts/' said
is "they are listed" "$(lodge console --list many | awk '{ print $1, $2 }' | xargs)" \
	"CONSOLE KIND 0 attach 1 pty 2 port 4 null 5 none 6 fd 7 port s0 port s3 pty s4 attach"

check "lodge console: keys, window size, Ctrl-] three times" attached many <<-'END'
	expect hello from tty0
	type until [ "$(stty size)" = "30 100" ]; do sleep 0.1; done; echo one$((1))\r
	expect one1
	size 41 121
	type until [ "$(stty size)" = "41 121" ]; do sleep 0.1; done; echo larger$((1))\r
	expect larger1
	type \x1d\x1d\x1d
	expect left; it goes on
	status 0
END
check "a second console at the same time" eventually says s4 'hello from ttyS4'
attached many s4 <<-'END' &
	expect hello from ttyS4
	touch second
	await first
	type echo four$((4))\r
	expect four4
	type \x1d\x1d\x1d
	status 0
END
second=$!
check "each has its own" attached many 0 <<-'END'
	await second
	type echo none$((0))\r
	expect none0
	forbid four
	touch first
	type \x1d\x1d\x1d
	status 0
END
wait $second
is "the other one, too" $? 0
(echo 'echo in$((6)); stty size' >typed.fifo) &
in_file() { tr -d '\r' <shown | grep -q "$1"; }
check "descriptors" eventually in_file '^in6$'
check "what was said there before is in them" in_file 'hello from tty6'

check "a pseudo-terminal, and its size" somebody open "$(place many 1)" <<-'END'
	expect hello from tty1
	size 33 91
	type until [ "$(stty size)" = "33 91" ]; do sleep 0.1; done; echo pty$((7))\r
	expect pty7
END
check "its name that stays" somebody open run/lodge/many/consoles/s3.pty <<-'END'
	expect hello from ttyS3
	type echo serial$((3)); head -c 1 | busybox od -An -tx1\r
	expect serial3
	type \xff\r
	expect ff
END
check "who comes after another sees the last output" somebody open "$(place many 1)" <<-'END'
	expect pty7
	type echo again$((8))\r
	expect again8
END

read -r address port < <(place many 2 | sed 's/:\([0-9]*\)$/ \1/')
is "a port is open on this machine only" "$address" 127.0.0.1
check "telnet: options, window size, Return, IAC" somebody tcp "$address" "$port" <<-'END'
	expect \xff\xfb\x01
	expect \xff\xfb\x03
	expect \xff\xfd\x03
	expect \xff\xfb\x00
	expect \xff\xfd\x00
	expect \xff\xfd\x1f
	expect hello from tty2
	type \xff\xfd\x01\xff\xfd\x03\xff\xfb\x1f\xff\xfa\x1f\x00\x5b\x00\x21\xff\xf0
	type until [ "$(stty size)" = "33 91" ]; do sleep 0.1; done; echo sized$((2))\r\x00
	expect sized2\r\n
	type stty size; echo end$((9)) | cat -A\r\n
	expect end9$\r\n
	type printf '\\377|'\r\x00
	expect \xff\xff|
	type \xff\xfb\x00
	type busybox stty -icanon; head -c 3 | busybox od -An -tx1; busybox stty icanon\r
	expect stty icanon
	type \xff\xff\x00\x0d
	expect ff 00 0a
END
check "a real telnet client" somebody run busybox telnet "$address" "$port" <<-'END'
	expect hello from tty2
	type until [ "$(stty size)" = "30 100" ]; do sleep 0.1; done; echo real$((5))\r
	expect real5
END
read -r address port < <(place many 7 | sed 's/:\([0-9]*\)$/ \1/')
for n in 1 20 300 4000 50000 600000; do
	somebody tcp "$address" "$port" <<<"random $n" || break
done
check "nonsense does no harm: the next one is served" somebody tcp "$address" "$port" <<-'END'
	expect \xff\xfd\x1f
	expect hello from tty7
END
read -r address port < <(place many s0 | sed 's/:\([0-9]*\)$/ \1/')
check "a port without a protocol" somebody tcp "$address" "$port" <<-'END'
	expect hello from ttyS0
	forbid \xff
	type echo raw$((1)); printf '\\377|'\n
	expect raw1
	expect \r\n\xff|
END

lines=$(printf 'true %0100d\\n' {1..100})
check "more than is read: the line is still listened to" attached many s4 <<-END
	expect four4
	type sleep 2; echo slept\$((1))\\n
	type $lines
	type echo awake\$((2))\\n
	expect slept1
	expect awake2
	type \\x1d\\x1d\\x1d
	status 0
END
somebody tcp "$address" "$port" <<-'END' &
	expect hello from ttyS0
	type touch /tmp/go; head -c 2000000 /dev/zero; echo over >/tmp/over\n
	touch flooded
	await flood-over
	end
END
stalled=$!
eventually test -e flooded
over() { (echo '[ -e /tmp/over ] && echo it-is-$((10))'; sleep 0.3) | lodge console many s4 2>/dev/null |
	grep -q it-is-10; }
check "a client that stands still does not hold the guest up" eventually over
as_user touch flood-over
wait $stalled
is "it was sent away" $? 0
for n in 1 2 3 4 5 6 7 8; do
	somebody tcp "$address" "$port" < <(printf '%s\n' "touch in.$n" "await all-done") &
done
all_in() { set -- in.*; [ $# = 8 ]; }
eventually all_in
check "no more than eight are let in" somebody tcp "$address" "$port" <<<end
as_user touch all-done
wait

refused "no console of that number" 1 "console 9: there is no such console; it has 0, 1, 2, 4" \
	lodge console many 9
refused "one that is null" 1 "console 4: it is null: there is nobody to talk to" \
	lodge console many 4
refused "a number that is none" 1 "console x: neither a number" lodge console many x
refused "a path" 1 "console ../: neither a number" lodge console many ../
refused "a log of none" 1 "console 5: it has no log" lodge logs many 5
(echo '[ -c /dev/tty4 ] && echo is-null >/dev/tty4 && [ ! -e /dev/tty5 ] && echo right$((2))'
	sleep 1) | lodge console many >/dev/null 2>&1
check "null is there, and none is not" eventually says 0 right2
lodge halt many
check "its logs stay" says 2 'hello from tty2'
lodge rm many

# The program's window is a terminal of 44 lines; it types what "window" says.
cat >"$dir/xterm" <<-END
	#!/bin/sh
	while [ "\$1" != -e ]; do shift; done
	shift
	exec python3 $dir/helper-console.py run "\$@" <$dir/user/window >>$dir/user/window.log 2>&1
END
chmod +x "$dir/xterm"
as_user sh -c 'cat >window' <<-END
	expect hello from tty1
	size 44 99
	type until [ "\$(stty size)" = "44 99" ]; do sleep 0.1; done; echo window\$((1))\\r
	expect window1
	touch $dir/user/window-was-there
	await $dir/user/window-closes
	end
	touch $dir/user/window-closed
END
is "a guest with a window" "$(DISPLAY=:99 PATH=$dir:$PATH start win --root shell.img -d \
	--console attach --console xterm)" win
check "somebody types in it" eventually test -e window-was-there
is "it is listed" "$(place win 1)" "$dir/xterm"
as_user touch window-closes
lodge halt win
check "it is closed with the guest" eventually test -e window-closed
lodge rm win

# The real one, on a display that nobody sees.
printf '#!/bin/sh\nexec xterm -geometry 91x23 "$@"\n' >"$dir/window"
chmod +x "$dir/window"
as_user sh -c 'echo $$ >xvfb.pid; exec Xvfb -displayfd 9 -screen 0 800x600x8 9>display' \
	>/dev/null 2>&1 &
eventually test -s display
is "a guest with an xterm" "$(DISPLAY=:$(cat display) start x --root shell.img -d --console attach \
	--console "xterm=$dir/window")" x
large() { (echo 'stty size'; sleep 0.5) | lodge console x 1 2>/dev/null | grep -q '^23 91'; }
check "the guest's terminal is as large as the window" eventually large
lodge halt x
lodge rm x
windows() { pgrep -f -- '-T x: console 1'; }
closed() { ! windows >/dev/null; }
check "the window is closed with the guest" eventually closed
kill "$(cat xvfb.pid)"

is "--serial stdio, with no console: its kernel speaks there" "$(start line --root shell.img \
	--console none --serial stdio -- /bin/sh -c \
	'mount -t proc p /proc; echo at $(head -c 5 /proc/consoles); poweroff -f' 2>&1 | tr -d '\r' |
	grep -c -e '^at ttyS0' -e 'console \[ttyS0\] enabled')" 2

check "standard input and output, and a second console" somebody run "$dir/lodge" boot fore \
	--append "$tag" --root shell.img --console stdio --serial attach <<-'END'
	expect hello from tty0
	type until [ "$(stty size)" = "30 100" ]; do sleep 0.1; done; echo fore$((1))\r
	expect fore1
	size 52 111
	type until [ "$(stty size)" = "52 111" ]; do sleep 0.1; done; echo larger$((1))\r
	expect larger1
	type poweroff -f\r
	expect reboot:
	status 0
END
nothing_left "no process is left"
done_testing
