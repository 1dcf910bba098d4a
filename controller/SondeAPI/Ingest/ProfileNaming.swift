// SPDX-License-Identifier: Apache-2.0
// Which profile type a profile of /ingest is: by its sample types, or by its application's suffix.

internal import SondeFormats
internal import SondeModel

/// The name of a pprof that came without one.
enum PprofNaming {
    /// What sample types are shown as where the client does not say.
    private static let displayNames = [
        "samples": "cpu", "goroutine": "goroutines", "contentions": "mutex_count",
        "delay": "mutex_duration",
    ]

    /// The value of `__name__`.
    ///
    /// - Parameters:
    ///   - sampleTypes: The pprof's sample types.
    ///   - chosen: What the client wants them to be shown as; `nil` when it does not say.
    /// - Returns: The name; empty when there are no sample types.
    static func name(
        _ sampleTypes: [PprofDocument.ValueType], displayNames chosen: [String: String]?
    ) -> String {
        if sampleTypes.contains(where: { $0.type == "wall" }) { return "wall" }
        let names = chosen ?? displayNames
        var shown = ""
        for type in sampleTypes {
            shown = names[type.type].flatMap { $0.isEmpty ? nil : $0 } ?? type.type
            if shown.contains("cpu") { return "process_cpu" }
            if shown.contains("alloc_") || shown.contains("inuse_") || shown == "space"
                || shown == "objects"
            {
                return "memory"
            }
            if shown.contains("mutex_") { return "mutex" }
            if shown.contains("block_") { return "block" }
            if shown.contains("goroutines") { return "goroutines" }
        }
        return shown
    }
}

/// The profile type that an application's suffix names: `shop.alloc_space`.
struct SuffixNaming: Hashable {
    /// The application without its suffix.
    var service: String
    var type: ProfileType
    /// Whether values are samples that have to become nanoseconds.
    var isTime: Bool

    /// Splits an application's name.
    ///
    /// A name whose suffix is none that is known is a service of that whole name, whose CPU time
    /// it is.
    ///
    /// - Parameters:
    ///   - application: The name.
    ///   - sampleRate: Samples per second; with 0 samples stay samples.
    init(_ application: String, sampleRate: Int) {
        let dot = application.lastIndex(of: ".")
        let suffix = dot.map { String(application[application.index(after: $0)...]) } ?? "cpu"
        let service = dot.map { String(application[..<$0]) } ?? application
        guard !service.isEmpty, let (type, isTime) = Self.type(of: suffix) else {
            self.init(application, Self.cpu, isTime: true, sampleRate)
            return
        }
        self.init(service, type, isTime: isTime, sampleRate)
    }

    private init(_ service: String, _ type: ProfileType, isTime: Bool, _ sampleRate: Int) {
        self.service = service
        self.isTime = isTime && sampleRate > 0
        self.type =
            isTime && sampleRate == 0
            ? Self.type(type.name, "samples", "count") : type
    }

    private static let cpu = ProfileType.cpu

    private static func type(
        _ name: String, _ sampleType: String, _ unit: String, period: String = "",
        periodUnit: String = ""
    ) -> ProfileType {
        ProfileType(
            name: name, sampleType: sampleType, sampleUnit: unit, periodType: period,
            periodUnit: periodUnit)
    }

    private static func type(of suffix: String) -> (ProfileType, isTime: Bool)? {
        switch suffix {
        case "cpu", "itimer": (cpu, true)
        case "wall", "seconds", "milliseconds", "microseconds", "nanoseconds":
            (type("wall", "wall", "nanoseconds", period: "cpu", periodUnit: "nanoseconds"), true)
        case "inuse_objects", "alloc_objects", "alloc_in_new_tlab_objects",
            "alloc_outside_tlab_objects", "live":
            (type("memory", suffix, "count"), false)
        case "inuse_space", "alloc_space", "alloc_in_new_tlab_bytes", "alloc_outside_tlab_bytes":
            (type("memory", suffix, "bytes"), false)
        case "bytes": (type("memory", "samples", "bytes"), false)
        case "goroutines": (type("goroutine", "goroutines", "count"), false)
        case "mutex_count": (type("mutex", "contentions", "count"), false)
        case "mutex_duration": (type("mutex", "delay", "nanoseconds"), false)
        case "block_count", "lock_count": (type("block", "contentions", "count"), false)
        case "block_duration", "lock_duration": (type("block", "delay", "nanoseconds"), false)
        case "exceptions": (type("exceptions", "samples", "count"), false)
        default: nil
        }
    }
}
