// SPDX-License-Identifier: Apache-2.0
// Speedscope's files, as py-spy and others write them.

import SondeFormats
import SondeModel
import Testing

@Suite struct SpeedscopeReadingTests {
    static let schema = #""$schema":"https://www.speedscope.app/file-format-schema.json""#

    static func read(_ text: String) throws -> [NamedStacks] {
        try SpeedscopeDocument.read(text.utf8)
    }

    static func file(_ profiles: String, frames: String = #"[{"name":"a"},{"name":"b"}]"#)
        -> String
    {
        "{\(schema),\"shared\":{\"frames\":\(frames)},\"profiles\":[\(profiles)]}"
    }

    @Test func aSampledProfileOfSecondsBecomesNanoseconds() throws {
        // As py-spy writes it: a profile for each thread, weights in seconds.
        let profiles = try Self.read(
            """
            {"version":"0.1.2",\(Self.schema),"profiles":[{"type":"sampled",
            "name":"Process 7 Thread 0x7 \\"MainThread\\"","unit":"seconds","startValue":0.0,
            "endValue":0.03,"samples":[[0,1],[0],[0,1]],"weights":[0.01,0.01,0.01]}],
            "shared":{"frames":[{"name":"<module>","file":"a.py","line":3},
            {"name":"work","file":"a.py","line":1,"col":null}]},"activeProfileIndex":null,
            "exporter":"py-spy","name":"py-spy profile"}
            """)
        #expect(profiles.count == 1)
        #expect(profiles[0].name == "Process 7 Thread 0x7 \"MainThread\"")
        #expect(profiles[0].unit == "nanoseconds")
        #expect(folded(profiles[0].stacks) == ["<module> 10000000", "<module>;work 20000000"])
        #expect(profiles[0].stacks.keys.map(\.file) == ["a.py", "a.py"])
    }

    @Test func anEventedProfileSpendsItsTimeInWhatIsOpen() throws {
        let profiles = try Self.read(
            Self.file(
                """
                {"events":[{"type":"O","frame":0,"at":1.5},{"type":"O","frame":1,"at":2},
                {"at":4,"type":"C","frame":1},{"type":"C","frame":0,"at":10}],
                "endValue":10,"startValue":0,"type":"evented","name":"x","unit":"milliseconds"}
                """))
        #expect(folded(profiles[0].stacks) == ["a 6500000", "a;b 2000000"])
    }

    @Test func framesThatAreOpenAtTheEndLastUntilThen() throws {
        let profiles = try Self.read(
            Self.file(
                #"{"type":"evented","unit":"none","endValue":7,"#
                    + #""events":[{"type":"O","frame":0,"at":3}]}"#))
        #expect(folded(profiles[0].stacks) == ["a 4"])
        #expect(profiles[0].unit == "count")
        #expect(profiles[0].name == nil)
    }

    @Test func fractionsOfACountAddUpBeforeTheyAreRounded() throws {
        let profiles = try Self.read(
            Self.file(
                #"{"type":"sampled","unit":"none","samples":[[0],[0],[0],[1],[]],"#
                    + #""weights":[0.25,0.5,0.25,0.4,3]}"#))
        #expect(folded(profiles[0].stacks) == ["a 1"])
    }

    @Test func withoutWeightsSamplesAreCounted() throws {
        let profiles = try Self.read(
            Self.file(#"{"type":"sampled","unit":"none","samples":[[0,1],[0,1]]}"#))
        #expect(folded(profiles[0].stacks) == ["a;b 2"])
    }

    @Test(arguments: [
        ("nanoseconds", "nanoseconds", 3), ("microseconds", "nanoseconds", 3000),
        ("milliseconds", "nanoseconds", 3_000_000), ("seconds", "nanoseconds", 3_000_000_000),
        ("bytes", "bytes", 3), ("none", "count", 3),
    ])
    func everyUnitIsRead(_ unit: String, _ kept: String, _ value: Int) throws {
        let profiles = try Self.read(
            Self.file(#"{"type":"sampled","unit":"\#(unit)","samples":[[0]],"weights":[3]}"#))
        #expect(profiles[0].unit == kept)
        #expect(folded(profiles[0].stacks) == ["a \(value)"])
    }

    @Test func severalProfilesShareTheFrames() throws {
        let profiles = try Self.read(
            Self.file(
                #"{"type":"sampled","name":"1","unit":"bytes","samples":[[0]],"weights":[1]},"#
                    + #"{"type":"sampled","name":"2","unit":"none","samples":[[1]],"weights":[2]}"#
            ))
        #expect(profiles.map(\.name) == ["1", "2"])
        #expect(profiles.map { folded($0.stacks) } == [["a 1"], ["b 2"]])
    }

    @Test(arguments: [
        (#"{"type":"sampled","unit":"none","samples":[[2]]}"#, "the frame 2 in sample 1"),
        (#"{"type":"sampled","unit":"none","samples":[[-1]]}"#, "the frame -1"),
        (#"{"type":"sampled","unit":"none","samples":[[0]],"weights":[]}"#, ""),
        (#"{"type":"sampled","unit":"none","samples":[[0]],"weights":[1,2]}"#, "2 weights for 1"),
        (#"{"type":"sampled","unit":"none","samples":[[0]],"weights":[-1]}"#, "the weight -1"),
        (#"{"type":"sampled","unit":"parsecs","samples":[]}"#, "the unit \"parsecs\""),
        (#"{"type":"drawn","unit":"none"}"#, "the type \"drawn\""),
        (
            #"{"type":"evented","unit":"none","events":[{"type":"C","frame":0,"at":1}]}"#,
            "the end of frame 0 in event 1"
        ),
        (
            #"{"type":"evented","unit":"none","events":[{"type":"O","frame":0,"at":2},"#
                + #"{"type":"C","frame":0,"at":1}]}"#, "a time before the last one in event 2"
        ),
        (
            #"{"type":"evented","unit":"none","events":[{"type":"O","frame":0}]}"#,
            "no time in event 1"
        ),
        (#"{"type":"sampled","unit":"none","samples":[[0]"#, "at byte"),
    ])
    func whatBreaksTheFormatIsRefusedInWords(_ profile: String, _ words: String) throws {
        guard !words.isEmpty else {
            // Writers leave weights empty that they do not have.
            #expect(folded(try Self.read(Self.file(profile))[0].stacks) == ["a 1"])
            return
        }
        let error = #expect(throws: FormatError.self) { try Self.read(Self.file(profile)) }
        #expect(error?.description.hasPrefix("cannot read speedscope: ") == true)
        #expect(error?.description.contains(words) == true, "\(String(describing: error))")
    }

    @Test(arguments: ["{}", #"{"$schema":"x"}"#, "[]", "", "null"])
    func whatIsNotSpeedscopesIsRefused(_ text: String) {
        #expect(throws: FormatError.self) { try Self.read(text) }
    }

    @Test func whatIsWrittenIsReadBack() throws {
        var generator = SplitMix(seed: 2)
        for _ in 0..<30 {
            let tree = randomTree(&generator)
            let text = SpeedscopeDocument.json(tree, type: .cpu, name: "x")
            let profiles = try Self.read(text)
            #expect(folded(profiles[0].stacks) == folded(tree))
            #expect(profiles[0].unit == "nanoseconds")
        }
    }

    @Test func mutatedFilesNeverCrash() {
        var generator = SplitMix(seed: 9)
        let seed = Array(
            Self.file(
                #"{"type":"evented","unit":"none","endValue":7,"#
                    + #""events":[{"type":"O","frame":0,"at":3},{"type":"C","frame":0,"at":4.5}]},"#
                    + #"{"type":"sampled","unit":"seconds","samples":[[0]],"weights":[1e3]}"#
            ).utf8)
        for _ in 0..<3000 {
            _ = try? SpeedscopeDocument.read(mutated(seed, &generator))
        }
    }
}
