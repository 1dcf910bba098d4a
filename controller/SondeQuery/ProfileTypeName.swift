// SPDX-License-Identifier: Apache-2.0
// Short names of profile types, for people.

package import SondeModel

/// Short names of profile types: `cpu` in place of `process_cpu:cpu:nanoseconds:cpu:nanoseconds`.
package enum ProfileTypeName {
    /// What a person calls a type: its sample type, with the profile's name in front where the
    /// sample type alone says too little.
    package static func short(_ type: ProfileType) -> String {
        switch (type.name, type.sampleType) {
        case ("process_cpu", let sampleType): sampleType
        case (let name, let sampleType) where name == sampleType: name
        case ("memory", let sampleType): sampleType
        case ("goroutine", "goroutines"): "goroutines"
        case (let name, let sampleType): "\(name)_\(sampleType)"
        }
    }

    /// Reads a type's id or short name.
    ///
    /// - Parameters:
    ///   - text: A whole id, a short name, or nothing for `cpu`.
    ///   - known: The types that short names other than `cpu` may mean.
    /// - Returns: The type.
    /// - Throws: ``QueryError`` that lists the names there are.
    package static func parse(
        _ text: String?, known: some Sequence<ProfileType> = []
    ) throws(QueryError) -> ProfileType {
        guard let text, !text.isEmpty, text != "cpu" else { return .cpu }
        if let type = ProfileType(text) { return type }
        var names: Set<String> = ["cpu"]
        var found: Set<ProfileType> = []
        for type in known {
            let name = short(type)
            names.insert(name)
            if name == text { found.insert(type) }
        }
        if found.count == 1, let type = found.first { return type }
        let want =
            found.isEmpty
            ? "one of \(names.sorted().prefix(20).joined(separator: ", ")), or a whole id with four colons"
            : "one of \(found.map(\.description).sorted().joined(separator: ", "))"
        throw QueryError(
            .invalidArgument,
            "cannot read profile type: got \"\(text.prefix(100))\"; want \(want)")
    }
}
