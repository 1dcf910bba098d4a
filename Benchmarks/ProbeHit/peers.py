# SPDX-License-Identifier: Apache-2.0
"""What a hit costs by tools from outside, on a function of a process of its own: Frida and bpftrace.

Usage: peers.py BENCH, where BENCH --serve measures the function for each line that it reads. A tool
that is not there, or cannot attach, is skipped aloud.
"""

import os
import shutil
import signal
import subprocess
import sys
import time

SUBJECT = "bench_peer_subject"
FRIDA_C = """
globalThis.code = new CModule('#include <gum/guminterceptor.h>\\n'
    + 'void onEnter(GumInvocationContext *context) {}');
Interceptor.attach(Process.mainModule.getSymbolByName('%s'), { onEnter: code.onEnter });
""" % SUBJECT
FRIDA_SCRIPT = """
globalThis.hits = 0;
Interceptor.attach(Process.mainModule.getSymbolByName('%s'), { onEnter(list) { hits++; } });
""" % SUBJECT


class Server:
    """A process with the function."""

    def __init__(self, bench):
        self.process = subprocess.Popen(
            [bench, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = int(self.process.stdout.readline())

    def measure(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def say(name, text):
    print(f"  {name:<18} {text}")


def by_frida(bench, name, script):
    try:
        import frida
    except ImportError as problem:
        return say(name, f"skipped: {problem}")
    with Server(bench) as server:
        try:
            bare = server.measure()
            session = frida.attach(server.pid)
            session.create_script(script).load()
            say(name, f"{server.measure() - bare:8.1f} ns (version {frida.__version__})")
        except Exception as problem:  # Whatever keeps it from attaching, the benchmark goes on.
            say(name, f"skipped: {problem}")


def by_bpftrace(bench):
    name = "bpftrace"
    if shutil.which("bpftrace") is None:
        return say(name, "skipped: it is not installed")
    with Server(bench) as server:
        bare = server.measure()
        program = f"uprobe:{bench}:{SUBJECT} {{ @ = count(); }}"
        tracer = subprocess.Popen(
            ["bpftrace", "-e", program, "-p", str(server.pid)], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True)
        try:
            end = time.monotonic() + 10
            took = bare
            # Attached when the function costs more than a call.
            while took < bare + 100 and tracer.poll() is None and time.monotonic() < end:
                took = server.measure()
            if took < bare + 100:
                tracer.kill()
                words = tracer.stdout.read().strip().splitlines() or ["it did not attach"]
                return say(name, f"skipped: {words[-1]}")
            say(name, f"{min(took, server.measure()) - bare:8.1f} ns")
        finally:
            if tracer.poll() is None:
                tracer.send_signal(signal.SIGINT)
                tracer.wait(10)


def main():
    bench = os.path.realpath(sys.argv[1])
    by_frida(bench, "Frida, in C", FRIDA_C)
    by_frida(bench, "Frida, in script", FRIDA_SCRIPT)
    by_bpftrace(bench)


main()
