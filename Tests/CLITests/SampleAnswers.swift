// SPDX-License-Identifier: Apache-2.0
// What a controller answers about a small service, in the shapes of docs/http-api.md.

/// Answers for tests.
enum SampleAnswers {
    static let services = """
        {"services": [{"name": "bookmaker", "profileTypes": [{"id":
        "process_cpu:cpu:nanoseconds:cpu:nanoseconds", "name": "cpu", "unit": "nanoseconds"}],
        "agents": 1}, {"name": "wallet $(touch hacked)", "profileTypes": [], "agents": 2}]}
        """

    static let agents = """
        {"agents": [{"service": "bookmaker", "instance": "5f0c12ab-1111-2222-3333-444455556666",
        "version": "1.4.2", "host": "node-1", "pid": 4711, "labels": {"region": "eu"},
        "state": "connected", "startedMs": 1700000000000, "lastSeenMs": 1700000005000,
        "agentVersion": "0.1.0", "notes": [], "problems": ["2 threads have no frame pointers"],
        "cpu": {"enabled": true, "hertz": 100.00001, "desired": {"enabled": true, "hertz": 49},
        "samples": 12345}, "ownCPUPercent": 0.123, "processCPUPercent": 93.1,
        "ownMemoryBytes": 1048576, "threads": 4, "profilesSent": 12, "losses": {"queue_full": 3},
        "buildIDs": ["12ab"], "missingDebugInfo": ["/usr/lib/libfoo.so (12ab)"]}]}
        """

    static let top = """
        {"type": "process_cpu:cpu:nanoseconds:cpu:nanoseconds", "unit": "nanoseconds",
        "total": 10000000000, "profiles": 6, "functions": [
        {"name": "Odds.overround(_:)", "file": "/src/Odds.swift", "line": 42, "module": "bookmaker",
         "kind": 0, "self": 6000000000, "total": 6500000000},
        {"name": "日本語の関数\\u001b[31m", "file": "", "line": 0, "module": "bookmaker",
         "kind": 1, "self": 3000000000, "total": 3000000000},
        {"name": "libfoo.so+0x1234", "file": "", "line": 0, "module": "libfoo.so", "kind": 2,
         "self": 1000000, "total": 10000000000}], "notes": ["libfoo.so has no debug info here"]}
        """

    /// main -> serve -> {odds (inlined) -> round, settle}; main -> idle, which is small.
    static let flame = """
        {"type": "process_cpu:cpu:nanoseconds:cpu:nanoseconds", "unit": "nanoseconds",
        "from": 1700000000000, "until": 1700003600000, "profiles": 360, "total": 10000000000,
        "unresolved": 500000000, "truncated": false,
        "strings": ["", "main", "bookmaker", "serve(_:)", "Odds.overround(_:)", "round",
        "Settlement.run()", "idle", "libm.so.6"],
        "frames": {"name": [1, 3, 4, 5, 6, 7], "file": [0, 0, 0, 0, 0, 0],
        "line": [0, 0, 0, 0, 0, 0], "module": [2, 2, 2, 8, 2, 2], "kind": [0, 0, 1, 0, 0, 0]},
        "nodes": {"parent": [-1, 0, 1, 2, 3, 2, 1], "frame": [-1, 0, 1, 2, 3, 4, 5],
        "self": [0, 0, 100000000, 2000000000, 4000000000, 3860000000, 40000000],
        "total": [10000000000, 10000000000, 9960000000, 6000000000, 4000000000, 3860000000,
        40000000]}, "notes": []}
        """

    /// main -> {parse -> parse, idle} on the left, main -> {parse, render} on the right.
    static let diff = """
        {"type": "process_cpu:cpu:nanoseconds:cpu:nanoseconds", "unit": "nanoseconds",
        "left": {"from": 1700000000000, "until": 1700003600000, "profiles": 360,
        "total": 10000000000}, "right": {"from": 1700003600000, "until": 1700007200000,
        "profiles": 720, "total": 20000000000}, "truncated": false,
        "strings": ["", "main", "bookmaker", "idle", "parse(_:)", "render"],
        "frames": {"name": [1, 3, 4, 5], "file": [0, 0, 0, 0], "line": [0, 0, 0, 0],
        "module": [2, 2, 2, 2], "kind": [0, 0, 0, 0]},
        "nodes": {"parent": [-1, 0, 1, 1, 3, 1], "frame": [-1, 0, 1, 2, 2, 3],
        "leftSelf": [0, 0, 6000000000, 3000000000, 1000000000, 0],
        "leftTotal": [10000000000, 10000000000, 6000000000, 4000000000, 1000000000, 0],
        "rightSelf": [0, 0, 12000000000, 2000000000, 0, 6000000000],
        "rightTotal": [20000000000, 20000000000, 12000000000, 2000000000, 0, 6000000000]},
        "notes": []}
        """

    static let emptyTop = """
        {"type": "process_cpu:cpu:nanoseconds:cpu:nanoseconds", "unit": "nanoseconds", "total": 0,
        "profiles": 0, "functions": [], "notes": []}
        """

    static let timeline =
        #"{"unit": "nanoseconds", "stepMs": 10000, "points": [[1700000000000, 5]]}"#
    static let emptyTimeline = #"{"unit": "nanoseconds", "stepMs": 10000, "points": []}"#
    static let noServices = #"{"services": []}"#
}
