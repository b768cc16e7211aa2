# SPDX-License-Identifier: GPL-2.0
"""Tests of ls, stat, ps and top."""

import json
import os
import pty
import re
import select
import time

from harness import LODGE, expect, figures, lodge, same, start, test, wait_for


FIGURES_OF_WEB = {
    "memory.current": 48 << 20, "memory.peak": 60 << 20, "memory.zswap.current": 12 << 20,
    "memory.swap.current": 3 << 29, "pgfault": 1000, "pgmajfault": 10, "workingset_refault": 5,
    "anon": 36 << 20, "newer_than_this_command": 77, "oom_kill": 2,
}


@test
def ls():
    same(expect(lodge("ls")).out, "NAME  PROCS  CURRENT  MAX  STORE  SWAP\n")
    same(expect(lodge("ls", "-q")).out, "")
    same(json.loads(expect(lodge("ls", "--json")).out), [])
    lodge("create", "-m", "64M", "web")
    lodge("create", "a-longer-name")
    figures(web=FIGURES_OF_WEB)
    same(expect(lodge("ls")).out,
         "NAME           PROCS  CURRENT  MAX  STORE  SWAP\n"
         "a-longer-name      0        0  max      0     0\n"
         "web                0      48M  64M    12M  1.5G\n")
    same(expect(lodge("ls", "-q")).out, "a-longer-name\nweb\n")
    listing = json.loads(expect(lodge("ls", "--json")).out)
    same(listing[0]["memory.max"], "max")
    same(listing[1], {"name": "web", "kind": "confined", "procs": 0,
                      "memory.current": 48 << 20, "memory.max": 64 << 20,
                      "memory.zswap.current": 12 << 20, "memory.swap.current": 3 << 29})
    expect(lodge("ls", "web"), status=1, err="takes no names")
    lodge("destroy", "web", "a-longer-name")


@test
def stat():
    lodge("create", "-m", "64M", "web")
    lodge("create", "db")
    figures(web=FIGURES_OF_WEB)
    out = expect(lodge("stat", "web")).out
    for line in (r"^web$", r"^    memory.max +64M$", r"^    memory.swap.current +1.5G$",
                 r"^    anon +36M$", r"^    pgfault +1000$", r"^    memory.swap.file +none$",
                 r"^  Other$\n^    newer_than_this_command +77$", r"^    oom_kill +2$"):
        assert re.search(line, out, re.M), (line, out)
    shown = json.loads(expect(lodge("stat", "--json", "web")).out)
    same((shown["name"], shown["memory.max"], shown["memory.zswap.max"], shown["procs"]),
         ("web", 64 << 20, "max", []))
    same(shown["memory.stat"]["newer_than_this_command"], 77)
    same(shown["memory.events"]["oom_kill"], 2)
    same([guest["name"] for guest in json.loads(expect(lodge("stat", "--json")).out)], ["db", "web"])
    same([guest["name"] for guest in json.loads(expect(lodge("stat", "--json", "web", "db")).out)],
         ["web", "db"])
    expect(lodge("stat", "wbe"), status=1, err="wbe: no such guest: did you mean 'web'")
    lodge("destroy", "web", "db")


@test
def ps():
    same(expect(lodge("ps")).out.split(), ["PID", "GUEST", "POOL", "COMMAND"])
    with start("run", "-n", "web", "sleep", "60") as run:
        wait_for(lambda: "sleep" in lodge("ps").out)
        assert re.search(r"^ *\d+  web +\S+  sleep 60$", lodge("ps", "web").out, re.M)
        run.terminate()
    expect(lodge("ps", "web"), status=1, err="no such guest")


@test
def top_batch():
    lodge("create", "-m", "64M", "web")
    lodge("create", "db")
    figures(web=FIGURES_OF_WEB)
    with start("top", "--batch", "-d", "0.5", "-n", "2") as top:
        time.sleep(0.2)
        figures(web={**FIGURES_OF_WEB, "pgfault": 2000})
        out = top.communicate()[0]
    samples = [[line.split() for line in sample.splitlines()] for sample in out.split("\n\n")]
    same([len(sample) for sample in samples], [3, 3])
    same(samples[0][0], ["NAME", "PROCS", "CURRENT", "MAX", "STORE", "SWAP", "FAULT/s", "MAJOR/s",
                         "REFAULT/s"])
    same([row[0] for row in samples[0]], ["NAME", "web", "db"])
    assert 1000 <= int(samples[0][1][6]) <= 2000, samples
    same(samples[1][1][6:], ["0", "0", "0"])
    by_name = expect(lodge("top", "-b", "-n", "1", "-d", "0.05", "--sort", "name")).out
    same([line.split()[0] for line in by_name.splitlines()], ["NAME", "db", "web"])
    expect(lodge("top"), status=1, err="not a terminal: use --batch")
    expect(lodge("top", "-b", "-d", "0"), status=1, err="delay: 0: not a number of seconds")
    expect(lodge("top", "-b", "-n", "x"), status=1, err="iterations: x")
    expect(lodge("top", "-b", "-s", "faulst"), status=1, err="did you mean 'faults'")
    lodge("destroy", "web", "db")


@test
def top_live():
    lodge("create", "-m", "64M", "web")
    figures(web=FIGURES_OF_WEB)
    pid, terminal = pty.fork()
    if not pid:
        os.environ.update(TERM="xterm", LINES="24", COLUMNS="120")
        os.execv(LODGE, [LODGE, "top", "-d", "0.1"])
    text = b""
    for key in (b"s", b"r", b"+", b"\x1b[B", b"q"):
        end = time.monotonic() + 0.4
        while time.monotonic() < end:
            if select.select([terminal], [], [], 0.05)[0]:
                text += os.read(terminal, 65536)
        os.write(terminal, key)
    while True:
        try:
            text += os.read(terminal, 65536)
        except OSError:
            break
    same(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
    os.close(terminal)
    for part in (b"web", b"48M", b"|||", b"===", b"sorted by", b"faults"):
        assert part in text, (part, text)
    lodge("destroy", "web")
