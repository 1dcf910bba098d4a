// SPDX-License-Identifier: Apache-2.0
// Starts a process and learns of its end: by the system's own calls, which lose nothing.

import Foundation
import Glibc

/// A child of the test's process, by its number.
struct SpawnedProcess {
    let pid: pid_t
    /// As `waitpid` gave it; `nil` while the child runs.
    private(set) var ending: Int32?

    /// Starts a program with three descriptors and nothing else that is open here.
    init(
        _ path: String, _ arguments: [String], environment: [String: String],
        descriptors: (input: Int32, output: Int32)
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, descriptors.input, 0)
        posix_spawn_file_actions_adddup2(&actions, descriptors.output, 1)
        posix_spawn_file_actions_adddup2(&actions, descriptors.output, 2)
        for open in Self.openDescriptors where open > 2 {
            posix_spawn_file_actions_addclose(&actions, open)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The test's runner may block or ignore signals; its children must not inherit that.
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var words = ([path] + arguments).map { strdup($0) } + [nil]
        var variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in words + variables { free(pointer) } }
        var pid = pid_t()
        // Safety: both arrays end in nil and hold C strings that live until the call is over.
        let result = posix_spawn(&pid, path, &actions, &attributes, &words, &variables)
        guard result == 0 else {
            throw Stuck("cannot start \(path): \(String(cString: strerror(result)))")
        }
        self.pid = pid
    }

    /// What is open in this process; closing one that has gone meanwhile is no error.
    private static var openDescriptors: [Int32] {
        let names = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
        return names?.compactMap { Int32($0) } ?? []
    }

    /// Looks whether the child has ended.
    mutating func look() {
        guard ending == nil else { return }
        var status: Int32 = 0
        if waitpid(pid, &status, WNOHANG) == pid { ending = status }
    }

    /// Kills the child and waits for it.
    mutating func kill() {
        look()
        guard ending == nil else { return }
        Glibc.kill(pid, SIGKILL)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        ending = status
    }

    /// The exit status, or 128 and the signal's number as shells say it.
    var exitStatus: Int32 {
        guard let ending else { return -1 }
        let signal = ending & 0x7F
        return signal == 0 ? (ending >> 8) & 0xFF : 128 + signal
    }
}
