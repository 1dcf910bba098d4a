# SPDX-License-Identifier: Apache-2.0
"""Profiles made up for tests and benchmarks, in the columns of `GET /api/v1/flame`."""

import random

BINARY = "/srv/bookmaker/bin/bookmaker"
LIBC = "/lib/x86_64-linux-gnu/libc.so.6"
CORE = "/usr/lib/swift/linux/libswiftCore.so"
CONCURRENCY = "/usr/lib/swift/linux/libswift_Concurrency.so"
FUNCTION, INLINED, UNRESOLVED, OTHER = 0, 1, 2, 3


def frame(name, module=BINARY, file="", line=0, kind=FUNCTION):
    return (name, file, line, module, kind)


START = frame("_start", BINARY)
MAIN = frame("main", BINARY, "Sources/bookmaker/main.swift", 12)
THREAD = frame("start_thread", LIBC, "nptl/pthread_create.c", 442)
WORKER = frame("closure #1 in WorkerPool.start()", BINARY, "Sources/bookmaker/WorkerPool.swift", 31)
ROUTE = frame("Router.handle(_: Request) -> Response", BINARY, "Sources/bookmaker/Router.swift", 20)
PLACE = frame("BetDesk.place(_: Bet, for: User) async throws -> Receipt", BINARY, "Sources/bookmaker/BetDesk.swift", 58)
ODDS = frame("OddsEngine.recompute(_: Market) -> [Selection: Double]", BINARY, "Sources/bookmaker/OddsEngine.swift", 44)
POISSON = frame("poisson(_: Double, _: Int) -> Double", BINARY, "Sources/bookmaker/OddsEngine.swift", 92, INLINED)
SETTLE = frame("Settlement.settle(_: Market, winner: Selection)", BINARY, "Sources/bookmaker/Settlement.swift", 33)
DIGEST = frame("AuditTrail.digest(_: [UInt8]) -> UInt64", BINARY, "Sources/bookmaker/AuditTrail.swift", 17)
EXP = frame("exp", "/lib/x86_64-linux-gnu/libm.so.6", "", 0)
RETAIN = frame("swift_retain", CORE)
ALLOC = frame("swift_allocObject", CORE)
MALLOC = frame("malloc", LIBC, "malloc/malloc.c", 3294)
FREE = frame("_int_free", LIBC, "malloc/malloc.c", 4415)
HASH = frame("Dictionary.subscript.getter", CORE)
LOCK = frame("pthread_mutex_lock", LIBC, "nptl/pthread_mutex_lock.c", 76)
TASK = frame("swift_job_run", CONCURRENCY)
NAMELESS = frame("libodds.so+0x4f10", "/srv/bookmaker/lib/libodds.so", "", 0, UNRESOLVED)
READ = frame("read", LIBC)

MILLISECOND = 1_000_000

# Per mille of the profile by stack, so that shares are known: recompute 45 % (poisson 31 %), settle 21 %, digest 10 %.
BOOKMAKER = [
    ([START, MAIN, THREAD, WORKER, ROUTE, PLACE, ODDS], 60),
    ([START, MAIN, THREAD, WORKER, ROUTE, PLACE, ODDS, POISSON], 190),
    ([START, MAIN, THREAD, WORKER, ROUTE, PLACE, ODDS, POISSON, EXP], 120),
    ([START, MAIN, THREAD, WORKER, ROUTE, PLACE, ODDS, HASH], 50),
    ([START, MAIN, THREAD, WORKER, ROUTE, PLACE, ODDS, HASH, RETAIN], 30),
    ([START, MAIN, THREAD, WORKER, ROUTE, PLACE, LOCK], 40),
    ([START, MAIN, THREAD, WORKER, ROUTE, PLACE, ALLOC, MALLOC], 60),
    ([START, MAIN, THREAD, WORKER, ROUTE, READ], 30),
    ([START, MAIN, THREAD, WORKER, ROUTE], 20),
    ([START, MAIN, THREAD, TASK, SETTLE], 110),
    ([START, MAIN, THREAD, TASK, SETTLE, HASH], 60),
    ([START, MAIN, THREAD, TASK, SETTLE, FREE], 40),
    ([START, MAIN, THREAD, TASK, DIGEST], 100),
    ([START, MAIN, THREAD, NAMELESS], 60),
    ([START, MAIN], 30),
]


