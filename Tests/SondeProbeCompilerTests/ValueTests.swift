// SPDX-License-Identifier: Apache-2.0
// Values that probes capture and compute: programs run over hand-made registers and memory.

import SondeProbeCompiler
import SondeProbeProgram
import Testing

@Suite struct CapturedValues {
    let scene = Scene()

    static let wholes: [(String, String)] = [
        ("{count}", "-5"), ("{rate}", "1.25"), ("{ratio}", "0.5"), ("{flag}", "true"),
        ("{big}", "18446744073709551615"), ("{small}", "200"), ("{signedSmall}", "-56"),
        ("{half}", "-1"), ("{price}", "0.25"), ("{constant}", "77"), ("{bytes}", "513"),
        ("{note}", "a note of more than fifteen bytes"), ("{noText}", "nil"),
        ("{some} {none}", "9 nil"),
        ("{numbers}", "[10, 20, 30]"),
        ("{grid}", "[[10, 20, 30], [10, 20, 30]]"),
        ("{pair}", "(3, label: true)"),
        ("{state} {other}", ".won(3.5) .lost"),
        ("{suit} {paint}", ".spades .BLUE"),
        ("{cstring} {letters}", "hello abcd"), ("{ints}", "[1, 2, 3, 4]"),
        ("{node}", "0x400000"),
        (
            "{node.pointee}",
            #"node(value: 42, flag: 1, next: 0x400018, name: "hello")"#
        ),
        (
            "{user}",
            #"User(name: "Ada", age: 36, boss: User(name: "Eve", age: 50, boss: nil))"#
        ),
        (
            "{bet}",
            #"Bet(id: 7, stake: 2.5, user: User(name: "Ada", age: 36, boss: "#
                + #"User(name: "Eve", age: 50, boss: nil)), "#
                + #"note: "a note of more than fifteen bytes")"#
        ),
        ("{self}", "Point(x: 1, y: 2)"), ("{x} {self.y}", "1 2"),
        ("{odds} {secret}", "<any Odds, known only at run time> <its fields are not recorded>"),
        ("{chief?.name}", "Ada"),
        ("{split}", "Point(x: 200, y: <optimized out>)"), ("{split.x}", "200"),
        ("{strange}", "<case 255>"),
        ("a {{b}} {count}c", "a {b} -5c"), ("no values", "no values"), ("", ""),
    ]

    @Test(arguments: wholes)
    func templates(template: String, expected: String) throws {
        #expect(try scene.say(template) == expected)
    }

    static let parts: [(String, String)] = [
        ("{user.name}", "Ada"), ("{user.boss?.name}", "Eve"),
        ("{user.boss?.boss?.name}", "nil"), ("{user.boss!.age}", "50"),
        ("{user.boss!.boss!.age}", "<nilUnwrapped>"),
        ("{boss?.name}", "nil"), ("{chief?.boss?.name}", "Eve"),
        ("{numbers[1]}", "20"), ("{numbers[count + 7]}", "30"),
        ("{numbers[3]}", "<indexOutOfRange>"),
        ("{numbers[count]}", "<indexOutOfRange>"), ("{bets[0].user.name}", "Ada"),
        ("{bets[1].user.name}", "<unreadable 0x76>"), ("{grid[1][2]}", "30"),
        ("{numbers.count} {numbers.isEmpty}", "3 false"),
        ("{note.isEmpty} {note.utf8.count}", "false 33"),
        ("{pair.0} {pair.label} {pair.1}", "3 true true"),
        ("{node.value} {node.next.value} {node.flag} {node.name}", "42 43 1 hello"),
        ("{node.next.next.value}", "<unreadable>"),
        ("{node[1].value}", "43"), ("{ints[2]} {ints[numbers.count]}", "3 4"),
        ("{state.won}", "3.5"), ("{other.won}", "nil"), ("{paint.rawValue}", "-5"),
        ("{broken}", "<unreadable 0x86>"), ("{broken.age}", "<unreadable 0x86>"),
        ("{letters.isEmpty}", "false"),
        ("{#function} {#file}:{#line}", "Checkout.settle() Checkout.swift:42"),
    ]

    @Test(arguments: parts)
    func members(template: String, expected: String) throws {
        #expect(try scene.say(template) == expected)
    }

    @Test func aProgramSaysWhichNamesItReads() throws {
        let compiled = try ProbeCompiler.compile(
            ProbeRequest(
                location: .line(file: "Checkout.swift", line: 42),
                template: "{pair.1} {user.boss?.name} {count + bet.id} {user}",
                condition: #"pair.1 && user.name == "secret""#), image: scene.image)
        #expect(
            compiled.program.condition
                == ReadExpression(
                    text: #"pair.1 && user.name == "secret""#,
                    names: ["pair", "user", "user.name", "label"]))
        #expect(
            compiled.program.valueNames == [
                ["pair", "label"], ["user", "user.boss", "user.boss.name"],
                ["count", "bet", "bet.id"], ["user"],
            ])
    }

    @Test func oneBadPointerSpoilsOnlyItself() throws {
        #expect(
            try scene.say("{bets}")
                == #"[Bet(id: 7, stake: 2.5, user: User(name: "Ada", age: 36, boss: User{…}), "#
                + #"note: "a note of more than fifteen bytes"), "#
                + #"Bet(id: 8, stake: 1.5, user: <unreadable 0x86>, "#
                + #"note: "a note of more than fifteen bytes")]"#)
        #expect(try scene.say("{broken.name} {count}") == "<unreadable 0x76> -5")
    }

