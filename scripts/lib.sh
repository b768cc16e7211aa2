# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the scripts share. Sourced, never run.

LODGE_CACHE=${LODGE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/lodge}

say() { printf '%s\n' "lodge: $*" >&2; }

die()
{
	printf '%s\n' "lodge: error: $*" >&2
	exit 1
}

# as_root COMMAND...: with sudo when needed and there.
as_root()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "needs root: $* (run it as root, or install sudo)"
	fi
}

# candidate PACKAGE: the version apt would install, nothing if there is none.
candidate()
{
	apt-cache policy "$1" 2>/dev/null |
		sed -n 's/^  Candidate: //p' | grep -vx '(none)'
}

refresh_lists()
{
	say "apt-get update (the package lists are missing or out of date)"
	as_root apt-get -qq update || die "apt-get update failed"
}

# download PACKAGE[=VERSION]...: the .deb files into the current directory.
download()
{
	apt-get -qq download "$@" >/dev/null 2>&1 && return
	refresh_lists
	apt-get -qq download "$@" >/dev/null ||
		die "could not download: $* (apt-get download says why above)"
}

# Only one process at a time prepares a thing in the cache; others wait for it.
lock_cache()
{
	mkdir -p "$LODGE_CACHE" || die "cannot make $LODGE_CACHE"
	exec 9>"$LODGE_CACHE/$1.lock"
	flock -n 9 && return
	say "waiting for another run to prepare $1"
	flock 9
}
