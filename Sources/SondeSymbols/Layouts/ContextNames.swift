// SPDX-License-Identifier: Apache-2.0
// The names of types by their context descriptors, for images whose symbols were stripped.

/// Reads names from context descriptors.
///
/// Source: Swift's ABI document "TypeMetadata", nominal type descriptors.
struct ContextNames {
    private let bytes: ImageBytes

    /// How many contexts deep a type may be declared.
    private static let maxDepth = 32

    init(_ bytes: ImageBytes) { self.bytes = bytes }

    /// The type whose descriptor lies at an address.
    func nominal(at address: UInt64) -> SwiftNominal? { nominal(at: address, depth: 0) }

    private func nominal(at address: UInt64, depth: Int) -> SwiftNominal? {
        guard depth < Self.maxDepth, let flags = bytes.integer(at: address, UInt32.self),
            let name = bytes.relative(at: address &+ 8).flatMap(bytes.text), !name.isEmpty,
            let context = context(ofDescriptorAt: address, depth: depth)
        else { return nil }
        let kind: SwiftNominal.Kind
        switch flags & 31 {
        case 3: kind = .protocolType
        case 16: kind = .classType
        case 17: kind = .structure
        case 18: kind = .enumeration
        default: return nil
        }
        return SwiftNominal(
            key: context.key + SwiftType.identifier(name) + context.mark + String(kind.rawValue),
            name: name, enclosing: context.names, kind: kind)
    }

    private func context(
        ofDescriptorAt address: UInt64, depth: Int
    ) -> (key: String, mark: String, names: [String])? {
        guard let distance = bytes.integer(at: address &+ 4, Int32.self) else { return nil }
        var parent = address &+ 4 &+ UInt64(bitPattern: Int64(distance & ~1))
        if distance & 1 != 0 {
            guard case .address(let target)? = bytes.target(ofPointerAt: parent) else {
                return nil
            }
            parent = target
        }
        guard let flags = bytes.integer(at: parent, UInt32.self) else { return nil }
        switch flags & 31 {
        case 0:
            guard let name = bytes.relative(at: parent &+ 8).flatMap(bytes.text) else { return nil }
            return (Self.known[name] ?? SwiftType.identifier(name), "", [])
        case 2:
            // An anonymous context makes private names unique; its address does so here.
            guard depth < Self.maxDepth,
                let outer = context(ofDescriptorAt: parent, depth: depth + 1)
            else { return nil }
            let mark = SwiftType.identifier("$" + String(parent, radix: 16)) + "LL"
            return (outer.key, mark + outer.mark, outer.names)
        case 16, 17, 18:
            guard let outer = nominal(at: parent, depth: depth + 1) else { return nil }
            return (outer.key, "", outer.enclosing + [outer.name])
        default: return nil
        }
    }

    private static let known = ["Swift": "s", "__C": "So", "__C_Synthesized": "SC"]
}
