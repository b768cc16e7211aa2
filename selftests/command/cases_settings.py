# SPDX-License-Identifier: GPL-2.0
"""Tests of create, set and destroy."""

import errno
import os
import pwd
import re
import signal

from harness import expect, figures, guests, lodge, procs, same, start, test, value, wait_for


@test
def create_and_destroy():
    expect(lodge("create", "-m", "64M", "--min", "8M", "--zswap-max", "16M", "web"))
    same(value("web", "memory.max"), str(64 << 20))
    same(value("web", "memory.min"), str(8 << 20))
    same(value("web", "memory.zswap.max"), str(16 << 20))
    same(value("web", "autoremove"), "0")
    expect(lodge("create", "web"), status=1, err="^lodge: web: there is a guest of this name")
    expect(lodge("destroy", "web", "wob"), status=1, err="^lodge: wob: no such guest: .*'web'")
    same(guests(), ["web"])
    expect(lodge("destroy", "web"))
    same(guests(), [])


@test
def bad_names():
    for name, reason in (("a/b", "slash"), ("", "empty"), (".a", "begins with '.'"),
                         ("a b", "character"), ("x" * 64, "63 characters"), ("ä", "character")):
        expect(lodge("create", "--", name), status=1, err=reason)
        expect(lodge("run", "--name", name, "true"), status=125, err=reason)
        expect(lodge("stat", "--", name), status=1, err=reason)
    expect(lodge("create", "--", "-a"), status=1, err="lodge: -a: name: begins with '-'")
    expect(lodge("create", "x" * 63))
    expect(lodge("destroy", "x" * 63))


@test
def bad_sizes():
    for size in ("12Q", "", "M", "-1", "1.5G", "0x10", "1KK", "99999999999999999999", "16777216T",
                 "1P", "1E",
                 "18446744073709551615", " 1M", "1M "):
        expect(lodge("create", "-m", size, "web"), status=1,
               err=f"^lodge: web: memory.max: {re.escape(size)}: not a size")
    expect(lodge("run", "--min", "12Q", "--name", "web", "true"), status=125,
           err="^lodge: web: memory.min: 12Q: not a size")
    same(guests(), [])


@test
def good_sizes():
    lodge("create", "web")
    for text, size in (("4096", 4096), ("4K", 4096), ("4k", 4096), ("4KiB", 4096), ("4kB", 4096),
                       ("4096B", 4096), ("3G", 3 << 30), ("max", "max")):
        expect(lodge("set", "web", f"memory.zswap.max={text}"))
        same(value("web", "memory.zswap.max"), str(size))
    lodge("destroy", "web")


@test
def pool_larger_than_memory():
    expect(lodge("create", "-m", "900T", "web"), status=1,
           err="^lodge: web: memory.max: 900T: the machine has .* of memory")
    same(guests(), [])
    expect(lodge("run", "-m", "900T", "--name", "web", "true"), status=125,
           err="^lodge: web: memory.max: 900T: the machine has .* of memory")
    same(guests(), [])


@test
def reason_of_a_refused_mkdir():
    figures(web={"no_mkdir": 1})
    expect(lodge("create", "web"), status=1, err="^lodge: web: too many guests$")
    expect(lodge("run", "-n", "web", "true"), status=125, err="^lodge: web: too many guests$")


@test
def set_all_or_nothing():
    lodge("create", "-m", "64M", "--zswap-max", "8M", "web")
    refused = expect(lodge("set", "web", "memory.zswap.max=9M", "memory.max=900T"), status=1,
                     err="^lodge: web: memory.max: 900T: the machine")
    assert "web: memory.zswap.max: put back to 8388608" in refused.err, refused.err
    same(value("web", "memory.zswap.max"), str(8 << 20))
    same(value("web", "memory.max"), str(64 << 20))
    # Found before anything is written: a typo and a bad size.
    expect(lodge("set", "web", "memory.zswap.max=9M", "memory.mox=1M"), status=1,
           err="memory.mox: no such field: did you mean 'memory.max'")
    expect(lodge("set", "web", "memory.zswap.max=9M", "memory.max=1Q"), status=1, err="not a size")
    same(value("web", "memory.zswap.max"), str(8 << 20))
    lodge("destroy", "web")


@test
def set_both_bounds():
    lodge("create", "-m", "64M", "--min", "32M", "web")
    expect(lodge("set", "web", "-m", "16M", "--min", "8M"))
    expect(lodge("set", "web", "memory.min=64M", "memory.max=128M"))
    same((value("web", "memory.min"), value("web", "memory.max")), (str(64 << 20), str(128 << 20)))
    lodge("destroy", "web")


