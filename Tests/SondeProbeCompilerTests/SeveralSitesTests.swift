// SPDX-License-Identifier: Apache-2.0
// Lines with several addresses: each reads variables where they are there, all write one shape.

import SondeModel
import SondeProbeCompiler
import SondeProbeProgram
import SondeSymbols
import Testing

@Suite struct SeveralSites {
    let image = FakeImage()
    var subject = Subject()

    init() {
        subject.registers[0] = 11
        subject.registers[1] = 22
        subject.registers[6] = Scene.stack
        subject.put([33, 44, 1, 2], at: Scene.stack)
        subject.put([0, 0] + subject.string("Ada") + [36, 0], at: 0x5000)
        subject.registers[3] = 0x5000
    }

    private func compile(
        _ template: String, if condition: String? = nil
    ) throws -> ImageProgram {
        try ProbeCompiler.compile(
            ProbeRequest(
                location: .line(file: "Checkout.swift", line: 42), template: template,
                condition: condition), image: image
        ).program
    }

    private func say(_ program: ImageProgram) -> [String] {
        program.sites.indices.map { Scene.text(program, subject, site: $0) }
    }

    @Test func eachAddressReadsWhereTheVariableIsThere() throws {
        image.add(42, at: 0x1000, [inRegister("n", "Int", 0)])
        image.add(42, at: 0x2000, [inRegister("n", "Int", 1)])
        image.add(42, at: 0x3000, [onStack("n", "Int", 0)])
        let program = try compile("n={n}", if: "n > 0")
        #expect(say(program) == ["n=11", "n=22", "n=33"])
        #expect(program.sites.map(\.address.rawValue) == [0x1000, 0x2000, 0x3000])
    }

    @Test func addressesWithTheSameCodeShareIt() throws {
        for address in 1...5 as ClosedRange<UInt64> {
            image.add(42, at: address * 0x1000, [inRegister("n", "Int", 0)])
        }
        image.add(42, at: 0x6000, [inRegister("n", "Int", 1)])
        let program = try compile("{n}")
        #expect(Set(program.sites.map(\.entry)).count == 2)
        #expect(say(program) == ["11", "11", "11", "11", "11", "22"])
    }

    @Test func anAddressThatLacksAValueSaysSoAndTheOthersWork() throws {
        image.add(
            42, at: 0x1000, [missing("n", "Int", "optimized out"), inRegister("m", "Int", 1)])
        image.add(42, at: 0x2000, [inRegister("n", "Int", 0), inRegister("m", "Int", 1)])
        image.add(42, at: 0x3000, [inRegister("m", "Int", 1)])
        let program = try compile("{n} {m}")
        #expect(say(program) == ["<unavailable> 22", "11 22", "<unavailable> 22"])
        #expect(
            program.sites[0].unavailable
                == [UnavailableValue(expression: "n", reason: "optimized out")])
        #expect(program.sites[1].unavailable.isEmpty)
        #expect(
            program.sites[2].unavailable
                == [UnavailableValue(expression: "n", reason: "no n here")])
    }

    @Test func aPartThatOneAddressLacksIsMissingOnlyThere() throws {
        let half = [
            LocationPiece(sizeBytes: 8, source: .register(0)),
            LocationPiece(sizeBytes: 8, source: .missing("optimized out")),
        ]
        image.add(42, at: 0x1000, [variable("p", "Point", half)])
        image.add(42, at: 0x2000, [onStack("p", "Point", 0)])
        let program = try compile("{p} {p.x}")
        #expect(
            say(program) == ["Point(x: 11, y: <unavailable>) 11", "Point(x: 33, y: 44) 33"])
        #expect(
            program.sites[0].unavailable
                == [UnavailableValue(expression: "p", reason: "in part: optimized out")])
    }

    @Test func aConditionThatCannotBeReadAtAnAddressDoesNotFireThere() throws {
        image.add(42, at: 0x1000, [missing("n", "Int", "optimized out")])
        image.add(42, at: 0x2000, [inRegister("n", "Int", 0)])
        let program = try compile("fired", if: "n == 11")
        #expect(say(program) == ["<condition error: unavailable>", "fired"])
        #expect(
            program.sites[0].unavailable
                == [UnavailableValue(expression: "n == 11", reason: "optimized out")])
    }

    @Test func aSpecializationWithAnotherTypeSaysSo() throws {
        image.add(42, at: 0x1000, [inRegister("value", "Int", 0)])
        image.add(42, at: 0x2000, [inRegister("value", "Int", 0)])
        image.add(42, at: 0x3000, [inRegister("value", "User", 3)])
        let program = try compile("{value}")
        #expect(say(program) == ["11", "11", "<unavailable>"])
        #expect(
            program.sites[2].unavailable
                == [
                    UnavailableValue(
                        expression: "value", reason: "its type here is User, not Int")
                ])
    }

    @Test func whatOneAddressReadsFromMemoryIsGuardedAtAll() throws {
        image.add(42, at: 0x1000, [inRegister("n", "Int", 0)])
        image.add(42, at: 0x2000, [onStack("n", "Int", 0x9999)])
        let program = try compile("{n}")
        #expect(say(program) == ["11", "<unreadable 0x7fff9999>"])
    }

    @Test func globalsAreFoundByTheAddressOfTheImage() throws {
        image.add(42, at: 0x1000, [])
        var global = variable(
            "limit", "Int",
            [
                .init(
                    sizeBytes: 8,
                    source: .memory(AddressExpression([.imageAddress(ImageAddress(0x4000))])))
            ])
        global.kind = .global
        image.globals["limit"] = global
        image.globals["Desk.Settings.limit"] = global
        var program = try compile("{limit}")
        #expect(program.relocations.count == 1)
        let index = Int(program.relocations[0])
        #expect(program.constants[index] == 0x4000)
        program.constants[index] += 0x7000_0000
        var loaded = subject
        loaded.put([123], at: 0x7000_4000)
        #expect(Scene.text(program, loaded) == "123")
        #expect(try compile("{Desk.Settings.limit}").code == program.code)
        #expect(throws: ProbeCompileError.self) { try compile("{Desk.limit}") }
    }

    @Test func valuesThatWouldCostTooMuchAreCapturedInPart() throws {
        image.add(42, at: 0x1000, [onStack("bets", "[Bet]", 0)])
        let compiled = try ProbeCompiler.compile(
            ProbeRequest(
                location: .line(file: "Checkout.swift", line: 42), template: "{bets} {bets}"),
            image: image)
        #expect(compiled.capture.elements < 100)
        #expect(compiled.cost.recordBytes > 1000)
        #expect(compiled.cost.recordBytes <= MachineBounds.recordBytes)
    }
}

