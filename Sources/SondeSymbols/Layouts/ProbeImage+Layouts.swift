// SPDX-License-Identifier: Apache-2.0
// The layouts of an image's types, as the probe compiler asks for them.

extension ProbeImage {
    /// How a value of a type lies in memory.
    ///
    /// Types of fields, elements and payloads are named by ids that are to be asked for in turn.
    /// What cannot be known from the image's files is ``TypeLayout/Kind/opaque(reason:)``, never a
    /// guess: computed sizes are compared with those that the debug info states.
    package func layout(of type: TypeID) -> TypeLayout { types.layout(of: type) }

    /// The Swift types whose size the debug info states, by name.
    package var swiftTypes: [TypeID] {
        types.types.sizes.sorted { $0.key < $1.key }.map {
            TypeID(entry: nil, mangledName: $0.key, byteSize: $0.value)
        }
    }
}
