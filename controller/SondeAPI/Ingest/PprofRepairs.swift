// SPDX-License-Identifier: Apache-2.0
// What some clients' pprofs need before they mean what they should.

internal import SondeFormats
internal import SondeModel

/// Changes that clients of `/ingest` rely on; each says whether it changed anything.
enum PprofRepairs {
    /// Gives a profile without a time, or with one in 1970, the time of the request.
    static func time(
        _ document: inout PprofDocument, _ parameters: IngestParameters
    ) -> Bool {
        let year: Int64 = 31_536_000_000_000_000
        var isChanged = false
        if document.timeNanos < year {
            document.timeNanos = parameters.from.unixNanoseconds
            isChanged = true
        }
        if document.durationNanos == 0, parameters.durationNanoseconds > 0 {
            document.durationNanos = parameters.durationNanoseconds
            isChanged = true
        }
        return isChanged
    }

    /// Puts the file before the function's name: scripts have many functions of one name.
    static func names(_ document: inout PprofDocument, spy: String) -> Bool {
        guard ["pyspy", "rbspy", "scripting"].contains(spy) else { return false }
        for index in document.functions.indices {
            let file = document.functions[index].filename
            if file.isEmpty || spy == "pyspy" && file.hasPrefix("/") { continue }
            document.functions[index].name = "\(file) \(document.functions[index].name)"
        }
        return true
    }

    /// Whether a pprof is of the .NET client, whose tables need ``dotnet(_:)``.
    static func isDotnet(spy: String, displayNames: [String: String]?) -> Bool {
        spy == "dotnetspy" || spy == "unknown" && displayNames?["inuse-space"] != nil
    }

    /// Gives sample types names that selectors can hold, and functions the ids that lines refer to.
    ///
    /// The client has written all functions with the id 0, one for each location, which refers to
    /// its function by the location's own id.
    static func dotnet(_ document: inout PprofDocument) -> Bool {
        for index in document.sampleTypes.indices {
            let type = document.sampleTypes[index].type
            document.sampleTypes[index].type = String(type.map { $0 == "-" ? "_" : $0 })
        }
        if document.functions.allSatisfy({ $0.id == 0 }),
            document.functions.count == document.locations.count
        {
            for index in document.functions.indices {
                document.functions[index].id = document.locations[index].id
            }
        }
        return true
    }
}
