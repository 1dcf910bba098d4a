// SPDX-License-Identifier: Apache-2.0
// What a child of the service does with the agent that it inherited.

import Glibc
import SondeAgent

/// The kinds of children.
enum Child: String, CaseIterable {
    /// Calls every method of the agent that it inherited, and exits as programs do.
    case calls
    /// Calls them and becomes another program.
    case exec
    /// Starts an agent of its own, uses it and stops it.
    case start
    /// Becomes a shell that exits with the number of descriptors that it inherited.
    case descriptors

    /// Does it and ends the process: 0, or a number that says what was wrong.
    func live(_ sonde: Sonde, _ configuration: Sonde.Configuration) -> Never {
        expect(41, !sonde.status.isRunning)
        expect(42, sonde.status.problems.count == 1)
        expect(43, sonde.status.instance.isEmpty && sonde.status.losses.isEmpty)
        sonde.stop()
        sonde.stop()
        switch self {
        case .calls:
            exit(0)
        case .exec:
            Self.become("true")
        case .descriptors:
            Self.become("set -- /proc/$$/fd/*; exit $#")
        case .start:
            do throws(SondeError) {
                let own = try Sonde.start(configuration)
                expect(45, own !== sonde && own.status.isRunning && !own.status.instance.isEmpty)
                expect(46, try Sonde.start(configuration) === own)
                own.stop()
                expect(47, !own.status.isRunning && !sonde.status.isRunning)
            } catch {
                print(error.message)
                exit(48)
            }
            exit(0)
        }
    }

    /// Becomes a shell that runs a command.
    static func become(_ command: String) -> Never {
        var arguments = [strdup("sh"), strdup("-c"), strdup(command), nil]
        execv("/bin/sh", &arguments)
        _exit(44)
    }

    private func expect(_ status: Int32, _ holds: Bool) {
        if !holds { _exit(status) }
    }
}

/// Fork and wait, which Swift's view of the C library leaves out in part.
enum ForkedProcess {
    /// The C library's fork, with its handlers; ends the program when there is no child.
    static func fork() -> pid_t {
        typealias Function = @convention(c) () -> pid_t
        guard let symbol = dlsym(nil, "fork") else {
            print("cannot find fork")
            exit(1)
        }
        // Safety: this is the type of fork.
        let process = unsafeBitCast(symbol, to: Function.self)()
        guard process >= 0 else {
            print("cannot fork: errno \(errno)")
            exit(1)
        }
        return process
    }

    /// How a child ended: `exit 0`, `signal 14`.
    static func ending(of process: pid_t) -> String {
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 && errno == EINTR {}
        return status & 0x7F == 0 ? "exit \(status >> 8 & 0xFF)" : "signal \(status & 0x7F)"
    }
}
