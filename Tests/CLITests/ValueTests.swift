// SPDX-License-Identifier: Apache-2.0
// Times, numbers and text: what people type and what they read.

import Foundation
import Testing
import sonde

@Suite struct Times {
    @Test(arguments: [
        ("1h", "now-1h"), ("90s", "now-90s"), ("now", "now"), ("now-5m", "now-5m"),
        ("1700000000000", "1700000000000"), ("2026-01-31T09:30Z", "1769851800000"),
        ("2026-01-31T09:30:15Z", "1769851815000"), ("2026-01-31T09:30+02:00", "1769844600000"),
        ("2026-01-31T09:30-01:30", "1769857200000"), ("2024-02-29T00:00Z", "1709164800000"),
    ])
    func whatPeopleTypeBecomesWhatTheControllerTakes(typed: String, parameter: String) {
        #expect(TimeExpression(typed)?.parameter == parameter)
    }

    @Test(arguments: [
        "", "h", "-1h", "1y", "1.5h", "now+1h", "now-", "now-1", "yesterday", "12", "2026",
        "2026-13-01", "2026-02-30T00:00Z", "2026-02-29T00:00Z", "2026-1-1", "2026-01-31T25:00Z",
        "2026-01-31T09:30Q", "99999999999999999999", "99999999999999999999h", "１h",
    ])
    func whatIsNoTimeIsRefused(typed: String) {
        #expect(TimeExpression(typed) == nil)
    }

    @Test func aDateWithoutAZoneIsThisMachines() throws {
        let parameter = try #require(TimeExpression("2026-01-31")?.parameter)
        var parts = DateComponents()
        parts.year = 2026
        parts.month = 1
        parts.day = 31
        let date = try #require(Calendar(identifier: .gregorian).date(from: parts))
        #expect(parameter == String(Int64(date.timeIntervalSince1970) * 1000))
    }
}

@Suite struct TextOnATerminal {
    @Test func columnsAreCountedAsATerminalDoes() {
        #expect(DisplayWidth.of("abc") == 3)
        #expect(DisplayWidth.of("日本") == 4)
        #expect(DisplayWidth.of("e\u{301}") == 1)
        #expect(DisplayWidth.of("👨‍👩‍👧‍👦") == 2)
        #expect(DisplayWidth.of("µs └ …") == 6)
    }

    @Test func cuttingNeverExceedsTheColumns() {
        for text in ["plain text", "日本語のサービス", "naïve cafe\u{301}", "👩‍💻 at work"] {
            for columns in 0...20 {
                #expect(DisplayWidth.of(DisplayWidth.cut(text, to: columns)) <= columns)
            }
        }
        #expect(DisplayWidth.cut("abcdef", to: 4) == "abc…")
        #expect(DisplayWidth.cut("日本語", to: 4) == "日…")
        #expect(DisplayWidth.cut("abc", to: 3) == "abc")
    }

    @Test func namesCannotCommandTheTerminal() {
        #expect("\u{1B}[31mred\u{7}".forTerminal == "\\u{1b}[31mred\\u{7}")
        #expect("a\u{202E}b\u{2066}c".forTerminal == "a\\u{202e}b\\u{2066}c")
        #expect("a\nb\u{9B}c".forTerminal == "a\\u{a}b\\u{9b}c")
        #expect("Größe(of:) 日本 👩‍💻".forTerminal == "Größe(of:) 日本 👩‍💻")
    }

    @Test func numbersReadWell() {
        #expect(Quantity.count(0) == "0")
        #expect(Quantity.count(1_234_567) == "1 234 567")
        #expect(Quantity.count(.min) == "-9 223 372 036 854 775 808")
        #expect(Quantity.decimal(-0.004, places: 2) == "0.00")
        #expect(Quantity.decimal(12.345, places: 1) == "12.3")
        #expect(Quantity.decimal(.infinity, places: 1) == "inf")
        #expect(Quantity.ago(milliseconds: 0, now: 5000) == "5 s ago")
        #expect(Quantity.ago(milliseconds: .min, now: .max) == "0 s ago")
    }

    @Test func colourNeedsATerminalThatWantsIt() {
        let plain = Outlet(descriptor: 1), colours = Outlet(descriptor: 1, hasColour: true)
        #expect(Style.bold.apply("a", in: plain) == "a")
        #expect(Style.bold.apply("a", in: colours) == "\u{1B}[1ma\u{1B}[0m")
        // Not a terminal: neither colours nor a width, whatever the environment says.
        let file = open("/dev/null", O_WRONLY)
        defer { close(file) }
        let outlet = Outlet(descriptor: file, environment: ["TERM": "xterm", "COLUMNS": "40"])
        #expect(!outlet.hasColour && outlet.width == nil && !outlet.isTerminal)
    }
}

@Suite struct Tables {
    static let table: Table = {
        var table = Table([
            .init("SERVICE", isCuttable: true), .init("N", isNumber: true), .init("STATE"),
            .init("NOTE", isCuttable: true, dispensability: 2),
        ])
        table.rows = [
            ["bookmaker-with-a-long-name", "1", "connected", "a note that goes on for a while"],
            ["日本語のサービスの名前", "12345", "away", "x"],
        ]
        return table
    }()

    @Test(arguments: [20, 30, 40, 60, 80, 200])
    func noLineIsLongerThanTheTerminal(width: Int) {
        let outlet = Outlet(descriptor: 1, isTerminal: true, width: width)
        let lines = Self.table.text(for: outlet).split(separator: "\n")
        #expect(lines.count == 3)
        for line in lines { #expect(DisplayWidth.of(String(line)) <= width, "\(line)") }
    }

    @Test func whatFitsIsNotCut() {
        let wide = Self.table.text(for: Outlet(descriptor: 1, isTerminal: true, width: 200))
        #expect(wide == Self.table.text(for: Outlet(descriptor: 1)))
        #expect(!wide.contains("…"))
        #expect(wide.contains("bookmaker-with-a-long-name      1  connected  a note"))
        #expect(wide.contains("日本語のサービスの名前      12345  away       x"))
    }

    @Test func coloursDoNotMoveColumns() {
        let plain = Self.table.text(for: Outlet(descriptor: 1, isTerminal: true, width: 50))
        let coloured = Self.table.text(
            for: Outlet(descriptor: 1, isTerminal: true, width: 50, hasColour: true))
        #expect(coloured != plain)
        #expect(coloured.replacing(/\u{1B}\[[0-9;]*m/, with: "") == plain)
    }

    @Test func aTableWithoutRowsIsNothing() {
        #expect(Table([.init("A")]).text(for: Outlet(descriptor: 1)).isEmpty)
    }
}
