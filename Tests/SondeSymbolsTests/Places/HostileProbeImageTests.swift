// SPDX-License-Identifier: Apache-2.0
// Images with broken debug info: places and variables are poor or missing, never a crash or a hang.

import Foundation
import SondeModel
import SondeSymbols
import Testing

@Suite struct HostileProbeImageTests {
    static var limits: SymbolLimits {
        var limits = SymbolLimits()
        limits.expandedBytes = 64 << 20
        limits.entriesPerUnit = 1 << 18
        limits.rangesPerUnit = 1 << 16
        limits.rangesInMemory = 1 << 17
        limits.lineRows = 1 << 18
        limits.sourceFiles = 1 << 14
        limits.entriesPerPlace = 1 << 14
        return limits
    }

    /// Asks an image for everything; answers how many places and variables it found.
    @discardableResult
    static func use(_ path: String, limits: SymbolLimits = limits) -> (places: Int, variables: Int)
    {
        guard let image = try? ProbeImage(path: path, limits: limits) else { return (0, 0) }
        var found = (places: 0, variables: 0)
        func look(_ places: [CodePlace]) {
            found.places += places.count
            for place in places.prefix(8) {
                for variable in image.variables(at: place) {
                    found.variables += 1
                    check(variable.location)
                }
                _ = image.genericParameters(at: place)
            }
        }
        for file in image.allFiles.prefix(8) {
            for line in image.linesWithCode(in: file).prefix(64) {
                look(image.places(file: file, line: line))
            }
        }
        for name in ["work", "square", "main"] { look(image.places(function: name)) }
        for name in ["hits", "local_to_thread", "shared_total"] {
            if let variable = image.global(named: name) { check(variable.location) }
        }
        for address in stride(from: UInt64(0x500), to: 0x900, by: 11) {
            look(image.place(at: ImageAddress(address)).map { [$0] } ?? [])
        }
        _ = image.nearestFiles(to: "count.c", count: 3)
        if let place = image.places(function: "work").first {
            _ = image.nearestLines(where: "sum", in: place)
        }
        return found
    }

    /// Whatever a file says, expressions keep to their rules.
    static func check(_ location: VariableLocation) {
        for piece in location.pieces {
            switch piece.source {
            case .register(let number), .vector(let number): #expect(number < 16)
            case .implicit(let bytes): #expect(UInt64(bytes.count) >= piece.sizeBytes)
            case .memory(let expression), .value(let expression):
                #expect((1...AddressExpression.maxOperations).contains(expression.operations.count))
                #expect(depth(expression) == 1)
            case .missing(let reason): #expect(!reason.isEmpty)
            }
        }
    }

    /// How many words an expression leaves; -1 when it takes more than there are.
    static func depth(_ expression: AddressExpression) -> Int {
        var depth = 0
        for operation in expression.operations {
            switch operation {
            case .register(let number, _):
                #expect(number < 16)
                depth += 1
            case .constant, .imageAddress: depth += 1
            case .load(let bytes):
                #expect((1...8).contains(bytes))
                if depth < 1 { return -1 }
            case .plusConstant, .neg, .not: if depth < 1 { return -1 }
            default:
                if depth < 2 { return -1 }
                depth -= 1
            }
        }
        return depth
    }

    static let variants = PlaceProgram.cVariants.indices.filter { $0 != 1 && $0 != 4 }

    @Test(arguments: variants)
    func theWholeImageIsUseful(variant: Int) throws {
        let program = try PlaceProgram.c(PlaceProgram.cVariants[variant])
        let found = Self.use(program.program.path)
        #expect(found.places > 50)
        #expect(found.variables > 200)
    }

    @Test(.timeLimit(.minutes(5)), arguments: variants)
    func mutatedSectionsAreHarmless(variant: Int) throws {
        let program = try PlaceProgram.c(PlaceProgram.cVariants[variant])
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: program.program.path)))
        let sections = HostileImageTests.sections(of: bytes)
        var generator = SplitMix(seed: UInt64(variant) + 100)
        for _ in 0..<40 {
            var mutated = bytes
            for _ in 0...Int.random(in: 0..<6, using: &generator) {
                guard let section = sections.randomElement(using: &generator) else { continue }
                let place = Int.random(in: section, using: &generator)
                mutated[place] =
                    Bool.random(using: &generator)
                    ? UInt8.random(in: 0...255, using: &generator)
                    : mutated[place] ^ (1 << UInt8.random(in: 0..<8, using: &generator))
            }
            Self.use(try HostileImageTests.write(mutated, "probe-mutated-\(variant)"))
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func everyTruncationIsHarmless() throws {
        let program = try PlaceProgram.c(["-O2", "-gdwarf-5"])
        let bytes = try Data(contentsOf: URL(fileURLWithPath: program.program.path))
        for length in stride(from: 0, to: bytes.count, by: 997) {
            Self.use(try HostileImageTests.write(bytes.prefix(length), "probe-truncated"))
        }
    }

    @Test func budgetsAreKept() throws {
        let program = try PlaceProgram.swift(PlaceProgram.swiftVariants[0])
        var limits = SymbolLimits()
        limits.lineRows = 20
        #expect(Self.use(program.program.path, limits: limits).places < 40)
        limits = SymbolLimits()
        limits.entriesPerPlace = 1
        let image = try ProbeImage(path: program.program.path, limits: limits)
        let place = try #require(image.places(function: "describe").first)
        #expect(image.variables(at: place).count <= 1)
        limits = SymbolLimits()
        limits.sourceFiles = 1
        #expect(try ProbeImage(path: program.program.path, limits: limits).allFiles.isEmpty)
    }
}
