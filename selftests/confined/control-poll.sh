#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Polling memory.events.
here=$(dirname "$0")
. "$here/tree.sh"

mkdir "$tree/t1" || exit
put 8M t1/memory.max

# Fills 32 MiB in the guest, which runs into its limit.
hog()
{
	bash -c "echo 0 >$tree/t1/procs && exec /usr/bin/python3 -c 'import os; b = os.urandom(32 << 20)'" >/dev/null 2>&1
	true
}

coproc poller {
	exec /usr/bin/python3 -u - "$tree/t1" <<'END'
import os, select, sys
fd = os.open(sys.argv[1] + "/memory.events", os.O_RDONLY)
p = select.poll()
p.register(fd, select.POLLPRI)
def state(ms):
    got = p.poll(ms)
    return got[0][1] if got else 0
print(state(0))
os.pread(fd, 4096, 0)
print(state(0))
print(state(120000))
print(state(0))
print(os.pread(fd, 4096, 0).decode().split("\n")[2].split()[1] != "0")
while state(1000):
    os.pread(fd, 4096, 0)
print("quiet")
print(state(60000))
try:
    # Late events of the guest's own may have woken us first.
    while True:
        os.pread(fd, 4096, 0)
        if not state(60000):
            print("not woken")
            break
except OSError as err:
    print(err.strerror)
END
}
# bash closes its own end when the poller has ended, read or not.
exec {from}<&"${poller[0]}"
pri_err=10
read -r line <&"$from"
is "a descriptor that was never read is ready" "$line" $pri_err
read -r line <&"$from"
is "one that was read is not" "$line" 0
hog &
read -r line <&"$from"
is "a change wakes its poller" "$line" $pri_err
read -r line <&"$from"
is "and it stays ready until it is read" "$line" $pri_err
read -r line <&"$from"
is "the limit was hit" "$line" True
wait $!
read -r line <&"$from"
is "then it is quiet" "$line" quiet
eventually rmdir "$tree/t1" 2>/dev/null
result $? "the guest can be removed"
read -r line <&"$from"
is "which wakes its poller" "$line" $pri_err
read -r line <&"$from"
is "and its file is dead" "$line" "No such device"
done_testing
