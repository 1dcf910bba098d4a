// SPDX-License-Identifier: Apache-2.0
// The types of one image: the front of metadata, debug info and computed layouts.

internal import CElfutils

/// The types of one image.
///
/// Not thread safe.
final class ImageTypes: SwiftTypeFacts {
    let reflection: ReflectionTables
    let types: DwarfTypes
    private let dwarf: DwarfInfo
    private let cTypes: CTypeLayouts
    private lazy var layouts = SwiftLayouts(self)
    private lazy var isKnownToolchain = LibraryTypes.areKnown(to: types.producer)

    /// - Parameters:
    ///   - image: The file that holds the program's data.
    ///   - others: Files with the same build id, for their symbols.
    ///   - dwarf: Its debug info, which may come from another file.
    init(_ image: ElfImage, _ others: [ElfImage], _ dwarf: DwarfInfo) {
        self.dwarf = dwarf
        reflection = ReflectionTables(ImageBytes(image, symbolsOf: others))
        types = DwarfTypes(dwarf)
        cTypes = CTypeLayouts(dwarf)
    }

    /// The layout of a type.
    func layout(of type: TypeID) -> TypeLayout {
        var mangled = type.mangledName
        if mangled == nil, let offset = type.entry, let entry = dwarf.entry(at: offset) {
            mangled = DwarfTypes.mangledName(of: entry)
        }
        guard let mangled else {
            guard let offset = type.entry else {
                return .opaque("?", type.byteSize ?? 0, "the debug info does not state the type")
            }
            return cTypes.layout(at: offset)
        }
        do {
            let swift = try SwiftTypeParser.type(mangledName: mangled)
            return layout(of: swift, statedSize: type.byteSize)
        } catch {
            return .opaque(mangled, type.byteSize ?? 0, error.reason)
        }
    }

    private func layout(of type: SwiftType, statedSize: UInt64?) -> TypeLayout {
        let name = type.readable
        do {
            let layout = try layouts.layout(of: type)
            guard !layout.isDependent else {
                return .opaque(
                    name, statedSize ?? 0,
                    "it depends on a generic parameter, which is only "
                        + "known at run time")
            }
            if let statedSize, statedSize != layout.size, !Self.isEmptyMetatype(type, statedSize) {
                return .opaque(
                    name, statedSize,
                    "its parts add up to \(layout.size) bytes, but the debug "
                        + "info states \(statedSize)")
            }
            return TypeLayout(
                name: name, size: layout.size, stride: layout.stride,
                alignment: layout.alignment, kind: completed(layout.kind, of: type))
        } catch {
            return .opaque(name, statedSize ?? 0, error.reason)
        }
    }

    /// Debug info states a byte for a metatype that takes no room.
    private static func isEmptyMetatype(_ type: SwiftType, _ statedSize: UInt64) -> Bool {
        guard case .metatype = type else { return false }
        return statedSize <= 1
    }

    /// What is left out while layouts are computed, so that types may refer to themselves.
    private func completed(_ kind: TypeLayout.Kind, of type: SwiftType) -> TypeLayout.Kind {
        switch (kind, type) {
        // What people want to see of these is none of their fields.
        case (.structure, .nominal(let nominal, _)) where LibraryTypes.kinds[nominal.key] != nil:
            return isKnownToolchain ? LibraryTypes.kinds[nominal.key] ?? kind : kind
        case (.object, .nominal(let nominal, let arguments)):
            let instance = layouts.instance(of: nominal, arguments)
            return .object(
                fields: instance.fields, isActor: instance.isActor,
                incomplete: instance.incomplete)
        case (.object, .reference(_, let inner)): return completed(kind, of: inner)
        case (.enumeration(var cases, let tag), _):
            for index in cases.indices where cases[index].isIndirect {
                guard let payload = cases[index].payload?.mangledName,
                    let type = try? SwiftTypeParser.type(mangledName: payload),
                    let layout = try? layouts.layout(of: type)
                else { continue }
                let mask = layout.alignment &- 1
                cases[index].boxOffset = (16 &+ mask) & ~mask
                cases[index].payload?.byteSize = layout.size
            }
            return .enumeration(cases: cases, tag: tag)
        default: return kind
        }
    }

    // MARK: What is known of types

    func descriptor(
        of nominal: SwiftNominal
    ) throws(LayoutProblem) -> ReflectionTables.Descriptor {
        if let descriptor = reflection.descriptor(of: nominal) { return descriptor }
        if isKnownToolchain, let known = LibraryTypes.descriptor(of: nominal) { return known }
        guard let found = types.type(nominal) else {
            throw LayoutProblem(
                reason: "\(nominal.name) is declared in another image, whose metadata is not read")
        }
        if let members = types.members(of: nominal) {
            // Debug info does not say which cases are indirect, nor what superclass there is.
            let hasPayload =
                members.kind == .enumeration && members.records.contains { $0.type != nil }
            guard !hasPayload, members.kind != .classType else {
                throw LayoutProblem(
                    reason: "the metadata of \(nominal.name) was dropped, and the debug info does "
                        + "not say enough of it")
            }
            return members
        }
        if found.size == 0 {
            let kind: ReflectionTables.Descriptor.Kind =
                nominal.kind == .structure ? .structure : .enumeration
            return ReflectionTables.Descriptor(kind: kind, superclass: nil, records: [])
        }
        throw LayoutProblem(
            reason: "the metadata of \(nominal.name) was dropped or lies in another image; "
                + "build with -Xswiftc -gdwarf-types")
    }

    func imported(_ nominal: SwiftNominal) throws(LayoutProblem) -> TypeLayout {
        let stated = reflection.builtIn(.nominal(nominal, arguments: []))
        if let stated, stated.extraInhabitants > 0 {
            throw LayoutProblem(reason: "\(nominal.name) is a C type that Swift lays out itself")
        }
        if let offset = types.cType(nominal) {
            var layout = cTypes.layout(at: offset)
            if let stated { layout.alignment = max(1, stated.alignment) }
            let size = statedSize(of: nominal) ?? stated?.size ?? layout.size
            if layout.size == size { return layout }
        }
        throw LayoutProblem(
            reason: "\(nominal.name) is a C type, and no debug info of C describes it")
    }

    func statedSize(of nominal: SwiftNominal) -> UInt64? { types.type(nominal)?.size }

    func builtIn(_ type: SwiftType) -> ReflectionTables.BuiltIn? { reflection.builtIn(type) }

    func spareBits(_ nominal: SwiftNominal) -> BitMask? { reflection.spareBits(nominal) }

    func isClassProtocol(_ nominal: SwiftNominal) -> Bool? { reflection.isClassProtocol(nominal) }

    func fieldOffset(of field: String, in nominal: SwiftNominal) -> UInt64? {
        reflection.fieldOffset(of: field, in: nominal)
    }

    func aliased(_ nominal: SwiftNominal) -> SwiftType? { types.aliased(nominal) }
}
