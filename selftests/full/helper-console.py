#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Somebody at a console, who does what standard input says, line by line.

    run COMMAND...      a program on a terminal of 30 rows and 100 columns
    open FILE           a terminal
    tcp ADDRESS PORT    a connection

    type TEXT           escapes as in Python: \\r, \\xff
    expect TEXT         wait for it; what came before is forgotten
    forbid TEXT         it was not in what the last expect has seen
    size ROWS COLUMNS   change the terminal's size
    random N            type so many random bytes
    touch FILE          tell others how far this is
    await FILE          wait until somebody has
    end                 wait until the other side has gone
    status N            the program ends with this status
"""
import codecs
import fcntl
import os
import pty
import random
import select
import socket
import struct
import sys
import termios
import time

PATIENCE = 60


class Trouble(Exception):
    pass


def set_size(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


class Talk:
    def __init__(self, mode, *args):
        self.pid = None
        self.keep = None
        self.got = self.seen = b""
        if mode == "run":
            self.pid, self.fd = pty.fork()
            if not self.pid:
                set_size(0, 30, 100)
                os.execvp(args[0], args)
        elif mode == "open":
            self.fd = os.open(args[0], os.O_RDWR | os.O_NOCTTY)
        else:
            self.keep = socket.socket()
            # Who does not read is to be seen soon.
            self.keep.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            self.keep.connect((args[0], int(args[1])))
            self.fd = self.keep.fileno()

    def read(self, patience=0.2):
        """More of what comes; None at the end, b"" if nothing has come for a while."""
        if not select.select([self.fd], [], [], patience)[0]:
            return b""
        try:
            return os.read(self.fd, 65536) or None
        except OSError:
            return None

    def type(self, text):
        data = text if isinstance(text, bytes) else self.decode(text)
        while data:
            data = data[os.write(self.fd, data):]

    @staticmethod
    def decode(text):
        return codecs.escape_decode(text.encode())[0]

    def expect(self, text):
        want, end = self.decode(text), time.monotonic() + PATIENCE
        while want not in self.got:
            more = self.read()
            if more is None or time.monotonic() > end:
                raise Trouble(f"{want!r} has not come, but {self.got[-2000:]!r}")
            self.got += more
        at = self.got.index(want) + len(want)
        self.seen, self.got = self.got[:at], self.got[at:]

    def forbid(self, text):
        if self.decode(text) in self.seen:
            raise Trouble(f"{text!r} was in {self.seen!r}")

    def size(self, text):
        set_size(self.fd, *map(int, text.split()))

    def random(self, text):
        generator, left = random.Random(int(text)), int(text)
        while left:
            try:
                left -= os.write(self.fd, generator.randbytes(min(left, 1000)))
            except OSError:
                return
            self.read(0)

    @staticmethod
    def touch(path):
        with open(path, "w", encoding="ascii"):
            pass

    @staticmethod
    def wait(path):
        end = time.monotonic() + PATIENCE
        while not os.path.exists(path):
            if time.monotonic() > end:
                raise Trouble(f"{path} is not there")
            time.sleep(0.05)

    def end(self, *_):
        end = time.monotonic() + PATIENCE
        while (more := self.read()) is not None:
            self.got += more
            if time.monotonic() > end:
                raise Trouble("it does not end")

    def status(self, text):
        self.end()
        got = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        if got != int(text):
            raise Trouble(f"status {got}: {self.got!r}")


def main():
    talk = Talk(*sys.argv[1:])
    for line in sys.stdin:
        word, _, rest = line.rstrip("\n").partition(" ")
        word = word.lstrip("\t")
        if not word:
            continue
        try:
            getattr(talk, "wait" if word == "await" else word)(rest)
        except (Trouble, OSError) as trouble:
            print(f"# {line.strip()}: {trouble}", file=sys.stderr)
            return 1
    return 0


sys.exit(main())
