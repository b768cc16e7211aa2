# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# For the tests of the control tree: TAP output, and the tree mounted.

tree=${LODGE_ROOT:-/sys/fs/lodge}
tests=0
failed=0

# result STATUS TEXT: one line of TAP
result()
{
	tests=$((tests + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tests - $2"
	else
		failed=$((failed + 1))
		echo "not ok $tests - $2"
	fi
}

# check TEXT COMMAND...: the command succeeds
check()
{
	local text=$1
	shift
	if "$@"; then result 0 "$text"; else result 1 "$text"; fi
}

# is TEXT GOT WANTED: two strings are the same
is()
{
	if [ "$2" = "$3" ]; then
		result 0 "$1"
	else
		result 1 "$1"
		echo "#   got:    $2"
		echo "#   wanted: $3"
	fi
}

# refused TEXT ERRNO COMMAND...: the command fails and names the error in words
refused()
{
	local text=$1 error=$2 out
	shift 2
	if out=$("$@" 2>&1); then
		result 1 "$text"
		echo "#   it was not refused"
	elif [[ $out = *"$error"* ]]; then
		result 0 "$text"
	else
		result 1 "$text"
		echo "#   got:    $out"
		echo "#   wanted: $error"
	fi
}

# put VALUE FILE: one write(2), whose error this prints
put()
{
	printf '%s\n' "$1" >"$tree/$2"
}

# get FILE
get()
{
	cat "$tree/$1"
}

# eventually COMMAND...: it succeeds within a minute, which a loaded machine may need
eventually()
{
	local i
	for ((i = 0; i < 600; i++)); do
		"$@" && return 0
		sleep 0.1
	done
	return 1
}

# as UID COMMAND...: as a user without privileges
as()
{
	local uid=$1
	shift
	setpriv --reuid "$uid" --regid "$uid" --clear-groups "$@"
}

done_testing()
{
	echo "1..$tests"
	[ "$failed" = 0 ]
	exit
}

echo "TAP version 13"
if [ ! -e "$tree/version" ] && ! mount -t lodge lodge "$tree"; then
	echo "Bail out! $tree cannot be mounted"
	exit 1
fi
