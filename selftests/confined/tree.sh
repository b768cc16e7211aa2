# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# For the tests of the control tree: TAP output, and the tree mounted. Sourced.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/tap.sh"

tree=${LODGE_ROOT:-/sys/fs/lodge}
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

# get FILE: without a process of its own, as a start is dear on a kernel that checks itself.
# A read that fails passes for an empty file: look at the text.
get()
{
	local text

	mapfile -d '' text <"$tree/$1" && printf %s "${text[@]}"
}

# as UID COMMAND...: as a user without privileges
as()
{
	local uid=$1
	shift
	setpriv --reuid "$uid" --regid "$uid" --clear-groups "$@"
}

if [ ! -e "$tree/version" ] && ! mount -t lodge lodge "$tree"; then
	echo "Bail out! $tree cannot be mounted"
	exit 1
fi
