// SPDX-License-Identifier: Apache-2.0
// Build ids, image names, profile types and times.

import SondeModel
import Testing

@Suite struct IdentityTests {
    @Test func aBuildIDIsItsDigits() throws {
        let id = try #require(BuildID(hex: "00Ff1a"))
        #expect(id.bytes == [0, 255, 26])
        #expect(id.description == "00ff1a")
        #expect(BuildID(hex: id.description) == id)
        #expect(BuildID(bytes: [0, 255, 26]) == id)
        #expect(BuildID(hex: String(repeating: "ab", count: 64)) != nil)
    }

    @Test(arguments: ["", "0", "0g", "abc", "0x12", " 12", "é", String(repeating: "ab", count: 65)])
    func whatIsNoBuildIDIsRefused(text: String) { #expect(BuildID(hex: text) == nil) }

    @Test(arguments: [
        ("/usr/bin/app", "app"), ("app", "app"), ("", ""), ("/", ""), ("[vdso]", "[vdso]"),
    ])
    func anImageIsCalledByItsLastComponent(path: String, name: String) {
        #expect(ImageID(buildID: nil, path: path).name == name)
    }

    @Test(arguments: [
        "process_cpu:cpu:nanoseconds:cpu:nanoseconds", "memory:alloc_in_new_tlab_bytes:bytes::",
    ])
    func aProfileTypeIsItsFiveParts(id: String) throws {
        let type = try #require(ProfileType(id))
        #expect(type.description == id)
        #expect(ProfileType(id + ":delta") == type)
    }

    @Test(arguments: [
        "", "cpu", "a:b:c:d", "a:b:c:d:e:f", ":b:c:d:e", "a::c:d:e", "a:b::d:e",
        "a:b:c:d:e:delta:x",
    ])
    func whatIsNoProfileTypeIsRefused(id: String) { #expect(ProfileType(id) == nil) }

    @Test func millisecondsAreRoundedDownAndSaturate() {
        #expect(Timestamp(unixNanoseconds: 1_999_999).unixMilliseconds == 1)
        #expect(Timestamp(unixNanoseconds: -1).unixMilliseconds == -1)
        #expect(Timestamp(unixNanoseconds: -1_000_000).unixMilliseconds == -1)
        #expect(Timestamp(unixMilliseconds: .max).unixNanoseconds == .max)
        #expect(Timestamp(unixMilliseconds: .min).unixNanoseconds == .min)
        let late = Timestamp(unixNanoseconds: .max - 1)
        #expect(late.advanced(byNanoseconds: 5).unixNanoseconds == .max)
        #expect(
            Timestamp(unixNanoseconds: -5).advanced(byNanoseconds: .min).unixNanoseconds == .min)
        #expect(late.advanced(byNanoseconds: -4).unixNanoseconds == .max - 5)
    }

    @Test func aRangeHoldsBothItsEnds() throws {
        let (one, two) = (Timestamp(unixNanoseconds: 1), Timestamp(unixNanoseconds: 2))
        #expect(TimeRange(from: two, until: one) == nil)
        let range = try #require(TimeRange(from: one, until: two))
        #expect(range.contains(one) && range.contains(two))
        #expect(!range.contains(Timestamp(unixNanoseconds: 0)))
        #expect(!range.contains(Timestamp(unixNanoseconds: 3)))
        #expect(try #require(TimeRange(from: one, until: one)).contains(one))
    }
}
