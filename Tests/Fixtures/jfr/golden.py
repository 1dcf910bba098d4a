# SPDX-License-Identifier: Apache-2.0
"""Folds what `jfr print --json` says of a recording: the judge of our reader.

    jfr print --json --stack-depth 1000 FILE | python3 golden.py > recording.folded

Each line is `<kind of value> <stack> <value>`; a time's value is in nanoseconds, that of a CPU
sample is its period of 10 ms.
"""
import json
import re
import sys
from collections import Counter

total = Counter()


def name(frame):
    method = frame["method"]
    return re.sub(r"(\$\$Lambda)[$/x.+0-9a-fA-F]*$", r"\1$_", method["type"]["name"]) + "." + method["name"]


def nanoseconds(text):
    parts = re.fullmatch(r"PT(?:(\d+)M)?(\d+)(?:\.(\d+))?S", text)
    return (int(parts[1] or 0) * 60 + int(parts[2])) * 10**9 + int((parts[3] or "0").ljust(9, "0"))


for event in json.load(sys.stdin)["recording"]["events"]:
    values = event["values"]
    frames = (values.get("stackTrace") or {}).get("frames", [])
    stack = ";".join(name(frame) for frame in reversed(frames))
    kind = event["type"]
    if kind == "jdk.ExecutionSample":
        total["process_cpu:cpu", stack] += 10_000_000
    elif kind == "jdk.ObjectAllocationSample":
        total["memory:alloc_sample_objects", stack] += 1
        total["memory:alloc_sample_bytes", stack] += values["weight"]
    elif kind in ("jdk.ThreadPark", "jdk.JavaMonitorEnter"):
        prefix = "block" if kind == "jdk.ThreadPark" else "mutex"
        total[prefix + ":contentions", stack] += 1
        total[prefix + ":delay", stack] += nanoseconds(values["duration"])
for (kind, stack), value in sorted(total.items(), key=lambda item: (item[0][0] + " " + item[0][1]).encode()):
    print(kind, stack, value)
