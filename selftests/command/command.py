#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of the lodge command against a tree without the module (fake-tree.py); prints TAP.

    command.py [PATH-OF-LODGE] [TEST]...

What only the module can do is tested in selftests/confined/command-*.sh.
"""

import contextlib
import ctypes
import json
import os
import pathlib
import pty
import pwd
import re
import select
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
TREE = WORK / "tree"
FIGURES = WORK / "figures.json"
TESTS = []
TIME_LIMIT = 90


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


def wait_for(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def figures(**of_guests):
    FIGURES.write_text(json.dumps(of_guests))


# -- lodge itself --

@test
def help_of_every_command():
    listing = expect(lodge("--help")).out
    commands = re.findall(r"^  (\w+) ", listing, re.M)
    same(commands, ["run", "create", "destroy", "set", "ls", "ps", "stat", "top", "version"])
    for command in commands:
        expect(lodge(command, "--help"), out=rf"^Usage: lodge {command}\b")
        expect(lodge("help", command), out=rf"^Usage: lodge {command}\b")
    expect(lodge(), status=1, out="Usage")


@test
def unknown_commands_and_options():
    expect(lodge("rnu"), status=1, err="^lodge: rnu: not a command of lodge: did you mean 'run'")
    expect(lodge("frobnicate"), status=1, err="Try 'lodge --help'")
    expect(lodge("ls", "--frob"), status=1, err="lodge: ls: .*--frob")
    expect(lodge("run", "--frob"), status=125, err="Try 'lodge run --help'")


@test
def version():
    expect(lodge("version"), out=r"^lodge +[0-9.]+$")
    expect(lodge("version"), out=r"^module +0\.0-fake$")
    expect(lodge("--version"), out=r"^subsystems +memory$")


@test
def no_module():
    if os.path.exists("/sys/fs/lodge"):
        return "the module is loaded"
    env = {"LODGE_ROOT": ""}
    expect(lodge("version", env=env), out=r"^module +none: the module is not loaded")
    expect(lodge("ls", env=env), status=1, err="insmod lodge.ko")
    expect(lodge("run", "true", env=env), status=125, err="insmod lodge.ko")
    expect(lodge("ls", env={"LODGE_ROOT": "/nowhere"}), status=1, err="/nowhere .*not a directory")
    return None


@test
def full_disk():
    with open("/dev/full", "w", encoding="ascii") as full:
        for args, status in ((["--help"], 1), (["ls", "--help"], 1), (["run", "--help"], 125),
                             (["ls"], 1)):
            done = subprocess.run([LODGE, *args], stdout=full, stderr=subprocess.PIPE, text=True,
                                  check=False)
            same((args, done.returncode), (args, status))
            assert "No space left" in done.stderr, done.stderr


# -- create, set, destroy --

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
def not_permitted():
    if os.getuid():
        return "needs root to become somebody else"
    lodge("create", "-m", "64M", "web")
    nobody = pwd.getpwnam("nobody")
    other = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    WORK.chmod(0o755)
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


# -- run --

@test
def exit_status():
    expect(lodge("run", "true"))
    expect(lodge("run", "-m", "1M", "--", "sh", "-c", "exit 42"), status=42)
    expect(lodge("run", "sh", "-c", "kill -9 $$"), status=137)
    expect(lodge("run", "sh", "-c", "kill -SEGV $$"), status=139)
    expect(lodge("run", "/nowhere/at/all"), status=127, err="/nowhere/at/all: command not found")
    expect(lodge("run", "nosuchcommand"), status=127, err="nosuchcommand: command not found")
    expect(lodge("run", "/etc/passwd"), status=126, err="/etc/passwd: Permission denied")
    expect(lodge("run", "-m", "1M"), status=125, err="no command to run")
    same(guests(), [])


@test
def streams_and_arguments():
    done = subprocess.run([LODGE, "run", "-m", "1M", "sh", "-c", "cat; echo $0 $1 >&2; echo $HOME",
                           "-m", "--name"], input="in\n", text=True, capture_output=True, check=True)
    same(done.stdout, "in\n" + os.environ.get("HOME", "") + "\n")
    same(done.stderr, "-m --name\n")


@test
def bound_with_limits_before_exec():
    show = 'cd "$LODGE_ROOT/web"; cat memory.max memory.min autoremove; grep -cx $$ procs'
    same(expect(lodge("run", "-m", "64M", "--min", "4M", "-n", "web", "sh", "-c", show)).out,
         f"{64 << 20}\n{4 << 20}\n1\n1\n")


@test
def generated_names():
    for command, pattern in ((["sh", "-c"], r"sh-[0-9a-f]{4}"),
                             (["/usr/bin/env", "sh", "-c"], r"env-[0-9a-f]{4}")):
        out = expect(lodge("run", *command, "ls $LODGE_ROOT")).out
        assert re.search(rf"^{pattern}$", out, re.M), out
    link = WORK / "_odd name"
    link.symlink_to("/bin/ls")
    assert re.search(r"^guest-[0-9a-f]{4}$", expect(lodge("run", link, TREE)).out, re.M)


@test
def same_name_again_at_once():
    for _ in range(10):
        expect(lodge("run", "-n", "again", "true"))
    lodge("create", "again")
    expect(lodge("run", "-n", "again", "true"), status=125, err="there is a guest of this name")
    same(guests(), ["again"])
    expect(lodge("run", "--join", "again", "true"))
    same(guests(), ["again"])
    expect(lodge("run", "--join", "again", "-m", "1M", "true"), status=125, err="--join")
    expect(lodge("run", "--join", "agin", "true"), status=125, err="did you mean 'again'")
    lodge("destroy", "again")


@test
def signals_are_passed_on():
    script = ("for s in INT TERM HUP QUIT USR1 USR2 WINCH CONT; do trap \"echo $s\" $s; done; "
              "echo $$; while :; do sleep 0.01; done")
    with start("run", "sh", "-c", script) as run:
        pid = int(run.stdout.readline())
        for name in ("INT", "TERM", "HUP", "QUIT", "USR1", "USR2", "WINCH", "CONT"):
            run.send_signal(getattr(signal, "SIG" + name))
            same(run.stdout.readline(), name + "\n")
        os.kill(pid, signal.SIGKILL)
        same(run.wait(), 137)
    with start("run", "sleep", "60") as run:
        wait_for(guests)
        wait_for(lambda: value(guests()[0], "procs"))
        wait_for(lambda: "sleep" in pathlib.Path(
            f"/proc/{value(guests()[0], 'procs')}/cmdline").read_text())
        run.send_signal(signal.SIGTERM)
        same(run.wait(), 143)


@test
def ignored_signals_stay_ignored():
    done = subprocess.run(["nohup", LODGE, "run", "sh", "-c", "kill -HUP $$; echo alive"], text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, check=True)
    same(done.stdout, "alive\n")
    # What the caller of the tests ignores is none of lodge's doing: the same without it, and with it.
    show = ["sh", "-c", "grep -E '^Sig(Blk|Ign)' /proc/self/status"]
    plain, run = (subprocess.run([*before, *show], text=True, capture_output=True, check=True).stdout
                  for before in ([], [LODGE, "run"]))
    same(run, plain)


def state(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@test
def job_control():
    with start("run", "sh", "-c", "echo $$; exec sleep 60", start_new_session=False,
               process_group=0) as run:
        child = int(run.stdout.readline())
        run.send_signal(signal.SIGTSTP)
        wait_for(lambda: state(child) == "T" and state(run.pid) == "T")
        run.send_signal(signal.SIGCONT)
        wait_for(lambda: state(child) == "S" and state(run.pid) == "S")
        # Somebody stops and continues the command alone: lodge does not stop with it.
        os.kill(child, signal.SIGSTOP)
        wait_for(lambda: state(child) == "T")
        time.sleep(0.1)
        same(state(run.pid), "S")
        os.kill(child, signal.SIGCONT)
        run.terminate()
        same(run.wait(), 143)


@test
def interrupt_from_the_terminal_arrives_once():
    script = "trap 'echo got' INT; echo ready; n=0; while [ $n -lt 50 ]; do sleep 0.02; n=$((n+1)); done"
    pid, terminal = pty.fork()
    if not pid:
        os.execv(LODGE, [LODGE, "run", "sh", "-c", script])
    text = ""
    sent = False
    while True:
        try:
            text += os.read(terminal, 1024).decode()
        except OSError:
            break
        if "ready" in text and not sent:
            os.write(terminal, b"\x03")
            sent = True
    same(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
    os.close(terminal)
    same(text.count("got"), 1)


# The fake tree sees the descendants at the latest when one of them reads procs.
LOOK = "cat $LODGE_ROOT/web/procs >/dev/null"


@test
def survivors_keep_the_guest():
    result = expect(lodge("run", "-n", "web", "sh", "-c",
                          f"sleep 3 >/dev/null 2>&1 & {LOOK}"),
                    err="^lodge: web: procs: kept by 1 that outlived the command$")
    same(result.status, 0)
    same(guests(), ["web"])
    wait_for(lambda: not guests())
    expect(lodge("run", "-q", "-n", "web", "sh", "-c", f"sleep 1 >/dev/null 2>&1 & {LOOK}"))
    wait_for(lambda: not guests())


@test
def kill_ends_survivors():
    expect(lodge("run", "--kill", "-n", "web", "sh", "-c",
                 f"sleep 60 & sleep 60 & (trap '' TERM; sleep 60) & {LOOK}; exit 5"), status=5)
    same(guests(), [])


@test
def keep():
    expect(lodge("run", "--keep", "-n", "web", "true"))
    same((guests(), value("web", "autoremove")), (["web"], "0"))
    lodge("destroy", "web")


@test
def lodge_is_killed():
    swap = WORK / "swap"
    with start("run", "-n", "web", "--swap", f"{swap}:1M", "sh", "-c", "echo; exec sleep 3") as run:
        run.stdout.readline()
        assert not swap.exists()
        run.kill()
        run.wait()
        same(guests(), ["web"])
        wait_for(lambda: not guests())


@test
def lodge_is_killed_at_any_moment():
    swap = WORK / "swap"
    for step in range(40):
        with start("run", "--swap", f"{swap}:1M", "-m", "8M", "--min", "1M", "sleep", "0.05") as run:
            time.sleep(step * 0.0006)
            run.kill()
            run.wait()
        wait_for(lambda: not any(procs(guest) for guest in guests()))
        # Between mkdir and binding there is no process that the guest could go with.
        lodge("destroy", *guests())
        wait_for(lambda: not guests())
        swap.unlink(missing_ok=True)


# -- swap files --

@test
def swap_file_is_made_and_gone():
    swap = WORK / "swap file:a"
    result = expect(lodge("run", "-n", "web", "--swap", f"{swap}:1M", "sh", "-c",
                          f"cat $LODGE_ROOT/web/memory.swap.file; ls '{swap}'"), status=2, err="ls:")
    same(result.out, f"{swap}\n")
    assert not swap.exists()
    expect(lodge("run", "--keep", "-n", "web", "--swap", f"{swap}:1M", "true"))
    same((swap.stat().st_size, swap.stat().st_mode & 0o777), (1 << 20, 0o600))
    assert swap.stat().st_blocks * 512 >= 1 << 20
    expect(lodge("run", "--swap", swap, "true"), status=125, err="in use by the guest web")
    lodge("destroy", "web")
    swap.unlink()


@test
def swap_file_is_used_again():
    swap = WORK / "swap"
    expect(lodge("create", "--swap", f"{swap}:1M", "web"))
    lodge("destroy", "web")
    try:
        os.getxattr(swap, "user.lodge.swap")
    except OSError:
        swap.unlink()
        return "no extended attributes here"
    swap.write_bytes(b"x" * (1 << 20))
    expect(lodge("run", "--swap", swap, "true"))
    same(swap.stat().st_size, 1 << 20)
    expect(lodge("run", "--swap", f"{swap}:2M", "true"))
    same(swap.stat().st_size, 2 << 20)
    expect(lodge("run", "--swap", f"{swap}:64K", "true"))
    same(swap.stat().st_size, 64 << 10)
    swap.unlink()
    return None


@test
def swap_files_that_are_refused():
    precious = WORK / "precious"
    precious.write_text("precious")
    for spec, reason in ((precious, "is not empty, and not a swap file that lodge made"),
                         (f"{precious}:1M", "is not empty"),
                         (WORK / "none", "to make it, give a size"),
                         (f"{WORK}/none:1Q", "1Q: not a size"),
                         (f"{WORK}/none:0", "0: not a size"),
                         (f"{WORK}/none:max", "max: not a size"),
                         (f"{WORK}/none/a:1M", "No such file"),
                         (f"{WORK}/none:4000000G", "none: 4000000G of blocks"),
                         (WORK, "directory"),
                         ("/dev/null", "neither a regular file nor a block device")):
        expect(lodge("run", "-n", "web", "--swap", spec, "true"), status=125,
               err=f"^lodge: web: memory.swap.file: .*{reason}")
        expect(lodge("create", "--swap", spec, "web"), status=1, err=reason)
    same((precious.read_text(), guests()), ("precious", []))
    assert not (WORK / "none").exists()
    precious.write_text("")
    expect(lodge("run", "--swap", precious, "true"), status=125, err="is empty: give it a size")
    expect(lodge("run", "--swap", f"{precious}:1M", "true"))
    same(precious.stat().st_size, 1 << 20)
    precious.unlink()
    # A refusal after the file was made takes it away again.
    expect(lodge("create", "-m", "900T", "--swap", f"{WORK}/none:1M", "web"), status=1, err="900T")
    expect(lodge("run", "-m", "900T", "--swap", f"{WORK}/none:1M", "true"), status=125, err="900T")
    assert not (WORK / "none").exists()


@test
def swap_file_of_a_running_guest():
    swap = WORK / "swap"
    lodge("create", "web")
    expect(lodge("set", "web", "--swap", f"{swap}:1M"))
    same(value("web", "memory.swap.file"), str(swap))
    expect(lodge("set", "web", "memory.swap.file=none"))
    same(value("web", "memory.swap.file"), "none")
    lodge("destroy", "web")
    swap.unlink()


# -- --cgroup --

def cgroup_root():
    """the cgroup v2 that has a memory controller"""
    for line in pathlib.Path("/proc/mounts").read_text().splitlines():
        if line.split()[2] == "cgroup2":
            root = pathlib.Path(line.split()[1])
            if "memory" in (root / "cgroup.controllers").read_text().split():
                return root
    return None


@test
def cgroup():
    root = cgroup_root()
    if not root or os.getuid():
        expect(lodge("run", "--cgroup", "-n", "web", "true"), status=125, err="^lodge: web: cgroup: ")
        same(guests(), [])
        return None
    show = f"cat {root}$(sed -n s/^0:://p /proc/self/cgroup)/memory.max; sed -n s/^0:://p /proc/self/cgroup"
    out = expect(lodge("run", "--cgroup", "-n", "web", "-m", "64M", "sh", "-c", show)).out.split()
    same(out[0], str(64 << 20))
    assert out[1].endswith("/lodge-web"), out
    assert not (root / out[1].lstrip("/")).exists()
    lodge("run", "-q", "--cgroup", "-n", "web", "sh", "-c", f"sleep 3 >/dev/null 2>&1 & {LOOK}")
    assert (root / out[1].lstrip("/")).exists()
    wait_for(lambda: not (root / out[1].lstrip("/")).exists())
    return None


# -- what is shown --

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
    same(listing[1], {"name": "web", "procs": 0, "memory.current": 48 << 20, "memory.max": 64 << 20,
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


# -- what comes with the command --

@test
def manual_pages():
    pages = HERE.parent.parent / "Documentation" / "man"
    for command in re.findall(r"^  (\w+) ", expect(lodge("--help")).out, re.M):
        page = (pages / f"lodge-{command}.1").read_text()
        assert f"lodge-{command} 1" in (pages / "lodge.1").read_text(), command
        for option in re.findall(r"--([a-z-]+) ", expect(lodge(command, "--help")).out):
            assert f"Fl -{option}" in page, (command, option)
        for option in re.findall(r"Fl -([a-z-]+)", page):
            assert f"--{option}" in lodge(command, "--help").out or \
                option in ("owner", "join"), (command, option)
    if not shutil.which("mandoc"):
        return "no mandoc to check their form"
    lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", *map(str, pages.glob("lodge*.1"))],
                          capture_output=True, text=True, check=False)
    same(lint.stdout + lint.stderr, "")
    return None


@test
def completion():
    lodge("create", "web")
    lodge("create", "db")
    (WORK / "bin").mkdir(exist_ok=True)
    (WORK / "bin" / "lodge").unlink(missing_ok=True)
    (WORK / "bin" / "lodge").symlink_to(LODGE)
    source = HERE.parent.parent / "userland" / "lodge" / "completion" / "lodge.bash"
    for words, found in ((["cr"], ["create"]),
                         (["destroy", ""], ["db", "web"]),
                         (["stat", "--json", "w"], ["web"]),
                         (["run", "--join", "d"], ["db"]),
                         (["run", "--zs"], ["--zswap-max"]),
                         (["set", "web", "memory.m"], ["memory.max=", "memory.min="]),
                         (["set", "web", "proc"], []),
                         (["set", "web", "memory.cur"], []),
                         (["top", "--sort", "f"], ["faults"]),
                         (["ls", "--j"], ["--json"]),
                         (["run", "-m", "64M", "mkfif"], ["mkfifo"]),
                         (["help", "ver"], ["version"])):
        script = (f". {source}; COMP_WORDS=(lodge \"$@\"); COMP_CWORD=$#; _lodge; "
                  'printf "%s\\n" "${COMPREPLY[@]}" | sort -u')
        done = subprocess.run(["bash", "-c", script, "bash", *words], text=True, capture_output=True,
                              env={**os.environ, "PATH": f"{WORK}/bin:{os.environ['PATH']}"},
                              check=True)
        same((words, done.stdout.split()), (words, found))
    lodge("destroy", "web", "db")


# -- running them --

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
    return tree


def report(number, name, problem, skipped):
    print(f"{'not ' if problem else ''}ok {number} {name}{' # SKIP ' + skipped if skipped else ''}")
    for line in (problem or "").splitlines():
        print("# " + line)
    sys.stdout.flush()


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
    if subprocess.run(["/usr/bin/python3", "-c", "import fusepy"], capture_output=True,
                      check=False).returncode:
        return "needs python3-fusepy"
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "needs /dev/fuse"
    return None


def main():
    print("TAP version 13")
    reason = cannot_run()
    if reason:
        print(f"1..0 # SKIP {reason}")
        return 0
    tests = [function for function in TESTS if not ARGUMENTS or function.__name__ in ARGUMENTS]
    print(f"1..{len(tests)}")
    failed = 0
    tree = start_tree()
    signal.signal(signal.SIGALRM, on_time)
    try:
        for number, function in enumerate(tests, 1):
            problem = skipped = None
            try:
                skipped = run_test(function)
            except Exception as error:  # pylint: disable=broad-exception-caught
                problem = f"{type(error).__name__}: {error}"
                failed += 1
            report(number, "command-" + function.__name__.replace("_", "-"), problem, skipped)
            if problem:
                lodge("destroy", "--kill", *guests())
    finally:
        tree.terminate()
        tree.wait()
        shutil.rmtree(WORK, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
