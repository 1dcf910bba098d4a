// SPDX-License-Identifier: Apache-2.0
// What an agent needs to run one probe: code for every build of the service, limits, rendering.

package import SondeModel

/// What an agent needs to run one probe.
///
/// Addresses are of an image, never of a process, so one program serves all instances of a build,
/// and it holds code for several builds at once.
package struct ProbeProgram: Hashable, Sendable {
    /// What a probe does when it is hit; names are part of the encoding.
    package enum Kind: UInt8, Hashable, Sendable, CaseIterable {
        /// Says a line.
        case log = 1
    }

    /// The probe's id, made by the controller.
    package var probe: String
    /// Grows when the probe is changed.
    package var revision: UInt64
    /// What it does.
    package var kind: Kind
    /// The level of its lines, such as `info`.
    package var level: String
    /// The group that it belongs to, the lines' label `probe`; may be empty.
    package var tag: String
    /// What it may cost.
    package var limits: ProbeLimits
    /// The source file as people call it.
    package var file: String
    /// The line that it is on.
    package var line: UInt32
    /// The code, one for each build.
    package var images: [ImageProgram]

    /// A program from its parts.
    package init(
        probe: String, revision: UInt64 = 1, kind: Kind = .log, level: String = "info",
        tag: String = "", limits: ProbeLimits, file: String, line: UInt32,
        images: [ImageProgram] = []
    ) {
        self.probe = probe
        self.revision = revision
        self.kind = kind
        self.level = level
        self.tag = tag
        self.limits = limits
        self.file = file
        self.line = line
        self.images = images
    }
}

/// A probe's code for one build of an image.
package struct ImageProgram: Hashable, Sendable {
    /// The image.
    package var buildID: BuildID
    /// Where it is installed: all statement addresses of the line, inlined copies included.
    package var sites: [ProbeSite]
    /// The instructions of all sites.
    package var code: [Instruction]
    /// Words that do not fit into an instruction.
    package var constants: [UInt64]
    /// The constants that are addresses in the image: its load bias is added when it is installed.
    package var relocations: [UInt32]
    /// The byte strings that spans are compared with.
    package var strings: [[UInt8]]
    /// How values lie in a record; a shape's parts come before it.
    package var shapes: [ValueShape]
    /// The message.
    package var template: [TemplateSegment]
    /// What decides whether a hit counts; `nil` when every hit does.
    package var condition: ReadExpression?
    /// The names that each value of the message reads, in the order of the values.
    package var valueNames: [[String]]

    /// A program without code.
    package init(buildID: BuildID) {
        self.buildID = buildID
        sites = []
        code = []
        constants = []
        relocations = []
        strings = []
        shapes = []
        template = []
        condition = nil
        valueNames = []
    }

    /// Whether some hits may be told from others by a condition.
    package var hasCondition: Bool { code.contains { $0.op == .stopIfZero } }
}

/// An expression as it was written, and what it reads.
package struct ReadExpression: Hashable, Sendable {
    /// The expression.
    package var text: String
    /// The names in it, members behind their variables: `user.password`; those of a tuple's elements
    /// too, which nobody has to write.
    package var names: [String]

    /// An expression from its parts.
    package init(text: String, names: [String]) {
        self.text = text
        self.names = names
    }
}

/// One address at which a probe is installed.
package struct ProbeSite: Hashable, Sendable {
    /// The instruction, as the ELF file numbers it.
    package var address: ImageAddress
    /// The first instruction of its program in ``ImageProgram/code``.
    package var entry: UInt32
    /// The function, for people; the innermost one where calls are inlined.
    package var function: String
    /// The first address of the function that holds it and the address behind its last.
    package var functionStart: ImageAddress
    package var functionEnd: ImageAddress
    /// What cannot be read here.
    package var unavailable: [UnavailableValue]

    /// A site from its parts.
    package init(
        address: ImageAddress, entry: UInt32, function: String, functionStart: ImageAddress,
        functionEnd: ImageAddress, unavailable: [UnavailableValue] = []
    ) {
        self.address = address
        self.entry = entry
        self.function = function
        self.functionStart = functionStart
        self.functionEnd = functionEnd
        self.unavailable = unavailable
    }
}

/// An expression that cannot be read at a site.
package struct UnavailableValue: Hashable, Sendable {
    /// The expression as it was written.
    package var expression: String
    /// Why, in words.
    package var reason: String

    /// A value that is not there.
    package init(expression: String, reason: String) {
        self.expression = expression
        self.reason = reason
    }
}

/// A piece of a message.
package enum TemplateSegment: Hashable, Sendable {
    /// Words as they are.
    case text(String)
    /// The next value of the record: the expression as it was written, its shape, its format.
    case value(expression: String, shape: Int, format: ValueFormat?)
}

/// What a probe may cost in one process; past one of these it stops, and says which.
package struct ProbeLimits: Hashable, Sendable {
    /// When it ends by itself, in nanoseconds since the Unix epoch.
    package var expiresUnixNanos: Int64
    /// How many lines it may say.
    package var hits: UInt64
    /// Lines a second, on average.
    package var linesPerSecond: UInt32
    /// Lines that may come at once.
    package var burst: UInt32
    /// Bytes of records a second.
    package var bytesPerSecond: UInt32
    /// CPU time of its hits as millionths of one core.
    package var cpuMillionths: UInt32

    /// Limits from their parts; what is left out is as design sections say: 100 lines/s, 1 MiB/s,
    /// 1 % of a core.
    package init(
        expiresUnixNanos: Int64, hits: UInt64 = 1000, linesPerSecond: UInt32 = 100,
        burst: UInt32? = nil, bytesPerSecond: UInt32 = 1 << 20, cpuMillionths: UInt32 = 10_000
    ) {
        self.expiresUnixNanos = expiresUnixNanos
        self.hits = hits
        self.linesPerSecond = linesPerSecond
        self.burst = burst ?? max(1, linesPerSecond)
        self.bytesPerSecond = bytesPerSecond
        self.cpuMillionths = cpuMillionths
    }
}
