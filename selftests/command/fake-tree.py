#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A control tree without the module, for tests of the lodge command.

    fake-tree.py DIRECTORY [FIGURES]

mounts on DIRECTORY a file system with the files, the errors and the last_error of the real tree. It
keeps no memory: what a guest holds is what the JSON file FIGURES says ({"web": {"memory.current": 1}}),
and every limit is met at once. Which processes are bound it finds out by looking: a process that
wrote 0 to procs, and whatever it sees descend from one every few milliseconds.
"""

import errno
import json
import os
import re
import stat
import sys
import threading
import time

import fusepy

RAM = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,62}")
UNITS = {"": 0, "K": 10, "M": 20, "G": 30, "T": 40}
SIZES = ("memory.max", "memory.min", "memory.zswap.max", "memory.swap.max")
READ_ONLY = ("memory.current", "memory.peak", "memory.stat", "memory.events",
             "memory.zswap.current", "memory.swap.current", "last_error", "kind")
FILES = SIZES + READ_ONLY + ("memory.reclaim", "memory.swap.file", "procs", "autoremove")
STAT = ("anon", "zswap", "zswapped", "swapped", "pgfault", "pgmajfault", "workingset_refault",
        "pgsteal", "newer_than_this_command")
EVENTS = ("low", "high", "max", "oom", "oom_kill")


class Refused(Exception):
    def __init__(self, err, reason):
        super().__init__(reason)
        self.err = err
        self.reason = reason


def parse_size(text):
    if text == "max":
        return "max"
    match = re.fullmatch(r"([0-9]+)([KMGT]?)", text)
    if not match:
        raise Refused(errno.EINVAL, "not a size")
    return int(match[1]) << UNITS[match[2]]


def as_number(size):
    return float("inf") if size == "max" else size


def processes():
    """pid -> (parent, start time) of every process that is not a zombie"""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            continue
        if fields[0] not in (b"Z", b"X"):
            found[int(pid)] = (int(fields[1]), fields[19])
    return found


class Guest:
    def __init__(self, uid, gid):
        self.values = {name: "max" for name in SIZES}
        self.values.update({"memory.min": 0, "memory.swap.file": "none", "autoremove": "0",
                            "last_error": "", "kind": "confined"})
        self.owner = {name: (uid, gid) for name in FILES + ("",)}
        self.bound = {}
        self.had_process = False

    def update(self, running):
        self.bound = {pid: start for pid, start in self.bound.items()
                      if pid in running and running[pid][1] == start}
        before = 0
        while before != len(self.bound):
            before = len(self.bound)
            for pid, (parent, start) in running.items():
                if parent in self.bound:
                    self.bound[pid] = start


class Tree(fusepy.Operations):
    def __init__(self, figures):
        self.figures_file = figures
        self.guests = {}
        self.root_error = ""
        self.mutex = threading.RLock()
        self.handles = 0
        threading.Thread(target=self.watch, daemon=True).start()

    def __call__(self, op, *args):
        with self.mutex:
            return super().__call__(op, *args)

    # -- processes --

    def look(self):
        running = processes()
        for name, guest in list(self.guests.items()):
            guest.update(running)
            if guest.had_process and not guest.bound and guest.values["autoremove"] == "1":
                del self.guests[name]

    def watch(self):
        while True:
            with self.mutex:
                if self.guests:
                    self.look()
            time.sleep(0.01)

    # -- contents --

    def figures(self, name):
        try:
            with open(self.figures_file, encoding="utf-8") as file:
                return json.load(file).get(name, {})
        except (OSError, TypeError, ValueError):
            return {}

    def contents(self, name, file):
        if name is None:
            return self.root_error if file == "last_error" else \
                "version 0.0-fake\nsubsystems memory\npolicies tl clock\npolicy tl\n"
        guest = self.guests[name]
        figures = self.figures(name)
        if file == "procs":
            self.look()
            return "".join(f"{pid}\n" for pid in guest.bound)
        if file in ("memory.stat", "memory.events"):
            keys = STAT if file == "memory.stat" else EVENTS
            return "".join(f"{key} {figures.get(key, 0)}\n" for key in keys)
        if file in guest.values:
            return f"{guest.values[file]}\n"
        return f"{figures.get(file, 0)}\n"

    def store(self, name, file, text):
        guest = self.guests[name]
        if file == "procs":
            pid = fusepy.fuse_get_context()[2]
            if text not in ("0", str(pid)):
                raise Refused(errno.EOPNOTSUPP, "a process binds itself: write 0")
            guest.bound[pid] = processes()[pid][1]
            guest.had_process = True
        elif file == "autoremove":
            if text not in ("0", "1"):
                raise Refused(errno.EINVAL, "neither 0 nor 1")
            guest.values[file] = text
        elif file == "memory.swap.file":
            if text != "none" and not os.path.exists(text):
                raise Refused(errno.ENOENT, "no such file")
            guest.values[file] = text
        elif file == "memory.reclaim":
            parse_size(text)
        elif file in SIZES:
            self.store_limit(name, guest, file, parse_size(text))

    def store_limit(self, name, guest, file, size):
        low = as_number(size if file == "memory.min" else guest.values["memory.min"])
        high = as_number(size if file == "memory.max" else guest.values["memory.max"])
        if file in ("memory.max", "memory.min") and size != "max" and size > RAM:
            raise Refused(errno.ERANGE, f"the machine has {RAM} bytes of memory")
        if low > high:
            raise Refused(errno.EINVAL, "less than memory.min" if file == "memory.max"
                          else "more than memory.max")
        if file == "memory.max" and as_number(size) < self.figures(name).get("stuck", 0):
            raise Refused(errno.EBUSY, "cannot be reclaimed")
        guest.values[file] = size

    # -- the file system --

    def split(self, path):
        """(guest or None, file or "")"""
        parts = path.strip("/").split("/")
        if parts[0] in ("version", "last_error") and len(parts) == 1:
            return None, parts[0]
        if parts[0] not in self.guests or len(parts) > 2 or \
                (len(parts) == 2 and parts[1] not in FILES):
            raise fusepy.FuseOSError(errno.ENOENT)
        return parts[0], parts[1] if len(parts) == 2 else ""

    def getattr(self, path, fh=None):
        if path == "/":
            return {"st_mode": stat.S_IFDIR | 0o755, "st_nlink": 2}
        name, file = self.split(path)
        if name is None:
            return {"st_mode": stat.S_IFREG | 0o444, "st_nlink": 1}
        uid, gid = self.guests[name].owner[file]
        mode = stat.S_IFDIR | 0o755 if not file else stat.S_IFREG | (
            0o444 if file in READ_ONLY else 0o200 if file == "memory.reclaim" else 0o644)
        return {"st_mode": mode, "st_nlink": 1, "st_uid": uid, "st_gid": gid}

    def readdir(self, path, fh):
        if path == "/":
            return [".", "..", "version", "last_error", *self.guests]
        return [".", "..", *FILES]

    def mkdir(self, path, mode):
        name = path[1:]
        uid, gid, _ = fusepy.fuse_get_context()
        if uid:
            raise fusepy.FuseOSError(errno.EPERM)
        if not NAME.fullmatch(name):
            self.root_error = f"{name}: not a name for a guest\n"
            raise fusepy.FuseOSError(errno.EINVAL)
        if name in self.guests:
            raise fusepy.FuseOSError(errno.EEXIST)
        if self.figures(name).get("no_mkdir"):
            self.root_error = f"{name}: too many guests\n"
            raise fusepy.FuseOSError(errno.ENOSPC)
        self.guests[name] = Guest(uid, gid)

    def rmdir(self, path):
        name, _ = self.split(path)
        self.look()
        if name in self.guests:
            if self.guests[name].bound:
                self.root_error = f"{name}: it has processes\n"
                raise fusepy.FuseOSError(errno.EBUSY)
            del self.guests[name]

    def chown(self, path, uid, gid):
        name, file = self.split(path)
        self.guests[name].owner[file] = (uid, gid)

    def open(self, path, flags):
        self.split(path)
        self.handles += 1
        return self.handles

    def read(self, path, size, offset, fh):
        name, file = self.split(path)
        return self.contents(name, file).encode()[offset:offset + size]

    def write(self, path, data, offset, fh):
        name, file = self.split(path)
        text = data.decode(errors="replace").rstrip("\n")
        # A refusal whose words are lost, as somebody else's have taken their place.
        number = self.figures(name).get("refuse", {}).get(file)
        if number:
            raise fusepy.FuseOSError(number)
        try:
            self.store(name, file, text)
        except Refused as refused:
            self.guests[name].values["last_error"] = f"{name}: {file}: {text}: {refused.reason}"
            raise fusepy.FuseOSError(refused.err) from None
        return len(data)

    def truncate(self, path, length, fh=None):
        self.split(path)


if __name__ == "__main__":
    fusepy.FUSE(Tree(sys.argv[2] if len(sys.argv) > 2 else None), sys.argv[1], foreground=True,
                nothreads=True, direct_io=True, allow_other=os.getuid() == 0,
                default_permissions=True, attr_timeout=0, entry_timeout=0, negative_timeout=0)
