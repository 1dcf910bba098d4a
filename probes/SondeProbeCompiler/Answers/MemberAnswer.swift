// SPDX-License-Identifier: Apache-2.0
// What can follow a dot: the members of an expression's value, with their types.

import SondeProbeLanguage
import SondeSymbols

/// The members of an expression's value.
package struct MemberAnswer: Hashable, Sendable {
    /// The value's type, without the mark of an optional.
    package var type: String
    /// Whether the value may be `nil`, so that a member needs `?.` or `!.`.
    package var isOptional: Bool
    /// What can be named behind the dot, in the order of declaration.
    package var members: [Member]

    /// One member.
    package struct Member: Hashable, Sendable {
        /// Its name.
        package var name: String
        /// Its type.
        package var type: String
    }
}

extension ProbeCompiler {
    /// What can follow a dot behind an expression at a location.
    ///
    /// Types alone decide, so that this costs no more than a look at the names; whether the value
    /// can be read there is said by ``describe(location:image:)``.
    ///
    /// - Parameters:
    ///   - text: Names, members, elements and indices, such as `bet.legs[0]`.
    ///   - location: Where it would be evaluated.
    ///   - image: The image.
    /// - Returns: `nil` when the text is no such expression or names nothing there.
    /// - Throws: ``ProbeCompileError`` when the location means nothing in this image.
    package static func members(
        of text: String, at location: ProbeLocation, image: any DebugInfoSource
    ) throws(ProbeCompileError) -> MemberAnswer? {
        let found = try ProbePlaces(location, in: image)
        let source = SourceText(text, role: .expression)
        guard let expression = try? ExpressionParser.parse(source) else { return nil }
        for place in found.places {
            if let answer = MemberWalk(image, at: place).answer(expression) { return answer }
        }
        return nil
    }
}

/// Follows an expression through the types of its parts.
private struct MemberWalk {
    let layouts: LayoutCache
    private var types: [String: TypeID] = [:]

    /// The type of a part.
    private struct Value {
        var layout: TypeLayout
        /// A case's payload may be absent though its type is no optional.
        var mayBeAbsent = false
    }

    init(_ image: any DebugInfoSource, at place: CodePlace) {
        layouts = LayoutCache(image)
        // Innermost first.
        for variable in image.variables(at: place) where types[variable.name] == nil {
            types[variable.name] = variable.type
        }
        guard let owner = types["self"] else { return }
        for field in SelfMembers.fields(of: layouts[owner], layouts)
        where types[field.name] == nil {
            types[field.name] = field.type
        }
    }

    func answer(_ expression: Expression) -> MemberAnswer? {
        guard let value = value(of: expression) else { return nil }
        let isOptional = value.mayBeAbsent || value.layout.isOptional
        let layout = isOptional ? unwrapped(value).layout : value.layout
        return MemberAnswer(
            type: layout.name, isOptional: isOptional, members: members(of: layout))
    }

    private func value(of expression: Expression) -> Value? {
        switch expression.kind {
        case .name(let name): types[name].map { Value(layout: layouts[$0]) }
        case .chain(let inner): value(of: inner)
        case .unwrap(let base), .unwrapOrEnd(let base): value(of: base).map(unwrapped)
        case .member(let base, let name): value(of: base).flatMap { member(name.text, of: $0) }
        case .element(let base, let index): value(of: base).flatMap { element(index, of: $0) }
        case .index(let base, _): value(of: base).flatMap { element(of: $0) }
        default: nil
        }
    }

    private func unwrapped(_ value: Value) -> Value {
        switch value.layout.kind {
        case _ where value.mayBeAbsent: Value(layout: value.layout)
        case .optional(let payload, _): Value(layout: layouts[payload])
        case .weak(let object): Value(layout: layouts[object])
        default: value
        }
    }

    private func member(_ name: String, of value: Value) -> Value? {
        guard !value.mayBeAbsent else { return nil }
        switch value.layout.kind {
        case .structure, .tuple, .object:
            return SelfMembers.fields(of: value.layout, layouts).first { $0.name == name }
                .map { Value(layout: layouts[$0.type]) }
        case .pointer(let pointee?):
            let target = Value(layout: layouts[pointee])
            if name == "pointee" { return target }
            // One step only, as the names that are offered: debug info may name a pointer to itself.
            if case .pointer = target.layout.kind { return nil }
            return member(name, of: target)
        case .enumeration(let cases, _):
            return cases.first { $0.name == name }?.payload
                .map { Value(layout: layouts[$0], mayBeAbsent: true) }
        default: return nil
        }
    }

    private func element(_ index: Int, of value: Value) -> Value? {
        guard case .tuple(let fields) = value.layout.kind, fields.indices.contains(index) else {
            return nil
        }
        return Value(layout: layouts[fields[index].type])
    }

    private func element(of value: Value) -> Value? {
        switch value.layout.kind {
        case .array(let element), .cArray(let element, _), .pointer(let element?):
            Value(layout: layouts[element])
        default: nil
        }
    }

    private func members(of layout: TypeLayout) -> [MemberAnswer.Member] {
        switch layout.kind {
        case .swiftString:
            [
                .init(name: "isEmpty", type: "Bool"), .init(name: "utf8.count", type: "Int"),
            ]
        case .array, .hashed, .cArray, .data:
            [.init(name: "count", type: "Int"), .init(name: "isEmpty", type: "Bool")]
        case .pointer(let pointee?):
            [.init(name: "pointee", type: layouts[pointee].name)]
                + fields(of: layouts[pointee])
        case .enumeration where layout.isCEnumeration: [.init(name: "rawValue", type: "Int")]
        case .enumeration(let cases, _):
            cases.compactMap { one in
                one.payload.map { .init(name: one.name, type: layouts[$0].name + "?") }
            }
        default: fields(of: layout)
        }
    }

    private func fields(of layout: TypeLayout) -> [MemberAnswer.Member] {
        SelfMembers.fields(of: layout, layouts).enumerated().map { index, field in
            .init(
                name: field.name.isEmpty ? String(index) : field.name,
                type: layouts[field.type].name)
        }
    }
}

extension TypeLayout {
    fileprivate var isOptional: Bool {
        switch kind {
        case .optional, .weak: true
        default: false
        }
    }
}
