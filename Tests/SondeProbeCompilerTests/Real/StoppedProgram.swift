// SPDX-License-Identifier: Apache-2.0
// Compiles programs, runs them under the small debugger, and runs probes where they stop.

import Foundation
import SondeModel
import SondeProbeCompiler
import SondeProbeProgram
import SondeSymbols
import Testing

/// A program that says in its comments what probes should say: `// probe: TEMPLATE => TEXT`.
struct ProbedSource {
    var name: String
    var text: String

    /// A line with a probe.
    struct Expectation {
        var line: UInt32
        var template: String
        var condition: String?
        var text: String
    }

    var expectations: [Expectation] {
        text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
            .flatMap { number, line -> [Expectation] in
                line.components(separatedBy: "// probe: ").dropFirst().map { part in
                    let sides = part.components(separatedBy: " => ")
                    let left = sides[0].components(separatedBy: " if ")
                    return Expectation(
                        line: UInt32(number + 1), template: left[0],
                        condition: left.count > 1 ? left[1] : nil,
                        text: sides[1].trimmingCharacters(in: .whitespaces))
                }
            }
    }
}

/// Programs compiled for the tests, and the debugger.
enum StoppedProgram {
    static let folder: String = {
        let path = FileManager.default.temporaryDirectory
            .appendingPathComponent("sonde-compiler-\(UUID().uuidString)").path
        try? FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
        return path
    }()

    static let stopper = Result {
        try compile("clang", StopperSource.text, "stopper.c", ["-O1", "-w"])
    }

    static func compile(
        _ compiler: String, _ source: String, _ file: String, _ flags: [String]
    ) throws -> String {
        let place = "\(folder)/\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: place, withIntermediateDirectories: true)
        try source.write(toFile: "\(place)/\(file)", atomically: true, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            ["timeout", "120", compiler] + flags + ["\(place)/\(file)", "-o", "\(place)/program"]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        return "\(place)/program"
    }

    /// What a program did: what its probes said, by the number of the probe, and what it printed.
    struct Course {
        var said: [Int: [String]] = [:]
        var printed = ""
    }

    /// Runs a program and says what its probes say, and what it prints.
    ///
    /// - Throws: When the debugger cannot be run.
    static func run(_ program: String, _ probes: [ImageProgram]) throws -> Course {
        var sites: [(probe: Int, site: Int)] = []
        var addresses: [String] = []
        for (number, probe) in probes.enumerated() {
            for (index, site) in probe.sites.enumerated() {
                sites.append((number, index))
                addresses.append(String(site.address.rawValue, radix: 16))
            }
        }
        let unique = Array(Set(addresses))
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try stopper.get())
        let printed = "\(folder)/\(UUID().uuidString).out"
        process.arguments = [printed, program] + unique
        let input = Pipe(), output = Pipe()
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        defer {
            if process.isRunning { process.terminate() }
            process.waitUntilExit()
        }
        let lines = LineReader(output.fileHandleForReading)
        var course = Course()
        while let line = lines.next(), line.hasPrefix("stop ") {
            let words = line.split(separator: " ").dropFirst()
            let numbers = words.dropFirst().map { UInt64($0, radix: 16) ?? 0 }
            var subject = Subject()
            subject.registers = Array(numbers[1...17])
            for index in 0..<16 {
                subject.vectors[index] = [numbers[18 + 2 * index], numbers[19 + 2 * index]]
            }
            subject.reader = { address, count in
                input.fileHandleForWriting.write(
                    Data("r \(String(address, radix: 16)) \(count)\n".utf8))
                return lines.next().flatMap(bytes)
            }
            let address = unique[Int(words.first ?? "") ?? 0]
            for (place, site) in sites.enumerated() where addresses[place] == address {
                var probe = probes[site.probe]
                for index in probe.relocations { probe.constants[Int(index)] &+= numbers[0] }
                let text = Scene.text(probe, subject, site: site.site)
                if text != "<condition false>" {
                    course.said[site.probe, default: []].append(text)
                }
            }
            input.fileHandleForWriting.write(Data("c\n".utf8))
        }
        process.waitUntilExit()
        course.printed = (try? String(contentsOfFile: printed, encoding: .utf8)) ?? ""
        return course
    }

    private static func bytes(_ hex: String) -> [UInt8]? {
        guard hex != "!" else { return nil }
        let digits = Array(hex.utf8)
        return stride(from: 0, to: digits.count - 1, by: 2).map { index in
            UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16) ?? 0
        }
    }
}

/// Reads a pipe line by line.
final class LineReader {
    private let handle: FileHandle
    private var buffer: [UInt8] = []

    init(_ handle: FileHandle) { self.handle = handle }

    func next() -> String? {
        while true {
            if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: buffer[..<end], as: UTF8.self)
                buffer.removeSubrange(...end)
                return line
            }
            let data = handle.availableData
            guard !data.isEmpty else { return nil }
            buffer += data
        }
    }
}
