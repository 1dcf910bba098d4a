// SPDX-License-Identifier: Apache-2.0
// An OTLP profiles request as it is on the wire: tables, and profiles that refer to them.

internal import SondeModel

/// A request before its references are followed: what both encodings are read into.
struct OTLPRequest {
    var tables = OTLPTables()
    var profiles: [Profile] = []
    /// Whether fields have names, so that there is no question which of them is which.
    var isNamed = false

    /// Where a profile comes from: shared by all profiles of a scope.
    struct Origin {
        var resource: [Attribute] = []
        var scopeName = ""
        var scopeVersion = ""
        var scope: [Attribute] = []
    }

    /// A key and a value, either of which may stand in the string table.
    struct Attribute {
        var key = Text.literal("")
        var value: Text?
    }

    enum Text {
        case literal(String)
        case index(UInt64)
    }

    struct ValueType {
        var type: UInt64 = 0
        var unit: UInt64 = 0
    }

    struct Profile {
        var origin: Origin
        var type = ValueType()
        var periodType = ValueType()
        var period: Int64 = 0
        var time: UInt64 = 0
        var duration: UInt64 = 0
        var id: [UInt8] = []
        var attributes: [UInt64] = []
        var samples: [Sample] = []
        /// The numbers of all samples, one list after the other.
        var numbers: [UInt64] = []
    }

    struct Sample {
        var stack: UInt64 = 0
        /// Fields 2, 3 and 4, which changed places: where a list's numbers stand, or one number.
        var lists: (second: Range<Int32>, third: Range<Int32>, fourth: Range<Int32>) = (
            0..<0, 0..<0, 0..<0
        )
        var third: UInt64 = 0
        var fourth: UInt64 = 0
        var timestamps = 0
    }

    /// Which of a sample's fields holds what.
    enum Shape {
        /// 2 attributes, 3 link, 4 values.
        case current
        /// 2 values, 3 attributes, 4 link: `opentelemetry-proto` before 1.10.
        case valuesFirst
    }

    /// The shape that the samples have, or `nil` when they contradict each other.
    func shape() -> Shape? {
        var isOld = false
        var isNew = false
        var onlyOldMakesSense = false
        for profile in profiles {
            for sample in profile.samples {
                isOld = isOld || !sample.lists.third.isEmpty || sample.fourth != 0
                isNew = isNew || !sample.lists.fourth.isEmpty || sample.third != 0
                guard sample.lists.fourth.isEmpty, !sample.lists.second.isEmpty else { continue }
                // Attributes without any value make sense only where timestamps are counted.
                let numbers = profile.numbers[
                    Int(sample.lists.second.lowerBound)..<Int(sample.lists.second.upperBound)]
                onlyOldMakesSense =
                    onlyOldMakesSense || sample.timestamps == 0
                    || numbers.contains { $0 == 0 || $0 >= UInt64(tables.attributes.count) }
            }
        }
        if isOld, isNew { return nil }
        return isOld || (!isNew && onlyOldMakesSense) ? .valuesFirst : .current
    }
}

/// The tables that all profiles of a request share; entry 0 of each is the null entry.
struct OTLPTables {
    var strings: [String] = []
    var mappings: [Mapping] = []
    var locations: [Location] = []
    var functions: [Function] = []
    var links: [Link] = []
    var attributes: [OTLPRequest.Attribute] = []
    var stacks: [[UInt64]] = []

    struct Mapping {
        var start: UInt64 = 0
        var limit: UInt64 = 0
        var fileOffset: UInt64 = 0
        var filename: UInt64 = 0
        var attributes: [UInt64] = []
    }

    struct Location {
        var mapping: UInt64 = 0
        var address: UInt64 = 0
        /// The function of each line, innermost first.
        var functions: [UInt64] = []
    }

    struct Function {
        var name: UInt64 = 0
        var systemName: UInt64 = 0
        var filename: UInt64 = 0
        var startLine: Int64 = 0
    }

    struct Link {
        var trace: TraceID?
        var span: SpanID?
    }
}
