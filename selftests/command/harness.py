# SPDX-License-Identifier: GPL-2.0
"""What the tests of the lodge command share."""

import contextlib
import ctypes
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
LODGE = str(HERE.parent.parent / "build" / "lodge")
ARGUMENTS = sys.argv[1:]
if ARGUMENTS and "/" in ARGUMENTS[0]:
    LODGE = str(pathlib.Path(ARGUMENTS.pop(0)).resolve())
WORK = pathlib.Path(tempfile.mkdtemp(prefix="lodge-command-"))
# Where somebody without rights can reach it, too: the checkout may be in root's home.
WORK.chmod(0o755)
LODGE = str(shutil.copy(LODGE, WORK / "lodge"))
TREE = WORK / "tree"
FIGURES = WORK / "figures.json"
TESTS = []
TIME_LIMIT = 90

# The fake tree sees the descendants at the latest when one of them reads procs.
LOOK = "cat $LODGE_ROOT/web/procs >/dev/null"


def on_time(_signal, _frame):
    raise AssertionError("took too long")


def test(function):
    TESTS.append(function)
    return function


class Result:
    def __init__(self, args, done):
        self.args = args
        self.status = done.returncode
        self.out = done.stdout
        self.err = done.stderr


def lodge(*args, env=None, **kwargs):
    """run lodge to its end"""
    return Result(args, subprocess.run(
        [LODGE, *map(str, args)], text=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
        capture_output=True, env={**os.environ, **(env or {})}, **kwargs))


@contextlib.contextmanager
def start(*args, **kwargs):
    """start lodge, for those who want to do something while it runs"""
    with subprocess.Popen([LODGE, *map(str, args)], text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kwargs) as run:
        try:
            yield run
        except BaseException:
            # Or leaving this block would wait for its end, and for that of what it started.
            run.kill()
            lodge("destroy", "--kill", *guests())
            raise


def expect(result, status=0, out=None, err=None):
    problem = None
    if result.status != status:
        problem = f"status {result.status}, not {status}"
    elif out is not None and not re.search(out, result.out, re.M):
        problem = f"stdout has no {out!r}"
    elif err is not None and not re.search(err, result.err, re.M):
        problem = f"stderr has no {err!r}"
    elif err is None and result.err:
        problem = "stderr is not empty"
    if problem:
        raise AssertionError(f"lodge {' '.join(map(str, result.args))}: {problem}\n"
                             f"stdout: {result.out}\nstderr: {result.err}")
    return result


def same(a, b):
    assert a == b, f"{a!r} is not {b!r}"


def value(guest, file):
    return (TREE / guest / file).read_text().rstrip("\n")


def guests():
    return sorted(entry.name for entry in TREE.iterdir() if entry.is_dir())


def procs(guest):
    """the processes of a guest that may go at any moment"""
    try:
        return value(guest, "procs").split()
    except FileNotFoundError:
        return []


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def figures(**of_guests):
    FIGURES.write_text(json.dumps(of_guests))


def start_tree():
    TREE.mkdir()
    # It goes with this process, however that ends.
    tree = subprocess.Popen(
        ["/usr/bin/python3", str(HERE / "fake-tree.py"), str(TREE), str(FIGURES)],
        stdin=subprocess.DEVNULL,
        preexec_fn=lambda: ctypes.CDLL(None).prctl(1, signal.SIGTERM))
    wait_for(lambda: (TREE / "version").exists() or tree.poll() is not None)
    assert tree.poll() is None, "the fake tree does not start"
    os.environ["LODGE_ROOT"] = str(TREE)
    # Full guests that the user runs are no business of these tests.
    os.environ["XDG_RUNTIME_DIR"] = str(WORK / "run")
    return tree


def run_test(function):
    figures()
    signal.alarm(TIME_LIMIT)
    try:
        skipped = function()
        same(guests(), [])
    finally:
        signal.alarm(0)
    return skipped


def cannot_run():
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "needs /dev/fuse"
    return None
