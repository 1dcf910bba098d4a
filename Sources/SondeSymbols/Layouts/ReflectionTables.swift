// SPDX-License-Identifier: Apache-2.0
// Swift's reflection metadata in an image: fields and cases of types, spare bits of enums.

/// What an image's reflection sections say of the types in it.
///
/// Source: Swift's ABI documents and the sections' layout as the toolchain emits it. Not thread safe.
final class ReflectionTables {
    /// A type's fields, or an enum's cases.
    struct Descriptor {
        enum Kind: UInt16 {
            case structure = 0
            case classType = 1
            case enumeration = 2
            case multiPayloadEnumeration = 3
            case anyProtocol = 4
            case classProtocol = 5
            case objectiveCProtocol = 6
            case objectiveCClass = 7
        }

        var kind: Kind
        var superclass: SwiftType?
        var records: [Record]
    }

    struct Record {
        var name: String
        /// The field's type, or the payload's; `nil` for a case without a payload.
        var type: SwiftType?
        var isIndirect: Bool
    }

    /// What the compiler laid out itself: enums with several payloads, types imported from C.
    struct BuiltIn {
        var size: UInt64
        var alignment: UInt64
        var extraInhabitants: UInt64
    }

    /// How many fields a type, and how many types an image may have.
    static let maxRecords = 65_536
    static let maxTypes = 1 << 20

    private let bytes: ImageBytes
    private var addressOf: [String: UInt64] = [:]
    private var descriptorOf: [String: Descriptor] = [:]
    private var builtInOf: [String: BuiltIn] = [:]
    private var spareBitsOf: [String: BitMask] = [:]
    private var nominalAt: [UInt64: SwiftNominal] = [:]
    private var fieldOffsets: [String: [String: UInt64]] = [:]
    private var protocolAt: [String: UInt64] = [:]

    init(_ bytes: ImageBytes) {
        self.bytes = bytes
        readSymbols()
        readProtocolSection()
        readFieldSection()
        readBuiltInSection()
        readSpareBitSection()
    }

    /// How many types of the image have metadata.
    var count: Int { addressOf.count }

    /// The fields or cases of a type, if its metadata was kept.
    func descriptor(of nominal: SwiftNominal) -> Descriptor? {
        if let descriptor = descriptorOf[nominal.key] { return descriptor }
        guard let address = addressOf[nominal.key], let descriptor = readDescriptor(at: address)
        else { return nil }
        descriptorOf[nominal.key] = descriptor
        return descriptor
    }

    /// The layout that the compiler stated for a type.
    func builtIn(_ type: SwiftType) -> BuiltIn? { builtInOf[type.mangled] }

    /// The bits that no payload of an enum uses; `nil` when nothing is stated.
    func spareBits(_ nominal: SwiftNominal) -> BitMask? { spareBitsOf[nominal.key] }

    /// The offset of a class's field from the object's start, where it was fixed at build time.
    func fieldOffset(of field: String, in nominal: SwiftNominal) -> UInt64? {
        fieldOffsets[nominal.key]?[field]
    }

    /// Whether only classes can conform to a protocol; `nil` when the image does not say.
    func isClassProtocol(_ nominal: SwiftNominal) -> Bool? {
        if let kind = descriptor(of: nominal)?.kind {
            switch kind {
            case .classProtocol, .objectiveCProtocol: return true
            case .anyProtocol: return false
            default: return nil
            }
        }
        guard let address = protocolAt[nominal.key],
            let flags = bytes.integer(at: address, UInt32.self), flags & 31 == 3
        else { return nil }
        return flags >> 16 & 1 == 0
    }

    // MARK: Reading

    private func readSymbols() {
        bytes.forEachDataSymbol(endingIn: ["Mn", "Mp", "Wvd"]) { name, address in
            let text = Array(name.utf8.dropFirst(2))
            if name.hasSuffix("Wvd") {
                noteFieldOffset(text.dropLast(3), address)
            } else if nominalAt.count < Self.maxTypes,
                case .nominal(let nominal, _)? = try? SwiftTypeParser.type(
                    text.dropLast(2) + (name.hasSuffix("Mp") ? Array("P".utf8) : []), resolve: nil)
            {
                nominalAt[address] = nominal
                if name.hasSuffix("Mp") { protocolAt[nominal.key] = address }
            }
        }
    }

    private func noteFieldOffset(_ text: ArraySlice<UInt8>, _ address: UInt64) {
        // One that is not constant is a guess, which the runtime corrects.
        guard bytes.isConstant(address), let offset = bytes.integer(at: address, UInt64.self)
        else { return }
        var parser = SwiftTypeParser(Array(text))
        guard (try? parser.run()) != nil, case .scope(let scope)? = parser.stack.last,
            let owner = scope.owner
        else { return }
        fieldOffsets[owner.key, default: [:]][scope.name] = offset
    }

    private func section(_ name: String) -> Range<UInt64>? {
        guard
            let section = bytes.image.sections.first(where: {
                $0.name == name || $0.name == "." + name
            }), section.size > 0, section.size < 1 << 32
        else { return nil }
        let (end, overflow) = section.address.addingReportingOverflow(section.size)
        return overflow ? nil : section.address..<end
    }

