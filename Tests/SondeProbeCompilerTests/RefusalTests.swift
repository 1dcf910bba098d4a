// SPDX-License-Identifier: Apache-2.0
// What is refused, and what is offered instead: goldens of whole refusals.

import SondeModel
import SondeProbeCompiler
import SondeProbeLanguage
import SondeSymbols
import Testing

@Suite struct Refusals {
    let scene = Scene()

    @Test func anUnknownNameGetsTheNearestAndAllReadableNames() throws {
        let error = try scene.refusal("bet {bte.id}")
        #expect(error.code == .unknownName)
        #expect(
            error.message
                == "cannot compile the template: found no `bte` at Checkout.swift:42; want a name "
                + "that can be read there")
        #expect(error.caret == "bet {bte.id}\n     ^~~")
        #expect(error.column == 6)
        #expect(error.role == .template)
        #expect(error.suggestions.contains("bet"))
        #expect(error.names.contains(ReadableName(name: "bet", type: "Bet")))
        #expect(error.names.contains(ReadableName(name: "x", type: "Int")))
        #expect(!error.names.contains { $0.name == "gone" })
        #expect(error.description.contains("\n  bet {bte.id}\n       ^~~\n"))
    }

    @Test func anUnknownMemberGetsTheMembers() throws {
        let error = try scene.refusal("{user.nmae}")
        #expect(error.code == .unknownName)
        #expect(
            error.message
                == "cannot compile the template: found no `nmae` in User; want one of name, age, "
                + "boss")
        #expect(error.suggestions == ["name"])
        #expect(error.caret == "{user.nmae}\n      ^~~~")
    }

    @Test func anOptimizedOutVariableGetsTheNearestLines() throws {
        scene.image.add(40, at: 0x2000, [onStack("gone", "Int", -8)])
        scene.image.add(45, at: 0x2010, [onStack("gone", "Int", -8)])
        let error = try scene.refusal("ok", if: "gone > 3")
        #expect(error.code == .unavailable)
        #expect(
            error.message
                == "cannot compile the condition: found `gone`, which cannot be read here: "
                + "optimized out; want a line where it can be read, or another name")
        #expect(error.nearestLines == [40, 45])
        #expect(error.role == .condition)
    }

    @Test func aVariableThatIsDeclaredBelowIsRefusedAsSuch() throws {
        scene.image.add(45, at: 0x2010, [variable("later", "Int", [], line: 44)])
        let error = try scene.refusal("{later}")
        #expect(error.code == .notYetDeclared)
        #expect(error.message.contains("declared below, on line 44"))
    }

    @Test func aPartThatIsMissingIsRefusedByName() throws {
        let error = try scene.refusal("{split.y}")
        #expect(error.code == .unavailable)
        #expect(error.message.contains("`split`, which cannot be read here: optimized out"))
    }

    @Test(arguments: [
        ("{count.name}", "no `name` in Int"), ("{user?.name}", "User, which is never nil"),
        ("{boss.name}", "User?, which may be nil"), ("{note[0]}", "an index on String"),
        ("{note.count}", "the count of a string's characters"),
        ("{numbers.first}", "no `first` in [Int]"), ("{pair.2}", "element 2 of"),
        ("{odds.price}", "any Odds, whose type is known only at run time"),
        ("{secret.x}", "contents cannot be read: its fields are not recorded"),
        ("{nil}", "nil by itself"), ("{.won}", "the case .won by itself"),
        ("{count + rate}", "Int and Double"), ("{count + small}", "Int and UInt8"),
        ("{note + \"x\"}", "where a single value is needed"), ("{!count}", "as a condition"),
        ("{-small}", "`-` before a value of the type UInt8"), ("{rate & 1}", "with fractions"),
        ("{count ?? 1}", "which is never nil"), ("{foo(count)}", "a call of `foo`"),
        ("{user.save()}", "a call of `save`"), ("{Int(rate)}", "Int of a value of the type Double"),
        ("{UInt8(300)}", "the number 300, which UInt8 cannot hold"),
        ("{flag ? 1 : note}", "a string on one side"), ("{#task.x}", "may be nil"),
        ("{#trace + 1}", "where a single value is needed"),
        ("{ints[4]}", "element 4 of 4"), ("{count << -1}", "a shift by -1"),
        ("{boss?.name.hasPrefix(1)}", "where a string is needed"),
        ("{state.open}", "the case `open`, which carries nothing"),
    ])
    func templates(template: String, part: String) throws {
        let error = try scene.refusal(template)
        #expect(error.message.contains(part), "\(error)")
        #expect(error.caret != nil)
    }

    @Test(arguments: [
        ("count", "a value of the type Int as a condition"), ("some", "as a condition"),
        ("note", "a value of the type String as a condition"),
        ("1 == \"a\"", "a string where a single value is needed"),
        ("small == 300", "the number 300, which UInt8 cannot hold"),
        ("small == -1", "the number -1, which UInt8 cannot hold"),
        ("count == rate", "beside"), ("count == nil", "which is never nil"),
        ("nil == nil", "nil on both sides"), ("state == .wonn", "no `wonn` in State"),
        ("state == other", "whose cases carry values"), ("count == .won", "beside the case .won"),
        ("flag < true", "beside"), ("some < 3", "where a single value is needed"),
        ("user == 3", "want one of its members: name, age, boss"),
        ("note == 3", "where a single value"),
    ])
    func conditions(condition: String, part: String) throws {
        let error = try scene.refusal("x", if: condition)
        #expect(error.message.contains(part), "\(error)")
        #expect(error.role == .condition)
    }

    @Test func syntaxErrorsKeepTheirCodeAndCaret() throws {
        let error = try scene.refusal("{count = 1}")
        #expect(error.code.rawValue == "unsupported")
        #expect(error.caret == "{count = 1}\n       ^")
    }

    @Test func nestingBeyondTheRegistersIsRefused() throws {
        let deep = (0..<25).reduce("count") { text, _ in "numbers[\(text)]" }
        #expect(try scene.refusal("{\(deep)}").code == .tooDeep)
    }
}

