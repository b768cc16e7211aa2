#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A guest that was given to a user: what he may do with it, and what not.
# shellcheck disable=SC2317 # functions that are commands of other functions
here=$(dirname "$0")
. "$here/tree.sh"

mkdir "$tree/t1" || exit
put 64M t1/memory.max
put 4M t1/memory.zswap.max

# try UID VALUE FILE: write as a user
try()
{
	# shellcheck disable=SC2016
	as "$1" bash -c 'printf "%s\n" "$1" >"$2"' - "$2" "$tree/t1/$3"
}

refused "a stranger may not lower a limit" "denied" try 1000 32M memory.max
check "he may read" as 1000 grep -q ^anon "$tree/t1/memory.stat"
chown -R 1000 "$tree/t1"
check "the new owner may lower a limit" try 1000 32M memory.max
check "and raise it to what the administrator set" try 1000 64M memory.max
refused "but not above" "not permitted" try 1000 65M memory.max
is "and is told so" "$(get t1/last_error)" \
	"t1: memory.max: 65M: the administrator allows 67108864 bytes at most"
refused "nor lift it" "not permitted" try 1000 max memory.max
refused "he may not take memory from the host" "not permitted" try 1000 1M memory.min
refused "nor raise the other limits" "not permitted" try 1000 8M memory.zswap.max
check "where there is no bound he sets what he likes" try 1000 8M memory.swap.max
check "and takes it back" try 1000 max memory.swap.max
refused "another user may do nothing" "denied" try 1001 16M memory.max
check "the administrator may raise it" put 128M t1/memory.max
check "and then the owner may too" try 1000 128M memory.max
refused "the owner may not remove the guest" "denied" as 1000 rmdir "$tree/t1"
refused "the owner may not give it to others" "not permitted" as 1000 chown 1001 "$tree/t1"
check "his file modes are his" as 1000 chmod 600 "$tree/t1/memory.max"
refused "and heeded" "denied" as 1001 cat "$tree/t1/memory.max"

# A descriptor acts for the one who opened it.
refused "a privileged program does not lend its rights to a descriptor" "not permitted" /usr/bin/python3 - "$tree/t1" <<'END'
import os, sys
os.seteuid(1000)
fd = os.open(sys.argv[1] + "/memory.max", os.O_WRONLY)
os.seteuid(0)
try:
    os.write(fd, b"1G")
except OSError as err:
    sys.exit(err.strerror)
END
is "which last_error says" "$(get t1/last_error)" "t1: memory.max: : somebody else opened the file"
file=$(mktemp)
truncate -s 1M "$file"
refused "a swap file is opened with the writer's rights" "denied" try 1000 "$file" memory.swap.file
rm "$file"

rmdir "$tree/t1"
done_testing
