// SPDX-License-Identifier: Apache-2.0
// The members of a value that an expression can name.

import SondeSymbols

/// The members of a value that an expression can name.
enum SelfMembers {
    /// Their names, in the order of declaration.
    static func names(of layout: TypeLayout, _ layouts: LayoutCache) -> [String] {
        fields(of: layout, layouts).map(\.name).filter { !$0.isEmpty }
    }

    /// The fields of a structure, a tuple or an object; those of C's anonymous members among them.
    static func fields(of layout: TypeLayout, _ layouts: LayoutCache) -> [TypeLayout.Field] {
        switch layout.kind {
        case .tuple(let fields): fields
        case .object(let fields, _, _): fields
        case .structure(let fields): flattened(fields, layouts, depth: 0)
        default: []
        }
    }

    private static func flattened(
        _ fields: [TypeLayout.Field], _ layouts: LayoutCache, depth: Int
    ) -> [TypeLayout.Field] {
        fields.flatMap { field -> [TypeLayout.Field] in
            guard field.name.isEmpty, depth < 4,
                case .structure(let inner) = layouts[field.type].kind
            else { return [field] }
            return flattened(inner, layouts, depth: depth + 1).map {
                var moved = $0
                moved.offset &+= field.offset
                return moved
            }
        }
    }
}
