#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Programs of a guest in the host's kernel run beside each other, and beside that kernel.
# shellcheck disable=SC2016,SC2317 # scripts of guests; functions that are commands of others
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=../lib/tap.sh
. "$top/selftests/lib/tap.sh"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
lodge=$top/build/lodge
helper=$top/build/selftests/module/helper-parallel

boot() { timeout -s KILL 300 "$lodge" boot --host=module --rootdir / "$@" </dev/null; }
no_module() { ! grep -q '^lodge_guest_' /proc/modules; }

is "a program runs while another one is in the guest's kernel" \
	"$(boot -- "$helper" spin)" beside
is "but not if the guest has one CPU of the host's only" \
	"$(taskset -c 0 "$lodge" boot --host=module --rootdir / -- "$helper" spin </dev/null)" alone

# What is taken from one that runs, for another one, is gone for the first at once.
truncate -s 128M "$out/swap"
mkswap -q "$out/swap"
is "memory is taken from one while another one runs, and all find what they wrote" \
	"$(boot -m 32M --disk "$out/swap" -- sh -c "swapon /dev/ubda && $helper pages 2 14 5
		awk '/^pswpin/ { print (\$2 > 200) }' /proc/vmstat" | xargs)" "right 1"

# One that runs beside the guest's kernel can be signalled, ended and paused.
is "signals reach it, and end it" "$(boot -- sh -c '
	sh -c "trap \"echo got; exit 3\" USR1; while :; do :; done" & one=$!
	sh -c "while :; do :; done" & other=$!
	sleep 1; kill -USR1 $one; kill -KILL $other; for pid in $one $other; do wait $pid; echo $?; done' \
	2>/dev/null | sort | xargs)" "137 3 got"
"$lodge" boot busy -d --host=module --rootdir / -- sh -c \
	'for i in 1 2; do sh -c "while :; do :; done" & done; sleep 1; echo up; wait' >/dev/null
up() { "$lodge" logs busy | grep -q up; }
check "a guest with two busy programs" eventually up
# Ticks that its processes have had from the host
ticks() { pgrep -x linux | sed 's|.*|/proc/&/stat|' | xargs awk '{ sum += $14 } END { print sum }'; }
"$lodge" pause busy
before=$(ticks)
sleep 2
is "is paused: none of them runs" "$(ticks)" "$before"
"$lodge" resume busy
goes_on() { [ "$(ticks)" -gt "$before" ]; }
check "and resumed: they go on" eventually goes_on
"$lodge" kill busy
"$lodge" rm busy
check "no module is left" eventually no_module
done_testing
