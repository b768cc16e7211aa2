#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What the tests of networks run, on the host and in guests; the first argument says what."""
import ipaddress
import os
import random
import socket
import struct
import sys
import time

PATIENCE = 30


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def syn(source, to, port):
    """An Ethernet frame with the first segment of a connection."""
    a, b = ipaddress.ip_address(source).packed, ipaddress.ip_address(to).packed
    tcp = struct.pack("!HHIIBBHHH", 40000, port, 1, 0, 5 << 4, 2, 1024, 0, 0)
    tcp = tcp[:16] + struct.pack("!H", checksum(
        a + b + struct.pack("!II" if len(a) == 16 else "!HH", *(
            (len(tcp), 6) if len(a) == 16 else (6, len(tcp)))) + tcp)) + tcp[18:]
    if len(a) == 16:
        head, kind = struct.pack("!IHBB", 6 << 28, len(tcp), 6, 64) + a + b, 0x86dd
    else:
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0) + a + b
        head, kind = head[:10] + struct.pack("!H", checksum(head)) + head[12:], 0x800
    return b"\x52\x55\x0a\0\x02\x02" + b"\x02\0\0\0\0\x01" + struct.pack("!H", kind) + head + tcp


def raw():
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind(("vec0", 0))
    return s


def free(*_):
    """A port that is free now."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        print(s.getsockname()[1])


def listen(address, file):
    """Answers every connection with "hello"; its port, its pid, then a line for each go to a file."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    s = socket.socket(family)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    port = int(os.environ.get("PORT", 0))
    s.bind((address, port))
    s.listen(16)
    with open(file, "w", buffering=1) as out:
        print(s.getsockname()[1], os.getpid(), file=out)
        while True:
            connection, _ = s.accept()
            print("connection", file=out)
            connection.sendall(b"hello\n")
            connection.close()


def fetch(address, port):
    """What such a server says; tries until it is there."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            with socket.create_connection((address, int(port)), 5) as s:
                text = s.makefile().read()
                if text:
                    print(text, end="")
                    return
        except OSError as error:
            last = error
        else:
            last = "nothing was said"
        if time.monotonic() > end:
            sys.exit("no answer: %s" % last)
        time.sleep(0.1)


def connect(address, port):
    """One attempt."""
    try:
        with socket.create_connection((address, int(port)), 5) as s:
            print(s.makefile().read(), end="")
    except OSError as error:
        print("no:", error)


def sneak(port):
    """Frames that no IP stack would send, to what could be the host's loop-back."""
    s = raw()
    for to in ("127.0.0.1", "127.1.2.3", "0.0.0.0", "0.1.2.3"):
        s.send(syn("10.0.2.15", to, int(port)))
    for to in ("::1", "::", "::ffff:127.0.0.1", "::127.0.0.1"):
        s.send(syn("fec0::15", to, int(port)))


def echo(port):
    """UDP: sends back what it gets."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("0.0.0.0", int(port)))
    print("ready", flush=True)
    while True:
        data, sender = s.recvfrom(2000)
        s.sendto(data, sender)


def ask(address, port):
    """UDP: what comes back."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(0.5)
    for _ in range(PATIENCE * 2):
        try:
            s.sendto(b"knock", (address, int(port)))
            print(s.recv(2000).decode())
            return
        except (socket.timeout, ConnectionRefusedError):
            time.sleep(0.1)


def flood(seconds):
    """Random frames of every length and kind, and very many conversations."""
    s = raw()
    s.setblocking(False)
    # The kernel of a guest that has just started may have no good random numbers yet.
    noise = random.Random(1).randbytes(1 << 16)
    end = time.monotonic() + float(seconds)
    n = sent = 0
    while time.monotonic() < end:
        n += 1
        length = 14 + n * 7 % 1500
        at = n * 31 % (len(noise) - length)
        kind = (b"\x08\0", b"\x08\x06", b"\x86\xdd", b"\x88\xf8")[n % 4]
        data = noise[at:at + length]
        if n % 3 == 0:
            data = struct.pack("!BBHHHBBH", 0x45, 0, length - 14, n & 0xffff,
                               n & 0x3fff, 64, (6, 17, 1)[n % 9 // 3], 0) + \
                b"\x0a\0\x02\x0f" + noise[at:at + 4] + data[20:]
            if len(data) > 20:
                data = data[:10] + struct.pack("!H", checksum(data[:20])) + data[12:]
            kind = b"\x08\0"
        try:
            s.send(b"\x52\x55\x0a\0\x02\x02\x02\0\0\0\0\x01" + kind + data[:1500])
            sent += 1
        except OSError:
            pass
    print("sent" if sent > 100 else "too few")


globals()[sys.argv[1]](*sys.argv[2:])
