#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A guest in the host's kernel that boots again, after its memory.max was lowered.
# shellcheck disable=SC2317 # functions that are commands of others
export LODGE_TEST_HOST=module
full=$(cd "$(dirname "$0")/../full" && pwd)
# shellcheck source=../full/full.sh
. "$full/full.sh"
# shellcheck source=../full/image.sh
. "$full/image.sh"

image again.img <<'END'
echo "has $(head -n 1 /proc/meminfo | cut -c 10-) of memory"
while sleep 1; do :; done
END
booted() { [ "$(lodge logs again | grep -c 'kB of memory')" = "$1" ]; }

start again --root again.img -m 64M --detach >/dev/null
check "it boots" eventually booted 1
check "memory.max is lowered" lodge set again memory.max=40M
quietly lodge mconsole again reboot
check "it boots again" eventually booted 2
check "with no more memory than that" \
	[ "$(lodge logs again | sed -n 's/.*has *\([0-9]*\) kB.*/\1/p' | tail -n 1)" -lt 40960 ]
check "memory.max is lowered once more" lodge set again memory.max=36M
lodge kill again
lodge rm again
nothing_left "nothing is left"
done_testing