@Suite struct ContextValues {
    @Test func threadTaskAndTraceCanBeNamed() throws {
        var scene = Scene()
        #expect(try scene.say("{#task} {#trace}") == "nil nil")
        #expect(try scene.test("#task == nil && #trace == nil") == "true")
        scene.subject.context = [4711, 12, 0xB34D_A3A6_772F_F94B, 0x3647_0E0E_9D92_D0A3]
        #expect(
            try scene.say("{#thread} {#task} {#trace}")
                == "4711 12 4bf92f77a6a34db3a3d0929d0e0e4736")
        #expect(try scene.test("#thread == 4711 && #task == 12") == "true")
        #expect(try scene.test("#trace == \"4bf92f77a6a34db3a3d0929d0e0e4736\"") == "true")
        #expect(try scene.test("\"4bf92f77a6a34db3a3d0929d0e0e4737\" == #trace") == "false")
        #expect(try scene.test("#trace != nil && #task ?? 0 > 11") == "true")
        #expect(try scene.refusal("x", if: "#trace == \"4bf9\"").code == .wrongType)
    }
}

@Suite struct WhereAnswers {
    @Test func everyNameIsListedWithTypeAndAvailability() throws {
        let scene = Scene()
        scene.image.add(
            42, at: 0x1100,
            [onStack("count", "Int", -8), missing("flag", "Bool", "only known at function entry")])
        scene.image.add(50, at: 0x1200, [inRegister("gone", "Int", 0)])
        let answer = try ProbeCompiler.describe(
            location: .line(file: "Checkout.swift", line: 42), image: scene.image)
        #expect(answer.places.count == 2)
        #expect(answer.file == "/src/Checkout.swift")
        let names = Dictionary(uniqueKeysWithValues: answer.names.map { ($0.name, $0) })
        let count = try #require(names["count"])
        #expect(count.type == "Int" && count.readableAt == 2 && count.reason == nil)
        let flag = try #require(names["flag"])
        #expect(flag.readableAt == 1)
        #expect(flag.reason == "only known at function entry")
        let gone = try #require(names["gone"])
        #expect(gone.readableAt == 0 && gone.reason == "optimized out")
        #expect(gone.nearestLines == [50])
        let split = try #require(names["split"])
        #expect(split.partlyReadableAt == 1 && split.reason == "optimized out")
        #expect(names["x"]?.kind == .member)
        #expect(names["secret"]?.reason == "its fields are not recorded")
    }

    @Test func aLineWithoutCodeIsRefusedWithItsNeighbors() throws {
        let error = try #require(throws: ProbeCompileError.self) {
            try ProbeCompiler.describe(
                location: .line(file: "Checkout.swift", line: 41), image: Scene().image)
        }
        #expect(error.nearestLines == [42])
    }
}
