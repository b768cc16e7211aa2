#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# One command in a full guest: what goes in and what comes out.
# shellcheck source=full.sh
. "$(dirname "$0")/full.sh"

is "its output comes back" "$(boot -- echo 'a  b' c </dev/null)" "a  b c"
is "the kernel is another" \
	"$(boot -- cat /proc/sys/kernel/ostype /proc/cpuinfo </dev/null | grep -c 'User Mode Linux')" 1
boot -- sh -c 'exit 7' </dev/null
is "so does its exit status" $? 7
# shellcheck disable=SC2016 # for the guest's shell
boot -- sh -c 'kill -9 $$' </dev/null
is "killed by a signal: 128 + its number" $? 137
refused "a command that is not there" 127 "nosuch: command not found" boot -- nosuch
refused "one that cannot be run" 126 "/etc/passwd: Permission denied" boot -- /etc/passwd

is "standard output and error stay apart: output" \
	"$(boot -- sh -c 'echo out; echo err >&2' 2>/dev/null </dev/null)" out
is "standard output and error stay apart: error" \
	"$(boot -- sh -c 'echo out; echo err >&2' 2>&1 >/dev/null </dev/null)" err

is "input goes in, and its end too" "$(printf 'x\ny' | boot -- wc)" "      1       2       3"
sum=$(seq 60000 | md5sum)
is "much of it, and every byte comes back" "$(seq 60000 | boot -- cat | md5sum)" "$sum"
is "bytes that a terminal would take for keys" \
	"$(printf '\003\004\021\023\032\r\n\377' | boot -- od -An -tx1)" \
	" 03 04 11 13 1a 0d 0a ff"
is "input that nobody reads is no hindrance" "$(seq 60000 | boot -- echo end)" end
is "a reader that goes ends the command" "$(boot -- yes </dev/null | head -n 1)" y
is "a megabyte of output" "$(boot -- head -c 1000000 /dev/zero </dev/null | wc -c)" 1000000

# shellcheck disable=SC2016 # for the guest's shell
{
is "variables are given by name" \
	"$(A=1 B=2 boot -e A -e C=3 -- sh -c 'echo "$A-$B-$C"' </dev/null)" 1--3
}
is "it starts where we are" "$(boot -- pwd </dev/null)" "$dir/user"
is "or where it is told to" "$(boot -C /usr/bin -- pwd </dev/null)" /usr/bin
is "the guest's name is its host name" "$(boot --name web -- hostname </dev/null)" web
is "a long command line" \
	"$(boot -- sh -c 'echo $#' $(seq 5000) </dev/null)" 4999
is "random numbers are there at once" "$(boot -- timeout 5 head -c 16 /dev/random </dev/null | wc -c)" 16
nothing_left "no process is left"
done_testing
