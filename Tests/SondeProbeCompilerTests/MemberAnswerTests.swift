// SPDX-License-Identifier: Apache-2.0
// What can follow a dot: members with their types, behind names, chains, elements and indices.

import SondeProbeCompiler
import SondeSymbols
import Testing

@Suite struct MemberAnswers {
    let scene = Scene()

    private func members(_ text: String) throws -> String? {
        let answer = try ProbeCompiler.members(
            of: text, at: .line(file: "Checkout.swift", line: 42), image: scene.image)
        return answer.map { answer in
            let members = answer.members.map { "\($0.name): \($0.type)" }.joined(separator: ", ")
            return "\(answer.type)\(answer.isOptional ? "?" : "") {\(members)}"
        }
    }

    @Test(arguments: [
        ("bet", "Bet {id: Int, stake: Double, user: User, note: String}"),
        ("bet.user", "User {name: String, age: Int, boss: User?}"),
        ("bet.user.boss", "User? {name: String, age: Int, boss: User?}"),
        ("bet.user.boss?.boss!", "User {name: String, age: Int, boss: User?}"),
        ("chief", "User? {name: String, age: Int, boss: User?}"),
        ("bets[0].user", "User {name: String, age: Int, boss: User?}"),
        ("bets", "[Bet] {count: Int, isEmpty: Bool}"),
        ("grid[1][2]", "Int {}"),
        ("note", "String {isEmpty: Bool, utf8.count: Int}"),
        ("pair", "(Int, label: Bool) {0: Int, label: Bool}"),
        ("pair.0", "Int {}"),
        ("state", "State {won: Double?}"),
        ("state.won", "Double? {}"),
        ("paint", "color {rawValue: Int}"),
        ("suit", "Suit {}"),
        ("some", "Int? {}"),
        // A member of `self`, named without it.
        ("x", "Int {}"),
    ])
    func membersOfAValue(_ text: String, _ expected: String) throws {
        #expect(try members(text) == expected)
    }

    @Test(arguments: [
        "nobody", "bet.nothing", "chief.name", "bet.id.", "bet.", "", "1", "a + b", "bets.first",
        "pair.7", "bet[0]", "state.open", "nobody[0]", "x.y.z",
    ])
    func whatNamesNothingHasNoMembers(_ text: String) throws {
        #expect(try members(text) == nil)
    }

    @Test func aPlaceThatIsNoneIsRefused() {
        #expect(throws: ProbeCompileError.self) {
            try ProbeCompiler.members(
                of: "bet", at: .line(file: "Checkout.swift", line: 9_999), image: scene.image)
        }
    }
}
