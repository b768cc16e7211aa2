#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
helper-redis.py PORT fill|check COUNT [ROUND]

Fills a redis server, or checks it. Each value follows from its key and compresses
about 2:1. Speaks the protocol itself, in pipelines.
"""
import hashlib
import socket
import sys

BATCH = 200


def value(key, size=2048):
    return hashlib.shake_128(key).digest(size // 2) + key.ljust(32, b".") * (size // 64)


def command(*words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


class Server:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.input = self.socket.makefile("rb")

    def answer(self):
        line = self.input.readline()
        if line[:1] == b"$":
            size = int(line[1:])
            return None if size < 0 else self.input.read(size + 2)[:-2]
        return line.strip()

    def ask(self, commands):
        self.socket.sendall(b"".join(commands))
        return [self.answer() for _ in commands]


def key_of(i, round):
    return b"key:%d:%06d" % (round, i)


def main():
    port, what, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    round = int(sys.argv[4]) if len(sys.argv) > 4 else 0
    server = Server(port)
    wrong = 0
    for start in range(0, count, BATCH):
        keys = [b"%d" % i for i in range(start, min(start + BATCH, count))]
        contents = [value(key_of(int(k), round)) for k in keys]
        if what == "fill":
            answers = server.ask([command(b"SET", k, v) for k, v in zip(keys, contents)])
            wrong += sum(a != b"+OK" for a in answers)
        else:
            answers = server.ask([command(b"GET", k) for k in keys])
            wrong += sum(a != v for a, v in zip(answers, contents))
    print("%s: %d values, %d wrong" % (what, count, wrong))
    sys.exit(wrong != 0)


main()