    /// The type that a relative address at `place` names.
    private func type(namedAt place: UInt64) -> SwiftType? {
        guard let start = bytes.relative(at: place) else { return nil }
        guard let name = bytes.mangledName(at: start) else {
            return .unknown("a type's name cannot be read")
        }
        do {
            return try SwiftTypeParser.type(name) { kind, offset in
                self.nominal(kind, at: start &+ UInt64(offset))
            }
        } catch {
            return .unknown(error.reason)
        }
    }

    private func nominal(_ kind: UInt8, at place: UInt64) -> SwiftNominal? {
        guard let target = bytes.relative(at: place) else { return nil }
        if kind == 1 { return nominal(at: target) }
        switch bytes.target(ofPointerAt: target) {
        case .address(let address)?: return nominal(at: address)
        case .symbol(let name)?:
            guard name.hasPrefix("$s"), name.hasSuffix("Mn") || name.hasSuffix("Mp") else {
                return nil
            }
            var text = Array(name.utf8.dropFirst(2).dropLast(2))
            if name.hasSuffix("Mp") { text.append(UInt8(ascii: "P")) }
            guard case .nominal(let nominal, _)? = try? SwiftTypeParser.type(text, resolve: nil)
            else { return nil }
            return nominal
        case nil: return nil
        }
    }

    private func nominal(at address: UInt64) -> SwiftNominal? {
        if let nominal = nominalAt[address] { return nominal }
        guard let nominal = ContextNames(bytes).nominal(at: address) else { return nil }
        nominalAt[address] = nominal
        return nominal
    }

    /// The protocols of the image, for one whose symbols were stripped.
    private func readProtocolSection() {
        guard let section = section("swift5_protocols") else { return }
        for place in stride(from: section.lowerBound, to: section.upperBound, by: 4) {
            guard protocolAt.count < Self.maxTypes,
                let distance = bytes.integer(at: place, Int32.self), distance != 0
            else { return }
            let address = place &+ UInt64(bitPattern: Int64(distance & ~1))
            guard distance & 1 == 0, let nominal = nominal(at: address),
                nominal.kind == .protocolType
            else { continue }
            protocolAt[nominal.key] = address
        }
    }

    private func readFieldSection() {
        guard let section = section("swift5_fieldmd") else { return }
        var place = section.lowerBound
        // Each descriptor takes at least its header, so this ends.
        while place < section.upperBound, addressOf.count < Self.maxTypes {
            guard let size = bytes.integer(at: place &+ 10, UInt16.self),
                let count = bytes.integer(at: place &+ 12, UInt32.self)
            else { return }
            if case .nominal(let nominal, _)? = type(namedAt: place) {
                addressOf[nominal.key] = place
            }
            place &+= 16 &+ UInt64(size) &* UInt64(count)
            place = (place &+ 3) & ~3
        }
    }

    private func readDescriptor(at place: UInt64) -> Descriptor? {
        guard let kind = bytes.integer(at: place &+ 8, UInt16.self).flatMap(Descriptor.Kind.init),
            let size = bytes.integer(at: place &+ 10, UInt16.self), size >= 12,
            let count = bytes.integer(at: place &+ 12, UInt32.self), count <= Self.maxRecords
        else { return nil }
        var descriptor = Descriptor(
            kind: kind, superclass: type(namedAt: place &+ 4), records: [])
        for index in 0..<UInt64(count) {
            let record = place &+ 16 &+ index &* UInt64(size)
            guard let flags = bytes.integer(at: record, UInt32.self) else { return nil }
            let name = bytes.relative(at: record &+ 8).flatMap(bytes.text)
            descriptor.records.append(
                Record(
                    name: name ?? "", type: type(namedAt: record &+ 4), isIndirect: flags & 1 != 0))
        }
        return descriptor
    }

    private func readBuiltInSection() {
        guard let section = section("swift5_builtin") else { return }
        var place = section.lowerBound
        while place < section.upperBound, builtInOf.count < Self.maxTypes {
            guard let size = bytes.integer(at: place &+ 4, UInt32.self),
                let flags = bytes.integer(at: place &+ 8, UInt32.self),
                let extra = bytes.integer(at: place &+ 16, UInt32.self)
            else { return }
            if let type = type(namedAt: place) {
                builtInOf[type.mangled] = BuiltIn(
                    size: UInt64(size), alignment: UInt64(flags & 0xFFFF),
                    extraInhabitants: UInt64(extra))
            }
            place &+= 20
        }
    }

    private func readSpareBitSection() {
        guard let section = section("swift5_mpenum") else { return }
        var place = section.lowerBound
        while place < section.upperBound, spareBitsOf.count < Self.maxTypes {
            guard let header = bytes.integer(at: place &+ 4, UInt32.self), header >> 16 >= 1 else {
                return
            }
            if header & 1 != 0, header >> 16 >= 2,
                case .nominal(let nominal, _)? = type(namedAt: place),
                let mask = bytes.integer(at: place &+ 8, UInt32.self)
            {
                let count = Int(mask & 0xFFFF)
                let held = UInt64((header >> 16) &- 2) &* 4
                if UInt64(count) <= held, let bits = bytes.bytes(at: place &+ 12, count) {
                    let padding = [UInt8](repeating: 0, count: Int(mask >> 16))
                    spareBitsOf[nominal.key] = BitMask(bytes: padding + bits)
                }
            }
            // The size counts the header and the mask, not the name in front.
            place &+= 4 &+ UInt64(header >> 16) &* 4
        }
    }
}
