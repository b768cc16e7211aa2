# SPDX-License-Identifier: GPL-2.0
"""Figures and tables that are good to read on a terminal and as Markdown."""
import sys

FIELDS = ("n", "mean", "min", "p50", "p99", "p99.9", "max")


def operation(line):
    """State, row and figures of a line of ops, None if it is another."""
    field = line.strip().split(",")
    if field[0] != "op":
        return None
    values = [float(v) if "." in v else int(v) for v in field[3:]]
    return field[1], field[2], dict(zip(FIELDS, values))


def number(value):
    """As few digits as are worth reading."""
    if value >= 1e9:
        return f"{value / 1e9:.2f} G"
    if value >= 1e6:
        return f"{value / 1e6:.2f} M"
    if value >= 1e5:
        return f"{value / 1e3:.0f} k"
    return f"{value:,.0f}"


def table(head, rows):
    """The first column is text, the others are figures."""
    width = [max(len(r[i]) for r in [head] + rows) for i in range(len(head))]

    def line(row):
        first = row[0].ljust(width[0])
        return "| " + " | ".join([first] + [c.rjust(w) for c, w in zip(row[1:], width[1:])]) + " |"

    rule = "| " + "-" * width[0] + " | " + " | ".join("-" * (w - 1) + ":" for w in width[1:]) + " |"
    return "\n".join([line(head), rule] + [line(r) for r in rows])


def insert(path, sections):
    """Replace what stands between <!-- NAME --> and <!-- end --> in a file."""
    with open(path, encoding="utf-8") as old:
        text = old.read()
    for name, body in sections.items():
        start = f"<!-- {name} -->\n"
        before, _, after = text.partition(start)
        if not after:
            sys.exit(f"report: {path} has no place for {name}")
        text = before + start + body + "\n" + after[after.index("<!-- end -->"):]
    with open(path, "w", encoding="utf-8") as new:
        new.write(text)
