# SPDX-License-Identifier: GPL-2.0
"""Tests of lodge run."""

import os
import pathlib
import pty
import re
import signal
import subprocess
import time

from harness import (
    LODGE, LOOK, TREE, WORK, expect, guests, lodge, procs, same, start, test, value, wait_for)


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
