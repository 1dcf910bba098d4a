// SPDX-License-Identifier: Apache-2.0
// Label sets: sorted, each name once, nothing empty.

import SondeModel
import Testing

@Suite struct LabelSetTests {
    private func set(_ pairs: (String, String)...) throws -> LabelSet {
        try LabelSet(pairs.map { Label(name: $0.0, value: $0.1) })
    }

    @Test func labelsAreSortedByTheBytesOfTheirNames() throws {
        let labels = try set(("b", "2"), ("a", "1"), ("é", "4"), ("Z", "0"), ("z", "3"))
        #expect(labels.labels.map(\.name) == ["Z", "a", "b", "z", "é"])
        #expect(try labels == set(("é", "4"), ("z", "3"), ("b", "2"), ("a", "1"), ("Z", "0")))
    }

    @Test func anEmptyValueMeansAbsent() throws {
        let labels = try set(("a", ""), ("b", "x"), ("a", ""))
        #expect(labels.labels.map(\.name) == ["b"])
        #expect(labels["a"] == nil)
        #expect(labels["b"] == "x")
        #expect(try set(("", "")) == LabelSet())
    }

    @Test func aNameWithoutLettersOrTwiceIsRefused() {
        #expect(throws: LabelError.emptyName(value: "x")) { try set(("", "x")) }
        #expect(throws: LabelError.duplicateName("a")) {
            try set(("a", "1"), ("b", "2"), ("a", "1"))
        }
        #expect(
            LabelError.duplicateName("a").description
                == "cannot read labels: got the name \"a\" twice; want each name once")
    }

    @Test func settingKeepsTheOrder() throws {
        let labels = try set(("b", "2"))
        #expect(try labels.setting("a", to: "1") == set(("a", "1"), ("b", "2")))
        #expect(try labels.setting("c", to: "3") == set(("b", "2"), ("c", "3")))
        #expect(try labels.setting("b", to: "9") == set(("b", "9")))
        #expect(labels.setting("b", to: nil) == LabelSet())
        #expect(labels.setting("b", to: "") == LabelSet())
        #expect(labels.setting("", to: "x") == labels)
    }

    @Test func labelsInOrderAreTakenAsTheyAre() throws {
        let ordered = [Label(name: "a", value: "1"), Label(name: "b", value: "ü")]
        #expect(LabelSet(inOrder: ordered) == (try LabelSet(ordered.reversed())))
        #expect(LabelSet(inOrder: []) == LabelSet())
        #expect(LabelSet(inOrder: ordered.reversed()) == nil)
        #expect(LabelSet(inOrder: [ordered[0], ordered[0]]) == nil)
        #expect(LabelSet(inOrder: [Label(name: "", value: "1")]) == nil)
        #expect(LabelSet(inOrder: [Label(name: "a", value: "")]) == nil)
    }
}
