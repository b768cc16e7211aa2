#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# python3 in a guest: large structures, sorting, JSON, threads, processes.
. "$(dirname "$0")/program.sh"

cat >"$work/work.py" <<'END'
import hashlib, json, random, subprocess, sys, threading

count = int(sys.argv[1])

random.seed(4711)
digest = hashlib.sha256()

rows = [{"id": i, "name": "n%05d" % random.randrange(100000), "data": [random.random() for _ in range(4)]}
        for i in range(count)]
text = json.dumps(rows)
again = json.loads(text)
assert again == rows
digest.update(text.encode())

rows.sort(key=lambda r: (r["name"], r["id"]))
digest.update(json.dumps([r["id"] for r in rows]).encode())

for i in range(3):
    out = subprocess.run(["sort", "-n"], input="\n".join(str(random.randrange(10**6)) for _ in range(count // 2)),
                         capture_output=True, text=True, check=True).stdout
    assert out.split() == sorted(out.split(), key=int)
    digest.update(out.encode())

sums = [0] * 4
def add(n):
    sums[n] = sum(len(r["name"]) + r["id"] * (n + 1) for r in again)
threads = [threading.Thread(target=add, args=(n,)) for n in range(4)]
[t.start() for t in threads]
[t.join() for t in threads]
digest.update(str(sums).encode())
print(digest.hexdigest())
END
if debug_kernel; then count=2000; else count=5000; fi
python3 "$work/work.py" $count >"$work/host"
check "on the host" test -s "$work/host"
guest python 8M 256M
inside python3 "$work/work.py" $count >"$work/guest"
check "in the guest" test -s "$work/guest"
check "the same results" cmp "$work/host" "$work/guest"
the_end
done_testing
