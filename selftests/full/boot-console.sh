#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Detached guests: their consoles, what is left of them, how they end.
# shellcheck disable=SC2016,SC2317 # what the guest expands; functions that are commands of others
# shellcheck source=full.sh
. "$(dirname "$0")/full.sh"
# shellcheck source=image.sh
. "$top/selftests/full/image.sh"

image shell.img <<<'echo "hello from $(uname -s)"; while read -r line; do eval "$line"; done'
says() { lodge logs web 2>/dev/null | tr -d '\r' | grep -q "$1"; }
typed() { (printf '%s\n' "$1"; sleep 1) | lodge console web >/dev/null 2>&1; }

is "lodge boot --detach comes back with the name" "$(start web --root shell.img --detach)" web
check "it runs" eventually says '^hello from Linux'
is "it is listed" "$(lodge ls 2>/dev/null | awk '$1 == "web" { print $1 }')" web
refused "its name is taken" 125 "there is a full guest of this name already" \
	start web --root shell.img,ro
# Typed in two halves, by two who do not know of each other.
(printf 'echo tw'; sleep 1) | lodge console web >console.1 2>&1
check "what was said before is shown" grep -q 'hello from Linux' console.1
check "who leaves is told that it goes on, or ended" grep -q 'lodge: web: ' console.1
typed 'ice | cat'
check "what is typed arrives" eventually says '^twice'
typed 'head -c 200000 /dev/urandom | cksum | cat; head -c 90000 /dev/zero | cat >/dev/tty0; echo behind'
check "a console that nobody watches does not stop the guest" eventually says behind
refused "it cannot be forgotten while it runs" 1 "it runs" lodge rm web
lodge halt web
is "halt, where Ctrl-Alt-Del means a reboot" $? 0
is "it is not listed any more" "$(lodge ls 2>/dev/null | grep -c '^web')" 0
check "its log is still there" says behind
check "it is forgotten" lodge rm web
refused "then nothing is known of it" 1 "no such full guest" lodge logs web

is "a guest that is killed" "$(start web --root shell.img -d)" web
lodge kill web
check "its name is free at once" test "$(start web --root shell.img -d)" = web
check "it is up again" eventually says '^hello from Linux'
typed 'poweroff -f'
over() { ! lodge ls 2>/dev/null | grep -q '^web'; }
check "it can end by itself" eventually over
# The kernel from 6.1 knows no other way to go.
check "and its log says so" says 'reboot: \(Power down\|System halted\)'
lodge rm web

image broken.img <<<'echo c >/proc/sysrq-trigger; sleep 100'
out=$(start bad --root broken.img --detach -- /no/init 2>&1)
check "one that fails has a log" eventually quietly lodge logs bad
panicked() { lodge logs bad | grep -q panic; }
check "with its kernel's last words" eventually panicked
lodge rm bad

start fore --root shell.img >out 2>&1 &
eventually grep -q hello out
job=$!
lodge pause fore
pkill -TERM -f "^$dir/lodge boot fore"
wait "$job"
is "SIGTERM shuts a guest in the foreground down, also one that is paused" $? 0
rm -rf "$XDG_RUNTIME_DIR/lodge"
nothing_left "no process is left"
done_testing