class Tree:
    """A trie of stacks that can be written as columns."""

    def __init__(self):
        self.children = [{}]
        self.frame = [-1]
        self.self_value = [0]
        self.frames = {}

    def add(self, stack, value):
        node = 0
        for item in stack:
            index = self.frames.setdefault(item, len(self.frames))
            below = self.children[node].get(index)
            if below is None:
                below = len(self.frame)
                self.children[node][index] = below
                self.children.append({})
                self.frame.append(index)
                self.self_value.append(0)
            node = below
        self.self_value[node] += value

    def columns(self):
        """Pre-order, siblings in byte order of name, `other` last."""
        names = list(self.frames)
        parent, frames, selfs, totals = [], [], [], []
        pending = [(0, -1)]
        while pending:
            node, above = pending.pop()
            place = len(parent)
            parent.append(above)
            frames.append(self.frame[node])
            selfs.append(self.self_value[node])
            totals.append(self.self_value[node])
            order = sorted(self.children[node], key=lambda index: (names[index][4] == OTHER, names[index][0]))
            for index in reversed(order):
                pending.append((self.children[node][index], place))
        for place in range(len(parent) - 1, 0, -1):
            totals[parent[place]] += totals[place]
        return {"parent": parent, "frame": frames, "self": selfs, "total": totals}

    def answer(self, **fields):
        """The whole JSON of one answer."""
        strings = {"": 0}
        index = lambda text: strings.setdefault(text, len(strings))
        columns = {"name": [], "file": [], "line": [], "module": [], "kind": []}
        for name, file, line, module, kind in self.frames:
            columns["name"].append(index(name))
            columns["file"].append(index(file))
            columns["line"].append(line)
            columns["module"].append(index(module))
            columns["kind"].append(kind)
        nodes = self.columns()
        leafless = sum(
            value for frame_index, value in zip(self.frame, self.self_value)
            if frame_index >= 0 and columns["kind"][frame_index] == UNRESOLVED
        )
        return {
            "type": "process_cpu:cpu:nanoseconds:cpu:nanoseconds", "unit": "nanoseconds", "profiles": 12,
            "total": nodes["total"][0], "unresolved": leafless, "truncated": False,
            "strings": list(strings), "frames": columns, "nodes": nodes, "notes": [], **fields,
        }


def bookmaker(seconds=60.0, extra=()):
    """The betting service's profile: `seconds` of CPU time in known shares."""
    tree = Tree()
    for stack, share in [*BOOKMAKER, *extra]:
        tree.add(stack, int(share * seconds * MILLISECOND))
    return tree


MODULES = [BINARY, BINARY, BINARY, LIBC, CORE, CONCURRENCY, "/usr/lib/x86_64-linux-gnu/libcurl.so.4", "/srv/bookmaker/lib/libodds.so"]
TYPES = ["OddsEngine", "Settlement", "BetDesk", "Ledger", "Router", "MarketBook", "PriceFeed", "UserStore", "RiskLimit", "AuditTrail"]
VERBS = ["recompute", "settle", "place", "append", "handle", "publish", "decode", "lookup", "check", "digest", "merge", "rotate"]


def large(nodes, seed=7):
    """A graph of exactly `nodes` nodes: random walks through a fixed call graph, most of them thin."""
    chance = random.Random(seed)
    functions = []
    for number in range(2000):
        name = f"{chance.choice(TYPES)}.{chance.choice(VERBS)}{number}(_: {chance.choice(TYPES)})"
        module = chance.choice(MODULES)
        file = f"Sources/{module.rsplit('/', 1)[-1]}/File{number % 90}.swift"
        functions.append(frame(name, module, file, number % 700 + 1, INLINED if number % 11 == 0 else FUNCTION))
    callees = [[chance.randrange(2000) for _ in range(chance.choice([1, 2, 3, 5, 8]))] for _ in range(2000)]
    tree = Tree()
    while len(tree.frame) < nodes:
        current, stack = 0, [MAIN]
        depth = min(int(chance.gauss(34, 14)), 90)
        for _ in range(max(3, depth)):
            options = callees[current]
            # The first callee is the usual one, so that there are wide frames beside the thin ones.
            current = options[min(int(chance.expovariate(1.3)), len(options) - 1)]
            stack.append(functions[current])
        tree.add(stack, chance.randrange(1, 20) * MILLISECOND)
        if len(tree.frame) > nodes:
            trim(tree, nodes)
    return tree


def trim(tree, nodes):
    """Takes the last added nodes away; they are the deepest of one stack, without other children."""
    while len(tree.frame) > nodes:
        node = len(tree.frame) - 1
        above = next(i for i in range(node - 1, -1, -1) if node in tree.children[i].values())
        tree.children[above] = {key: below for key, below in tree.children[above].items() if below != node}
        tree.self_value[above] += tree.self_value[node]
        for column in (tree.children, tree.frame, tree.self_value):
            column.pop()