    static let computed: [(String, String)] = [
        ("{count + 1}", "-4"), ("{count * 3 - 1}", "-16"), ("{-count}", "5"),
        ("{count / 2} {count % 2}", "-2 -1"), ("{count / 0}", "<divisionByZero>"),
        ("{small + 55}", "255"), ("{small + 56}", "<overflow>"), ("{small - 201}", "<overflow>"),
        ("{signedSmall - 72}", "-128"), ("{signedSmall - 73}", "<overflow>"),
        ("{big + 1}", "<overflow>"), ("{big &+ 1}", "0"), ("{small &+ 100}", "44"),
        ("{rate + 1}", "2.25"), ("{rate * price}", "0.3125"), ("{-rate}", "-1.25"),
        ("{count + 0.5}", "-4.5"), ("{ratio + rate}", "1.75"),
        ("{Double(count) * rate}", "-6.25"), ("{Int(small) + count}", "195"),
        ("{Int(big)}", "<overflow>"), ("{UInt(count)}", "<overflow>"), ("{UInt8(count + 5)}", "0"),
        ("{Int8(small)}", "<overflow>"), ("{UInt32(small)}", "200"),
        ("{small & 0xF} {small | 1} {small ^ 0xFF} {~small}", "8 201 55 55"),
        ("{small << 1} {small >> 3} {count >> 1} {1 << 10}", "144 25 -3 1024"),
        ("{1 + 2 * 3}", "7"), ("{1.5 + 1}", "2.5"),
        ("{some ?? 4} {none ?? 4}", "9 4"), ("{noText ?? \"-\"}", "-"),
        ("{count < 0 ? \"below\" : \"above\"}", "below"), ("{flag ? 1 : 2.5}", "1.0"),
        ("{count > 0 ? 1 : count}", "-5"), ("{user.boss?.age ?? 0}", "50"),
        ("{count == -5}", "true"),
    ]

    @Test(arguments: computed)
    func arithmetic(template: String, expected: String) throws {
        #expect(try scene.say(template) == expected)
    }

    static let conditionTexts: [(String, String)] = [
        ("count < 0", "true"), ("count >= 0", "false"), ("count == -5 && rate > 1", "true"),
        ("count == 0 || flag", "true"), ("flag || numbers[99] == 1", "true"),
        ("!flag && numbers[99] == 1", "false"),
        ("numbers[99] == 1", "<condition error: indexOutOfRange>"),
        ("count < small", "true"), ("small < count", "false"), ("big > count", "true"),
        ("count > big", "false"), ("half == count + 4", "true"), ("big == half", "false"),
        ("count != small", "true"), ("half != count", "true"), ("count <= half", "true"),
        ("count > -5.5", "true"), ("2.5 > count", "true"), ("rate == 1.25", "true"),
        ("rate == ratio", "false"), ("tenth == 0.1", "true"),
        ("0.1 == tenth", "true"), ("tenth < 0.2", "true"), ("tenth == rate", "false"),
        ("tenth * 1 == 0.1", "false"), ("ratio < rate", "true"), ("small == 200", "true"),
        ("flag == true", "true"), ("flag != false", "true"), ("!flag", "false"),
        ("some == 9", "true"), ("some != 9", "false"), ("none == 9", "false"),
        ("none != 9", "true"), ("none == nil", "true"), ("some != nil", "true"),
        ("nil == none", "true"), ("some == none", "false"), ("none == none", "true"),
        ("9 == some", "true"),
        ("user.name == \"Ada\"", "true"), ("user.name != \"Eve\"", "true"),
        ("user.boss?.name == \"Eve\"", "true"), ("boss?.name == \"Eve\"", "false"),
        ("boss?.name != \"Eve\"", "true"), ("boss == nil", "true"), ("chief != nil", "true"),
        ("noText == nil", "true"), ("noText == \"x\"", "false"),
        ("user.name < \"B\"", "true"), ("user.name >= \"B\"", "false"),
        ("note.hasPrefix(\"a note\")", "true"), ("note.hasSuffix(\"bytes\")", "true"),
        ("note.contains(\"fifteen\")", "true"), ("note.contains(\"sixteen\")", "false"),
        ("note.hasPrefix(user.name)", "false"), ("!note.isEmpty", "true"),
        ("user.boss?.name.hasPrefix(\"E\") == true", "true"),
        ("state == .won", "true"), ("state != .lost", "true"), ("other == .lost", "true"),
        ("state == State.won", "true"), ("suit == .spades", "true"), ("suit == suit", "true"),
        ("paint == BLUE", "true"), ("paint == .RED", "false"),
        ("state.won ?? 0 > 3", "true"), ("chief == user", "true"), ("user == user.boss", "false"),
        ("cstring == \"hello\"", "true"), ("node.name == \"hello\"", "true"),
        ("letters == \"abcd\"", "true"), ("node != nil", "true"), ("node.next.next == nil", "true"),
        ("node.name!.hasPrefix(\"h\")", "true"),
        ("x == 1 && y == 2", "true"), ("pair.label", "true"),
        ("broken.age == 3", "<condition error: unreadable>"),
        ("user.boss!.boss!.age == 1", "<condition error: nilUnwrapped>"),
        ("(count + 5) * 2 == 0", "true"), ("count > 0 ? false : true", "true"),
        ("numbers.count > 2 && numbers[2] == 30", "true"),
        ("1_000_000 > count", "true"), ("UInt8(5) == small", "false"),
    ]

    @Test(arguments: conditionTexts)
    func conditions(condition: String, expected: String) throws {
        #expect(try scene.test(condition) == expected)
    }

    @Test func everyAlternativeOfALongConditionIsTried() throws {
        let ids = (0..<60).map { "count == \($0)" }.joined(separator: " || ")
        #expect(try scene.test(ids) == "false")
        #expect(try scene.test(ids + " || count == -5") == "true")
    }
}
