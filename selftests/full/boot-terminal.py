#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A shell in a guest on a terminal: keys, window size, and the terminal as it was afterwards."""
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import tempfile
import termios
import time

LODGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../build/lodge")
KERNEL = os.environ.get("LODGE_TEST_KERNEL")
HOST = os.environ.get("LODGE_TEST_HOST", "user")
BOOT = ["lodge", "boot", "--host", HOST] + (["--kernel", KERNEL] if KERNEL else []) + ["--rootdir", "/", "--"]
results = []


def result(good, text, got=b""):
    results.append(good)
    print(f"{'ok' if good else 'not ok'} {len(results)} - {text}")
    if not good:
        print(f"#   got: {got!r}")
    sys.stdout.flush()


class Terminal:
    """lodge boot with a terminal whose other end we have"""

    def __init__(self, *command, rows=30, columns=100):
        self.master, slave = pty.openpty()
        self.slave = slave
        self.resize(rows, columns)
        self.before = termios.tcgetattr(slave)
        self.pid = os.fork()
        if not self.pid:
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
            for fd in range(3):
                os.dup2(slave, fd)
            os.environ["TERM"] = "xterm"
            os.execv(LODGE, [*BOOT, *command])

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys):
        os.write(self.master, keys)

    def expect(self, text, seconds=60):
        got, end = b"", time.time() + seconds
        while text not in got and time.time() < end:
            if select.select([self.master], [], [], 0.1)[0]:
                got += os.read(self.master, 4096)
        return text in got, got

    def end(self, seconds=60):
        """the exit status, and whether the terminal is as it was"""
        end = time.time() + seconds
        while time.time() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                same = termios.tcgetattr(self.slave) == self.before
                os.close(self.master)
                os.close(self.slave)
                return os.waitstatus_to_exitcode(status), same
            if select.select([self.master], [], [], 0.1)[0]:
                os.read(self.master, 4096)
        os.kill(self.pid, signal.SIGKILL)
        return None, False


def shell():
    # $((...)): what is typed is echoed, and must not look like the answer.
    t = Terminal("/bin/sh", "-i")
    # A size reaches the guest beside what is typed.
    until = b'until [ "$(stty size)" = "%s" ]; do sleep 0.1; done; echo %s$((1))\r'
    t.type(until % (b"30 100", b"ready"))
    result(*check(t, b"ready1", "the window's size is passed on"))
    t.resize(40, 120)
    t.type(until % (b"40 120", b"larger"))
    result(*check(t, b"larger1", "a new size too"))
    t.type(b"tty; echo $TERM$((2))\r")
    result(*check(t, b"xterm2", "the guest's terminal is of our kind"))
    t.type(b"echo go$((1)); sleep 100; echo status $?\r")
    t.expect(b"go1")
    time.sleep(0.5)
    t.type(b"\x03")
    t.type(b"echo back$((3))\r")
    result(*check(t, b"back3", "Ctrl-C ends the command, not the guest"))
    t.type(b"cat >/dev/null; echo end$((4))\r")
    time.sleep(0.3)
    t.type(b"\x04")
    result(*check(t, b"end4", "Ctrl-D is the end of input"))
    t.type(b"exit 5\r")
    got = t.end()
    result(got == (5, True), "exit status; the terminal is as before", got)


def check(terminal, text, name):
    good, got = terminal.expect(text)
    return good, name, got


def ended(name, how, wanted):
    t = Terminal("/bin/sh", "-c", "trap '' TERM; echo up$((1)); sleep 100")
    t.expect(b"up1")
    how(t)
    got = t.end()
    result(got == (wanted, True), name, got)


def three_terms(t):
    for _ in range(3):
        os.kill(t.pid, signal.SIGTERM)
        time.sleep(0.3)


def early():
    t = Terminal("/bin/sh", "-c",
                 'until [ "$(stty size)" = "50 91" ]; do sleep 0.1; done; echo fin$((1))')
    for i in range(40):
        t.resize(50, 90 + i % 2)
        time.sleep(0.02)
    os.kill(t.pid, signal.SIGWINCH)
    result(*check(t, b"fin1", "a window that changes while the guest starts"))
    got = t.end()
    result(got == (0, True), "does not end it", got)


def escape_with_input_waiting(t):
    for _ in range(40):
        t.type(b"x" * 1000)
        time.sleep(0.02)
    t.type(b"\x1d\x1d\x1d")


def stalled():
    """a reader that stands still, and three signals"""
    out, into = os.pipe()
    pid = os.fork()
    if not pid:
        os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        os.dup2(into, 1)
        os.execv(LODGE, [*BOOT, "yes"])
    os.close(into)
    time.sleep(4)
    for _ in range(3):
        os.kill(pid, signal.SIGTERM)
        time.sleep(0.3)
    status = None
    for _ in range(600):
        gone, got = os.waitpid(pid, os.WNOHANG)
        if gone:
            status = os.waitstatus_to_exitcode(got)
            break
        time.sleep(0.1)
    else:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    os.close(out)
    result(status == 143, "SIGTERM three times, while nobody takes the output", status)


print("TAP version 13")
runtime = tempfile.TemporaryDirectory()
os.environ["XDG_RUNTIME_DIR"] = runtime.name
shell()
ended("Ctrl-] three times ends the guest; the terminal is as before",
      lambda t: t.type(b"\x1d\x1d\x1d"), 137)
ended("SIGTERM three times does; the terminal is as before", three_terms, 143)
early()
ended("Ctrl-] three times, while the guest takes no input", escape_with_input_waiting, 137)
stalled()
left = os.listdir(os.path.join(runtime.name, "lodge"))
result(not left, "nothing is left", left)
runtime.cleanup()
print(f"1..{len(results)}")
sys.exit(0 if all(results) else 1)
