// SPDX-License-Identifier: Apache-2.0
// Reads variables under gdb from where we say they are, and compares with what programs print.

import Foundation
import SondeModel
import SondeSymbols
import Testing

@Suite(.enabled(if: DebuggedProgram.hasDebugger, "gdb is missing"), .serialized)
struct VariableTruthTests {
    /// Stops on every line that prints its variables; answers how many values were compared and
    /// how many there are.
    static func compare(_ program: PlaceProgram, mark: String) throws -> (read: Int, all: Int) {
        let image = try program.image
        let file = try #require(image.files(matching: program.file).first)
        let lines = program.lines(with: mark).filter {
            !image.places(file: file, line: $0).isEmpty
        }
        let places = lines.flatMap { image.places(file: file, line: $0) }
        let (stops, output) = try DebuggedProgram.run(program.program, image, places) { _, _ in
            true
        }
        var printed: [UInt32: [[String: String]]] = [:]
        for text in output.split(separator: "\n") where text.hasPrefix("T ") {
            let parts = text.dropFirst(2).split(separator: "|")
            let pairs = parts.dropFirst().map { $0.split(separator: "=", maxSplits: 1) }
            let values = Dictionary(
                pairs.map { (String($0[0]), String($0[1])) }, uniquingKeysWith: { $1 })
            printed[try #require(UInt32(parts[0])), default: []].append(values)
        }
        var hits: [UInt32: Int] = [:]
        var (read, all) = (0, 0)
        for stop in stops {
            let line = places[stop.place].line
            let turn = hits[line, default: 0]
            hits[line] = turn + 1
            let truths = printed[line] ?? []
            // Each print is hit exactly once.
            guard turn < truths.count else {
                Issue.record("line \(line) was hit \(turn + 1) times but printed \(truths.count)")
                continue
            }
            for (name, truth) in truths[turn] {
                all += 1
                guard let value = stop.values[name] else { continue }
                read += 1
                #expect(
                    value == truth,
                    "\(name) on line \(line) at 0x\(String(places[stop.place].address.rawValue, radix: 16)) of \(program.program.path)"
                )
            }
        }
        for line in lines {
            #expect(
                hits[line] ?? 0 == printed[line]?.count ?? 0, "hits of line \(line)")
        }
        return (read, all)
    }

    @Test(arguments: PlaceProgram.swiftVariants)
    func swiftVariablesHoldWhatTheProgramPrints(variant: [String]) throws {
        let (read, all) = try Self.compare(PlaceProgram.swift(variant), mark: "emit(\"")
        print("\(variant): \(read) of \(all) values read")
        #expect(all > 60)
        #expect(Double(read) >= Double(all) * (variant.contains("-Onone") ? 1 : 0.4))
    }

    @Test(arguments: PlaceProgram.cVariants)
    func cVariablesHoldWhatTheProgramPrints(variant: [String]) throws {
        let (read, all) = try Self.compare(PlaceProgram.c(variant), mark: "  EMIT(\"")
        print("\(variant): \(read) of \(all) values read")
        #expect(all > 15)
        #expect(Double(read) >= Double(all) * (variant.contains("-O0") ? 1 : 0.5))
    }

    /// What parameters hold as long as their function runs.
    static let constants: [String: [String: String]] = [
        "fixed": ["seven": "7", "user": "55", "half": "0.5", "yes": "true", "name": "fixed"],
        "add": ["left": "2", "right": "5", "rate": "1.5", "on": "true", "times": "3"],
        "twice": ["start": "4"], "closures": ["base": "10"], "raise": ["step": "4"],
        "scattered": ["mixed": "5 7 True 2.5", "narrow": "3 4", "pair": "1 2"],
        "work": ["count": "3", "tag": "200", "rate": "2.25"],
    ]

    /// Stops at every instruction of some functions and reads their parameters.
    static func compareEverywhere(_ program: PlaceProgram) throws -> (read: Int, stops: Int) {
        let image = try program.image
        let listing = try #require(
            CompiledProgram.run("llvm-objdump", ["-d", "--no-show-raw-insn", program.program.path]))
        var places: [CodePlace] = []
        var constantsAt: [[String: String]] = []
        for line in listing.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":"),
                let address = UInt64(line[..<colon].drop { $0 == " " }, radix: 16),
                let place = image.place(at: ImageAddress(address))
            else { continue }
            let name = String(place.function.prefix { $0 != "(" && $0 != "<" })
            guard let constants = constants[name] else { continue }
            places.append(place)
            constantsAt.append(constants)
        }
        let (stops, _) = try DebuggedProgram.run(program.program, image, places) {
            place, variable in
            constants.values.contains { $0[variable.name] != nil } && variable.inlinedInto == nil
        }
        var read = 0
        for stop in stops {
            for (name, value) in stop.values {
                guard let want = constantsAt[stop.place][name] else { continue }
                read += 1
                #expect(
                    value == want,
                    "\(name) at 0x\(String(places[stop.place].address.rawValue, radix: 16)) of \(program.program.path)"
                )
            }
        }
        return (read, stops.count)
    }

    @Test(arguments: PlaceProgram.swiftVariants)
    func swiftParametersHoldTheirValuesAtEveryInstruction(variant: [String]) throws {
        let (read, stops) = try Self.compareEverywhere(PlaceProgram.swift(variant))
        print("\(variant): \(read) values at \(stops) stops")
        #expect(stops > 300)
        #expect(read > stops / 2)
    }

    @Test(arguments: PlaceProgram.cVariants)
    func cParametersHoldTheirValuesAtEveryInstruction(variant: [String]) throws {
        let (read, stops) = try Self.compareEverywhere(PlaceProgram.c(variant))
        print("\(variant): \(read) values at \(stops) stops")
        #expect(read > stops)
    }
}
