// SPDX-License-Identifier: Apache-2.0
// A pprof profile as its format defines it, with strings in place of indices into the string table.

/// A pprof profile, faithful to google/pprof's `profile.proto`.
///
/// Strings stand where the format has indices into its string table; everything else keeps the
/// format's names and units. Ids are as in the file: not zero, unique within their table.
package struct PprofDocument: Hashable, Sendable {
    /// What each of a sample's values counts.
    package var sampleTypes: [ValueType] = []
    /// The samples: a stack and its values.
    package var samples: [Sample] = []
    /// The images that addresses lie in.
    package var mappings: [Mapping] = []
    /// The entries of stacks.
    package var locations: [Location] = []
    /// The functions that lines name.
    package var functions: [Function] = []
    /// When the profile began, in nanoseconds since the Unix epoch; 0 when unknown.
    package var timeNanos: Int64 = 0
    /// How long it lasted, in nanoseconds; 0 when unknown.
    package var durationNanos: Int64 = 0
    /// What triggers a sample.
    package var periodType: ValueType?
    /// How much of ``periodType`` lies between two samples; 0 when unknown.
    package var period: Int64 = 0
    /// Free text for people.
    package var comments: [String] = []
    /// The sample type that a reader should show first, or empty.
    package var defaultSampleType = ""
    /// Where people can read more about the profile, or empty.
    package var docURL = ""

    /// An empty document.
    package init() {}

    /// A kind of value and its unit.
    package struct ValueType: Hashable, Sendable {
        package var type: String
        package var unit: String
        package init(type: String, unit: String) {
            self.type = type
            self.unit = unit
        }
    }

    /// A stack and its values.
    package struct Sample: Hashable, Sendable {
        /// Ids of locations, leaf first.
        package var locationIDs: [UInt64]
        /// One value for each of ``PprofDocument/sampleTypes``.
        package var values: [Int64]
        /// What else is known of the sample.
        package var labels: [SampleLabel] = []
        package init(locationIDs: [UInt64], values: [Int64], labels: [SampleLabel] = []) {
            self.locationIDs = locationIDs
            self.values = values
            self.labels = labels
        }
    }

    /// A sample's label: text, or a number with a unit.
    package struct SampleLabel: Hashable, Sendable {
        package var key: String
        package var text = ""
        package var number: Int64 = 0
        package var numberUnit = ""
        package init(key: String, text: String = "", number: Int64 = 0, numberUnit: String = "") {
            self.key = key
            self.text = text
            self.number = number
            self.numberUnit = numberUnit
        }
    }

    /// An image, or a part of one, in the sampled process.
    package struct Mapping: Hashable, Sendable {
        package var id: UInt64
        /// The first runtime address of the mapping.
        package var memoryStart: UInt64 = 0
        /// The runtime address after the mapping.
        package var memoryLimit: UInt64 = 0
        /// The offset in the file that ``memoryStart`` corresponds to.
        package var fileOffset: UInt64 = 0
        package var filename = ""
        /// Hexadecimal digits, or empty.
        package var buildID = ""
        package var hasFunctions = false
        package var hasFilenames = false
        package var hasLineNumbers = false
        package var hasInlineFrames = false
        package init(id: UInt64) { self.id = id }
    }

    /// An entry of stacks.
    package struct Location: Hashable, Sendable {
        package var id: UInt64
        /// The mapping's id, or 0 when there is none.
        package var mappingID: UInt64 = 0
        /// The runtime address; for every frame but a leaf, one less than the return address.
        package var address: UInt64 = 0
        /// Innermost first: the last is the function itself, those before it were inlined into it.
        package var lines: [Line] = []
        package var isFolded = false
        package init(id: UInt64) { self.id = id }
    }

    /// A line of a function.
    package struct Line: Hashable, Sendable {
        package var functionID: UInt64
        package var line: Int64 = 0
        package var column: Int64 = 0
        package init(functionID: UInt64, line: Int64 = 0, column: Int64 = 0) {
            self.functionID = functionID
            self.line = line
            self.column = column
        }
    }

    /// A function's names and place.
    package struct Function: Hashable, Sendable {
        package var id: UInt64
        package var name = ""
        package var systemName = ""
        package var filename = ""
        package var startLine: Int64 = 0
        package init(id: UInt64) { self.id = id }
    }
}
