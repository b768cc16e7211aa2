#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The host's files under a guest: it sees them, and cannot change them, even as
# root with a mount of its own.
# shellcheck source=full.sh
. "$(dirname "$0")/full.sh"

# Files that the user could change outside.
as_user sh -c 'echo mine >file; mkdir sub; echo deep >sub/file; ln -s /etc/passwd link'
state() { ls -lR --time-style=full-iso file sub link; cat file sub/file; }
before=$(state)

is "the guest reads a file" "$(boot -- cat "$dir/user/file" </dev/null)" mine
is "it writes and removes, for itself" \
	"$(boot -- sh -c 'echo new >file; rm -r sub; touch /etc/more; cat file; ls' </dev/null)" \
	"$(printf 'new\nfile\nlink\nrun')"
is "the host's files are as before" "$(state)" "$before"

# In the sandbox hostfs shows a directory with that of --rootdir in it.
attack="mount -t hostfs -o \$1$dir/user none /mnt && cat /mnt/file &&
	for how in 'echo x >/mnt/file' 'ln /mnt/file /mnt/l' 'rm /mnt/file' 'mkdir /mnt/dir' 'touch -d 2001-01-01 /mnt/file' \
		'chmod 0 /mnt/file' 'mv /mnt/file /mnt/other' \
		'truncate -s 0 /mnt/file'; do
		sh -c \"\$how\" 2>/dev/null && echo \"done: \$how\"
	done"
is "root of the guest mounts them itself: reads, and changes nothing" \
	"$(boot -- sh -c "$attack" sh .rootdir </dev/null)" mine
is "the host's files are as before" "$(state)" "$before"
is "without a sandbox that attack works: the test can fail" \
	"$(boot --no-sandbox -- sh -c "$attack" </dev/null | grep -c 'done')" 8

# A directory that is not /: its ".." leads nowhere. The program is static.
as_user mkdir -p root/etc
as_user sh -c 'echo inside >root/etc/passwd; rm -f link; ln -s /etc/passwd root/link
	ln -s ../../../../../etc/passwd root/up'
cp "$top/build/selftests/full/helper-escape" root/escape
is "nothing outside of --rootdir is found" \
	"$(as_user timeout -s KILL 60 "$dir/lodge" boot --host "$guest_host" --append "$tag" --rootdir "$dir/user/root" \
		-- /escape "$dir/user" </dev/null)" \
	"$(printf '%s\n' "link: inside" "up: inside" "mount: not found" "mount ..: not found")"
nothing_left "no process is left"
done_testing
