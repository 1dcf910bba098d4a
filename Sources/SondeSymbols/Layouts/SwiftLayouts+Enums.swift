// SPDX-License-Identifier: Apache-2.0
// The layouts of Swift enums, `Optional` among them.

extension SwiftLayouts {
    /// The layout of an enum.
    ///
    /// Which cases count as carrying something, and whether spare bits are used, depends on the
    /// enum as it is declared, before generic arguments are put in.
    func enumeration(
        _ nominal: SwiftNominal, _ arguments: [[SwiftType]],
        _ descriptor: ReflectionTables.Descriptor
    ) throws(LayoutProblem) -> ValueLayout {
        guard descriptor.kind == .enumeration || descriptor.kind == .multiPayloadEnumeration else {
            throw LayoutProblem(reason: "\(nominal.name) is no enum in its metadata")
        }
        var full: [TypeLayout.Case] = []
        var empty: [TypeLayout.Case] = []
        var payloads: [ValueLayout] = []
        var isFixed = true
        var isDependent = false
        for record in descriptor.records {
            guard record.type != nil else {
                empty.append(TypeLayout.Case(name: record.name))
                continue
            }
            let (entry, payload, declared) = try self.payload(of: record, arguments)
            if declared.isDependent { isFixed = false }
            if payload.isDependent { isDependent = true }
            if declared.size == 0, !declared.isDependent {
                empty.append(entry)
            } else {
                full.append(entry)
                payloads.append(payload)
            }
        }
        let layout = try EnumLayout.make(
            payloads: payloads, emptyCases: empty.count, usesSpareBits: isFixed)
        var result = ValueLayout(
            size: layout.size, alignment: layout.alignment,
            kind: .enumeration(cases: full + empty, tag: layout.tag),
            extraInhabitants: layout.extraInhabitants, spareBits: layout.spareBits)
        result.isLoadable = layout.isLoadable
        result.isDependent = isDependent
        if let stated = facts.spareBits(nominal), let common = layout.commonBits, common != stated {
            throw LayoutProblem(
                reason: "\(nominal.name) keeps its tag in other bits than expected")
        }
        return result
    }

    private func payload(
        of record: ReflectionTables.Record, _ arguments: [[SwiftType]]
    ) throws(LayoutProblem) -> (TypeLayout.Case, ValueLayout, declared: ValueLayout) {
        let type = try type(of: record, arguments)
        if record.isIndirect {
            // The box may hold the enum itself, so its contents are not looked at here; where they
            // begin is settled when the layout is asked for.
            let box = ValueLayout.reference(.pointer(pointee: nil))
            let entry = TypeLayout.Case(
                name: record.name, payload: lazyID(type), isIndirect: true, boxOffset: 16)
            return (entry, box, box)
        }
        let payload = try layout(of: type)
        let entry = TypeLayout.Case(name: record.name, payload: id(type))
        let isGeneric = arguments.contains { !$0.isEmpty }
        guard isGeneric, let declaredType = record.type else { return (entry, payload, payload) }
        return (entry, payload, try layout(of: declaredType))
    }

    /// The layout of an optional value.
    func optional(_ wrapped: SwiftType) throws(LayoutProblem) -> ValueLayout {
        let payload = try layout(of: wrapped)
        let layout = try EnumLayout.make(payloads: [payload], emptyCases: 1, usesSpareBits: false)
        var result = ValueLayout(
            size: layout.size, alignment: layout.alignment,
            kind: .optional(payload: id(wrapped), tag: layout.tag),
            extraInhabitants: layout.extraInhabitants, spareBits: layout.spareBits)
        result.isLoadable = layout.isLoadable
        result.isDependent = payload.isDependent
        return result
    }
}
