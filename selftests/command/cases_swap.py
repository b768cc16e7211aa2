# SPDX-License-Identifier: GPL-2.0
"""Tests of swap files, and of the host cgroup beside a guest."""

import os
import pathlib

from harness import LOOK, WORK, expect, guests, lodge, same, test, value, wait_for


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