@Suite struct Locations {
    let scene = Scene()

    private func refusal(_ location: String) throws -> ProbeCompileError {
        try #require(throws: ProbeCompileError.self) {
            _ = try ProbeCompiler.compile(
                ProbeRequest(location: ProbeLocation(parsing: location), template: "x"),
                image: scene.image)
        }
    }

    @Test func locationsAreLinesFunctionsAndAddresses() throws {
        #expect(
            try ProbeLocation(parsing: "a/b.swift:42") == .line(file: "a/b.swift", line: 42))
        #expect(try ProbeLocation(parsing: " Cart.total ") == .function("Cart.total"))
        #expect(try ProbeLocation(parsing: "Cart.init(id:)") == .function("Cart.init(id:)"))
        #expect(try ProbeLocation(parsing: "ns::f") == .function("ns::f"))
        let id = try #require(BuildID(hex: "ab12"))
        #expect(
            try ProbeLocation(parsing: "0x1f0@ab12") == .address(ImageAddress(0x1F0), id))
        for bad in [
            "", "  ", "a.swift", "a.swift:0", "a.swift:x", "a.swift:", "0xZZ@ab12",
            "0x1@xy", ":3", "a/b",
        ] {
            let error = try #require(throws: ProbeCompileError.self) {
                try ProbeLocation(parsing: bad)
            }
            #expect(error.code == .badLocation)
        }
    }

    @Test func aLineWithoutCodeGetsItsNeighbors() throws {
        for line in [30, 38, 47, 60] as [UInt32] {
            scene.image.add(line, at: UInt64(line) * 16, [])
        }
        let error = try refusal("Checkout.swift:45")
        #expect(error.code == .noCodeOnLine)
        #expect(error.nearestLines == [38, 42, 47, 60])
        #expect(
            error.message
                == "cannot probe Checkout.swift:45: found no code on this line; want a line with a "
                + "statement of its own")
    }

    @Test func anUnknownFileGetsTheNearest() throws {
        let error = try refusal("Chekout.swift:42")
        #expect(error.code == .unknownFile)
        #expect(error.suggestions == ["/src/Checkout.swift"])
    }

    @Test func anAmbiguousFileGetsTheList() throws {
        scene.image.add(42, at: 0x9000, file: "/src/legacy/Checkout.swift", [])
        let error = try refusal("Checkout.swift:42")
        #expect(error.code == .ambiguousFile)
        #expect(error.suggestions == ["/src/Checkout.swift", "/src/legacy/Checkout.swift"])
        #expect(try refusal("legacy/Checkout.swift:43").code == .noCodeOnLine)
    }

    @Test func anImageWithoutFilesOrBuildIDSaysSo() throws {
        scene.image.sources = [:]
        #expect(try refusal("Checkout.swift:42").code == .unknownFile)
        scene.image.buildID = nil
        #expect(try refusal("Checkout.swift:42").code == .noDebugInfo)
    }

    @Test func unknownFunctionsAndAddressesAreRefused() throws {
        #expect(try refusal("Checkout.nothing").code == .unknownFunction)
        #expect(try refusal("0x77@0123456789abcdef").code == .unknownAddress)
        #expect(try refusal("0x1000@ab12").code == .unknownAddress)
    }

    @Test func functionsAndAddressesCompile() throws {
        for location in ["Checkout.settle()", "0x1000@0123456789abcdef"] {
            let compiled = try ProbeCompiler.compile(
                ProbeRequest(location: ProbeLocation(parsing: location), template: "{count}"),
                image: scene.image)
            #expect(compiled.line == 42)
            #expect(Scene.text(compiled.program, scene.subject) == "-5")
        }
    }
}
