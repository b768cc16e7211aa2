#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The directories of the control tree: what can be made and removed, and what not.
here=$(dirname "$0")
. "$here/tree.sh"

is "the root has two files" "$(cd "$tree" && echo *)" "last_error version"
check "version names the memory subsystem" grep -q '^subsystems.* memory' "$tree/version"
is "the root is the administrator's" "$(stat -c '%u %g %a' "$tree")" "0 0 755"
is "statfs tells the type" "$(stat -f -c %t "$tree")" 6c6f6467

check "mkdir makes a guest" mkdir "$tree/t1"
is "it has the modes of the table" "$(cd "$tree/t1" && stat -c '%n %a' -- * | sort | tr '\n' ' ')" \
"autoremove 644 kind 444 last_error 444 memory.current 444 memory.events 444 memory.max 644 memory.min 644 \
memory.peak 444 memory.reclaim 200 memory.stat 444 memory.swap.current 444 memory.swap.file 644 \
memory.swap.max 644 memory.zswap.current 444 memory.zswap.max 644 procs 644 "
is "it is a confined one" "$(get t1/kind)" confined
is "the root has one more link" "$(stat -c %h "$tree")" 3
refused "twice is refused" "File exists" mkdir "$tree/t1"
(umask 077 && mkdir "$tree/t2")
is "a umask makes it private" "$(stat -c %a "$tree/t2")" 700

for name in .hidden -dash 'a b' 'ä' 'a:b' "$(printf 'x%.0s' {1..64})" $'new\nline'; do
	refused "the name ${name@Q} is refused" "Invalid argument" mkdir -- "$tree/$name"
done
check "last_error gives the reason" grep -q '^new?line: a name has only letters' "$tree/last_error"
name=$(printf 'x%.0s' {1..63})
check "a name of 63 bytes is good" mkdir "$tree/$name"
check "and goes" rmdir "$tree/$name"
check "all good characters together" mkdir "$tree/Az09_.-"
check "and go" rmdir "$tree/Az09_.-"

refused "no directory in a guest" "not permitted" mkdir "$tree/t1/sub"
refused "no other file in a guest" "denied" touch "$tree/t1/new"
refused "no other file in the root" "denied" touch "$tree/new"
refused "no rename" "not permitted" mv -T "$tree/t1" "$tree/t3"
refused "no link" "not permitted" ln "$tree/t1/procs" "$tree/t1/procs2"
refused "no symbolic link" "not permitted" ln -s /tmp "$tree/link"
refused "no unlink" "not permitted" rm "$tree/t1/procs"
refused "no unlink in the root" "not permitted" rm "$tree/version"
refused "no device" "not permitted" mknod "$tree/null" c 1 3

refused "others make no guests" "denied" as 1000 mkdir "$tree/t4"
refused "nor remove them" "denied" as 1000 rmdir "$tree/t1"
chmod 777 "$tree"
refused "nor with write permission alone" "not permitted" as 1000 mkdir "$tree/t4"
check "which last_error says" grep -q '^t4: making a guest takes' "$tree/last_error"
chmod 755 "$tree"
chown 1000 "$tree"
check "the tree's new owner makes guests" as 1000 mkdir "$tree/t4"
is "and owns them" "$(stat -c '%u %g' "$tree/t4" "$tree/t4/memory.max" | sort -u)" "1000 1000"
refused "the owner of the tree is one user" "denied" as 1001 mkdir "$tree/t5"
check "he removes them" as 1000 rmdir "$tree/t4"
chown 0 "$tree"

exec 7<"$tree/t1/memory.stat" 8>"$tree/t1/memory.max"
check "rmdir removes a guest with its files" rmdir "$tree/t1"
check "its name is gone" test ! -e "$tree/t1"
refused "a file that is still open cannot be read" "No such device" cat <&7
refused "nor written" "No such device" bash -c 'echo 1M >&8'
exec 7<&- 8>&-
(cd "$tree/t2" && rmdir "$tree/t2" && ! ls memory.max 2>/dev/null && ! mkdir x 2>/dev/null)
result $? "a directory that somebody is in goes too"

mkdir "$tree/t6"
(cd "$tree/t6" && exec sleep 30) &
sleeper=$!
check "what is mounted on a guest's file does not hold it" \
	unshare -m sh -c "mount --bind /etc/hostname $tree/t6/memory.max && rmdir $tree/t6"
kill $sleeper
wait $sleeper 2>/dev/null

# Guests, mounts and the module
other=$(mktemp -d)
mkdir "$tree/t7"
mount -t lodge lodge -o ro "$other"
check "a second mount shows the same guests" test -d "$other/t7"
refused "it may be read-only" "Read-only" mkdir "$other/t8"
check "which the first is not" rmdir "$tree/t7"
check "and sees" test ! -e "$other/t7"
refused "the module stays while it is mounted" "in use" rmmod lodge
umount "$other"
mkdir "$tree/t7"
umount "$tree"
refused "the module stays while there is a guest" "in use" rmmod lodge
mount -t lodge lodge "$tree"
check "the guest was not hurt" test -r "$tree/t7/memory.max"
exec 7<"$tree/t7/procs"
rmdir "$tree/t7"
umount -l "$tree"
refused "the module stays while a file is open" "in use" rmmod lodge
exec 7<&-
mount -t lodge lodge "$tree"
rmdir "$other"

refused "not in a user namespace" "permission denied" unshare -Urm mount -t lodge lodge /mnt

done_testing
