#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Consoles, serial lines and records that cannot be: each is refused with the reason, before a
# guest is started.
# shellcheck disable=SC2317 # functions that are commands of others
# shellcheck source=full.sh
. "$(dirname "$0")/full.sh"
# shellcheck source=image.sh
. "$top/selftests/full/image.sh"

image none.img <<<'exit'
bad() { start bad --root none.img "$@"; }

refused "a kind that is none" 125 "--console frob: 'frob' is none of stdio, attach" \
	bad --console frob
refused "a kind that is mistyped" 125 "there is no kind 'prot'; did you mean 'port'?" \
	bad --serial prot=4000
refused "console 16" 125 "--console 16:null: a guest has consoles 0 to 15" bad --console 16:null
refused "serial line 64" 125 "--serial 64:null: a guest has serial lines 0 to 63" \
	bad --serial 64:null
refused "a number beyond all" 125 "a guest has consoles 0 to 15" \
	bad --console 99999999999999999999:null
refused "behind the last one" 125 "a guest has consoles 0 to 15" bad --console 15:null --console null
refused "the same console twice" 125 "--console 1:pty: there is a console 1 already" \
	bad --console 1:null --console 1:pty
refused "standard input twice" 125 "--serial stdio: console 0 has it already" \
	bad --console stdio --serial stdio
refused "standard input in the background" 125 "a guest in the background has no standard input" \
	bad --detach --console stdio
refused "a value too many" 125 "--console pty=x: nothing comes behind 'pty'" bad --console pty=x
refused "a value too few" 125 "--console port: it is port=[ADDRESS:]NUMBER" bad --console port
refused "an empty value" 125 "--console fd=: it is fd=NUMBER[:NUMBER]" bad --console fd=
refused "a key that is none" 125 "pty has no 'raw'" bad --console pty,raw
refused "a key without a value" 125 "pty has no 'record'" bad --console pty,record
refused "a login that is neither" 125 "login=maybe: neither yes nor no" \
	bad --console pty,login=maybe
refused "a port that is none" 125 "'70000' is not a port" bad --console port=70000
refused "a host by name" 125 "'localhost' is not an IP address" bad --console port=localhost:4000
refused "an address that is not here" 125 "Cannot assign requested address" \
	bad --console port=192.0.2.1:4000
exec 9<>/dev/null
refused "a descriptor that is not open" 125 "descriptor 99: Bad file descriptor" \
	bad --console fd=99
refused "lodge's own descriptors" 125 "0, 1 and 2 are lodge's own" bad --console fd=0
refused "a descriptor that is no number" 125 "'x' is not the number of a descriptor" \
	bad --console fd=9:x
exec 9</dev/null
refused "a descriptor for reading only" 125 "descriptor 9 is not open for writing" \
	bad --console fd=9
exec 9>&-
refused "a program that is not there" 125 "there is no program 'frob'" \
	env DISPLAY=:1 bash -c "$(declare -f bad start as_user); user=$user dir=$dir tag=$tag
		bad --console xterm=frob"
refused "no display" 125 "no DISPLAY to open a window on" \
	env -u DISPLAY -u WAYLAND_DISPLAY bash -c "$(declare -f bad start as_user)
		user=$user dir=$dir tag=$tag; bad --console xterm=true"
image port.img <<<'exit'
is "a guest that has a port" "$(start port --root port.img -d --console port=0 -- /bin/sh \
	-c 'while :; do sleep 100; done' 2>/dev/null)" port
taken=$(lodge console --list port | awk '$2 == "port" { print $3 }')
refused "a port that is in use" 125 "--console port=$taken: Address already in use" \
	bad --console "port=$taken"
lodge kill port
lodge rm port

mkdir closed && chmod 755 closed
as_user mkdir shared
as_user touch there
for how in "--console stdio,record=closed/x" "--record closed/x"; do
	! in_module || break
	# shellcheck disable=SC2086 # two words
	refused "a record in a directory that is not the user's" 125 "Permission denied" bad $how
done
refused "a record that is there already" 125 "record: $dir/user/there: File exists" \
	bad --console stdio,record=there
refused "a record in no directory" 125 "record=no/such: No such file or directory" \
	bad --console stdio,record=no/such
refused "a directory that is a file" 125 "--record there: " bad --record there
refused "a record of nothing" 125 "null has no 'record='" bad --console null,record=x
refused "a record that the guest would see" 125 "it is in the share $dir/user/shared" \
	bad --share shared --record shared/deep
refused "a file that it would see" 125 "it is in the share" \
	bad --share shared:ro --console stdio,record=shared/x
refused "a record of a guest that sees everything" 125 "record: it needs the sandbox" \
	bad --no-sandbox --record records
refused "one that runs a command" 125 "--console, --serial and --record are for guests with disks" \
	boot --serial pty -- true
is "nothing was made" "$(find closed shared records -mindepth 1 2>/dev/null; ls -d records 2>/dev/null)" ""
nothing_left "nothing is left"
done_testing
