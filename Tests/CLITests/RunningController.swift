// SPDX-License-Identifier: Apache-2.0
// A real controller: the built program in its own process, with profiles pushed over its socket.

import Foundation
import SondeFormats
import SondeHTTPClient
import SondeModel
import SondeWire
import Testing

/// `sonde serve` in a folder of its own, on a free port.
final class RunningController {
    let folder: TemporaryFolder
    let process: Process
    let url: String

    /// The controller's data folder.
    var data: String { folder.path + "/data" }

    /// Starts a controller and waits until it says its address.
    ///
    /// - Parameters:
    ///   - words: Options beside `--data`; `--listen` is for a free port unless given.
    ///   - folder: Where its data lies.
    /// - Throws: When it does not start within 20 s.
    init(_ words: [String] = [], in folder: TemporaryFolder) throws {
        self.folder = folder
        process = Process()
        process.executableURL = URL(fileURLWithPath: SondeProcess.program)
        let listen = words.contains("--listen") ? [] : ["--listen", "127.0.0.1:0"]
        process.arguments = ["serve", "--data", folder.path + "/data"] + listen + words
        let log = folder.path + "/log"
        _ = FileManager.default.createFile(atPath: log, contents: nil)
        process.standardError = FileHandle(forWritingAtPath: log)
        let output = folder.path + "/output"
        _ = FileManager.default.createFile(atPath: output, contents: nil)
        process.standardOutput = FileHandle(forWritingAtPath: output)
        // A thread of the test's pool blocks signals, and the child would inherit that.
        var open = sigset_t(), before = sigset_t()
        sigemptyset(&open)
        for number in [SIGINT, SIGTERM] { sigaddset(&open, number) }
        pthread_sigmask(SIG_UNBLOCK, &open, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try process.run()
        let deadline = Date().addingTimeInterval(20)
        var address: String?
        while address == nil, process.isRunning, Date() < deadline {
            let text = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
            address = text.firstMatch(of: /sonde listens on (.*)\n/).map { String($0.output.1) }
            usleep(5000)
        }
        url = address ?? ""
        if address == nil {
            stop()
            let text = try? String(contentsOfFile: log, encoding: .utf8)
            throw POSIXError(.ETIMEDOUT, userInfo: [NSLocalizedDescriptionKey: text ?? ""])
        }
    }

    deinit { stop() }

    /// Ends it, and gives its exit status.
    @discardableResult func stop(signal number: Int32 = SIGTERM) -> Int32 {
        if process.isRunning {
            kill(process.processIdentifier, number)
            let deadline = Date().addingTimeInterval(15)
            while process.isRunning, Date() < deadline { usleep(5000) }
            if process.isRunning {
                Issue.record("the controller did not end within 15 s")
                kill(process.processIdentifier, SIGKILL)
            }
            process.waitUntilExit()
        }
        return process.terminationReason == .exit
            ? process.terminationStatus : -process.terminationStatus
    }

    /// Pushes one CPU profile of a service, now: main calls hot (3 s) and cold (1 s).
    func push(service: String, token: String? = nil) throws {
        var document = PprofDocument()
        document.sampleTypes = [.init(type: "cpu", unit: "nanoseconds")]
        document.periodType = .init(type: "cpu", unit: "nanoseconds")
        document.period = 10_000_000
        document.timeNanos = Int64(Date().timeIntervalSince1970 * 1e9)
        document.durationNanos = 10_000_000_000
        for (index, name) in ["main", "hot(_:)", "cold"].enumerated() {
            var function = PprofDocument.Function(id: UInt64(index + 1))
            function.name = name
            function.filename = "/src/\(service).swift"
            function.startLine = Int64(10 * (index + 1))
            document.functions.append(function)
            var location = PprofDocument.Location(id: UInt64(index + 1))
            location.lines = [.init(functionID: UInt64(index + 1), line: 1)]
            document.locations.append(location)
        }
        document.samples = [
            .init(locationIDs: [2, 1], values: [3_000_000_000]),
            .init(locationIDs: [3, 1], values: [1_000_000_000]),
        ]
        var sample = RawSample()
        sample.rawProfile = document.encode()
        var series = RawProfileSeries()
        series.labels = [
            LabelPair(name: "__name__", value: "process_cpu"),
            LabelPair(name: "service_name", value: service),
        ]
        series.samples = [sample]
        var request = PushRequest()
        request.series = [series]
        let client = try HTTPClient(
            HTTPClientConfiguration(baseURL: url, token: token, userAgent: "test"))
        let response = try client.send(
            HTTPClientRequest(
                method: "POST", target: "/push.v1.PusherService/Push",
                headers: [("Content-Type", "application/proto")], body: request.encode()))
        try #require(response.status == 200, "\(String(decoding: response.body, as: UTF8.self))")
    }
}
