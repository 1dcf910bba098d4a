// SPDX-License-Identifier: Apache-2.0
// Stacks as text: registers, words of memory, and the frames that a walk must find.

import CSondeSignal
import Foundation
import Testing

/// One stack of the fixtures folder.
///
/// Numbers are hexadecimal, but for the capacity; `#` begins a remark.
///
///     registers pc 401136 sp 7f0000001000 fp 7f0000001010
///     code 90 55 | 48 89 e5          bytes before and from the program counter
///     limit 7f0000002000             no frame lies at or above
///     capacity 3                     frames that there is room for
///     7f0000001000: 1 2 3            words of the window, consecutive
///     elsewhere 7f0000009000: 1 2    two words that only the reader can get
///     frames 401136 401200
///     end root                       root, depth, broken, unreadable or no-reader
struct StackFixture: CustomTestStringConvertible, Sendable {
    var name: String
    var registers = sonde_sig_registers()
    var code: [UInt8] = []
    var codeOffset = 0
    var limit = UInt64.max
    var capacity = 64
    var low: UInt64 = 0
    var words: [UInt64] = []
    var elsewhere: [UInt64: [UInt64]] = [:]
    var frames: [UInt64] = []
    var end = ""

    var testDescription: String { name }

    /// Every stack, by name.
    static let all: [StackFixture] = {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Fixtures/stacks/x86-64")
        let files = try? FileManager.default.contentsOfDirectory(
            at: folder, includingPropertiesForKeys: nil)
        return (files ?? []).sorted { $0.path < $1.path }.compactMap { file in
            guard let text = try? String(contentsOf: file, encoding: .utf8) else { return nil }
            return StackFixture(
                name: file.deletingPathExtension().lastPathComponent, text: text)
        }
    }()

    init(name: String, text: String) {
        self.name = name
        for line in text.split(separator: "\n") {
            let content = line.split(separator: "#", omittingEmptySubsequences: false)[0]
            let parts = content.split(separator: " ").map(String.init)
            if let key = parts.first { read(key, Array(parts.dropFirst())) }
        }
    }

    private mutating func read(_ key: String, _ values: [String]) {
        let numbers = values.compactMap { UInt64($0.filter { $0 != ":" }, radix: 16) }
        switch key {
        case "registers":
            registers = sonde_sig_registers(pc: numbers[0], sp: numbers[1], fp: numbers[2])
        case "code":
            codeOffset = values.firstIndex(of: "|") ?? 0
            code = values.filter { $0 != "|" }.compactMap { UInt8($0, radix: 16) }
        case "limit": limit = numbers[0]
        case "capacity": capacity = Int(values[0]) ?? 0
        case "elsewhere": elsewhere[numbers[0]] = Array(numbers.dropFirst())
        case "frames": frames = numbers
        case "end": end = values[0]
        default:
            if words.isEmpty { low = UInt64(key.dropLast(), radix: 16) ?? 0 }
            words += numbers
        }
    }

    /// Walks the stack with the C unwinder.
    func walk() -> (frames: [UInt64], end: String) {
        final class Memory {
            let words: [UInt64: [UInt64]]
            init(_ words: [UInt64: [UInt64]]) { self.words = words }
        }
        let reader: sonde_sig_reader = { context, address, words in
            guard let context, let words else { return -1 }
            let memory = Unmanaged<Memory>.fromOpaque(context).takeUnretainedValue()
            guard let found = memory.words[address] else { return -1 }
            words[0] = found[0]
            words[1] = found[1]
            return 0
        }
        let memory = Memory(elsewhere)
        var found = [UInt64](repeating: 0, count: capacity)
        var registers = registers
        var end = SONDE_SIG_END_ROOT
        let count = words.withUnsafeBytes { bytes in
            code.withUnsafeBufferPointer { code in
                var input = sonde_sig_memory()
                // Safety: all of these outlive the call.
                input.bytes = bytes.bindMemory(to: UInt8.self).baseAddress
                input.low = low
                input.high = low &+ UInt64(words.count * 8)
                input.limit = limit
                input.read = elsewhere.isEmpty ? nil : reader
                input.context = Unmanaged.passUnretained(memory).toOpaque()
                input.code = code.isEmpty ? nil : code.baseAddress
                input.code_size = UInt32(code.count)
                input.code_offset = UInt32(codeOffset)
                return sonde_sig_unwind(&registers, &input, &found, UInt32(capacity), &end)
            }
        }
        withExtendedLifetime(memory) {}
        let names = [
            SONDE_SIG_END_ROOT: "root", SONDE_SIG_END_DEPTH: "depth",
            SONDE_SIG_END_BROKEN: "broken", SONDE_SIG_END_UNREADABLE: "unreadable",
            SONDE_SIG_END_NO_READER: "no-reader",
        ]
        return (Array(found.prefix(Int(count))), names[end] ?? "?")
    }
}