@test
def set_errors():
    lodge("create", "web")
    for words, reason in ((["memory.current=1"], "memory.current: can be read only"),
                          (["procs=1"], "lodge run --join web"),
                          (["memory.max"], "memory.max: not of the form FIELD=VALUE"),
                          (["memory.max="], "web: memory.max: no value"),
                          (["../x=1"], "../x: no such field"),
                          (["autoremove=2"], "autoremove: 2: neither 0 nor 1"),
                          ([], "nothing to set")):
        expect(lodge("set", "web", *words), status=1, err=reason)
    expect(lodge("set", "wob", "memory.max=1M"), status=1, err="wob: no such guest: did you mean 'web'")
    expect(lodge("set", "web", "memory.reclaim=1M", "autoremove=1"))
    same(value("web", "autoremove"), "1")
    figures(web={"stuck": 8 << 20})
    expect(lodge("set", "web", "-m", "4M"), status=1,
           err="^lodge: web: memory.max: 4M: cannot be reclaimed$")
    lodge("destroy", "web")


@test
def errors_without_words():
    """each error number that the module has for a field, when last_error is of no help"""
    lodge("create", "web")
    value_of = {"autoremove": "1", "memory.swap.file": "none"}
    for field, number, words in (
            ("memory.max", errno.EBUSY, "more is in use and cannot be reclaimed"),
            ("memory.max", errno.EINVAL, "less than memory.min"),
            ("memory.max", errno.ERANGE, "more than the machine's memory"),
            ("memory.max", errno.EPERM, "not permitted"),
            ("memory.min", errno.ENOMEM, "the host has not so much free memory"),
            ("memory.min", errno.EINVAL, "more than memory.max"),
            ("memory.min", errno.ERANGE, "more than the machine's memory"),
            ("memory.reclaim", errno.EAGAIN, "not so much could be reclaimed"),
            ("memory.zswap.max", errno.EOPNOTSUPP, "store is not built in"),
            ("memory.zswap.max", errno.ERANGE, "too large a number"),
            ("memory.swap.max", errno.EPERM, "not permitted"),
            ("memory.swap.file", errno.EBUSY, "in use, or the guest has a swap file"),
            ("memory.swap.file", errno.EEXIST, "another guest swaps to this file"),
            ("memory.swap.file", errno.EINVAL, "neither a regular file nor a block device"),
            ("memory.swap.file", errno.ENOSPC, "no room"),
            ("memory.swap.file", errno.EOPNOTSUPP, "cannot set space aside"),
            ("memory.swap.file", errno.ENOMEM, "the host has no memory for it"),
            ("autoremove", errno.EINVAL, "neither 0 nor 1"),
            ("autoremove", errno.ENODEV, "the guest has just gone")):
        figures(web={"refuse": {field: number}})
        shown = value_of.get(field, "4M")
        expect(lodge("set", "web", f"{field}={shown}"), status=1,
               err=f"^lodge: web: {field}: {shown}: .*{words}")
    for number, words in ((errno.EBUSY, "in a guest already"), (errno.EAGAIN, "has threads"),
                          (errno.ENOMEM, "memory for its tables"), (errno.EPERM, "not permitted"),
                          (errno.EOPNOTSUPP, "can only bind itself")):
        figures(web={"refuse": {"procs": number}})
        expect(lodge("run", "--join", "web", "true"), status=125,
               err=f"^lodge: web: procs: 0: .*{words}")
    figures()
    lodge("destroy", "web")


@test
def not_permitted():
    if os.getuid():
        return "needs root to become somebody else"
    lodge("create", "-m", "64M", "web")
    nobody = pwd.getpwnam("nobody")
    other = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    expect(lodge("create", "mine", **other), status=1, err="^lodge: mine: not permitted.*root")
    expect(lodge("run", "-n", "mine", "true", **other), status=125, err="^lodge: mine: not permitted")
    expect(lodge("set", "web", "-m", "1M", **other), status=1,
           err="^lodge: web: memory.max: .*not permitted")
    expect(lodge("run", "--join", "web", "true", **other), status=125,
           err="^lodge: web: procs: .*not permitted")
    expect(lodge("create", "-o", "nobody", "-m", "64M", "theirs"))
    expect(lodge("set", "theirs", "-m", "32M", **other))
    expect(lodge("run", "--join", "theirs", "sh", "-c", "exit 3", **other), status=3)
    expect(lodge("create", "-o", "nosuchuser", "x"), status=1, err="owner: nosuchuser: no such user")
    lodge("destroy", "web", "theirs")
    return None


@test
def destroy_with_processes():
    with start("run", "-n", "busy", "sleep", "60") as run:
        wait_for(lambda: procs("busy"))
        expect(lodge("destroy", "busy"), status=1, err="^lodge: busy: procs: it still has 1: --kill")
        expect(lodge("destroy", "--kill", "busy"))
        same(run.wait(), 128 + signal.SIGTERM)
    same(guests(), [])
    lodge("create", "busy")
    with start("run", "--join", "busy", "sh", "-c", "trap '' TERM; while :; do sleep 1; done") as run:
        wait_for(lambda: len(procs("busy")) == 2)
        expect(lodge("destroy", "--kill", "busy"))
        same(run.wait(), 128 + signal.SIGKILL)
    same(guests(), [])
