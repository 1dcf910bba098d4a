// SPDX-License-Identifier: Apache-2.0
// The names that an expression reads: what the service's owner may have hidden.

extension Expression {
    /// The names that the expression reads, each once, in the order of their text.
    ///
    /// Members stand behind what they are members of, as far as that is names: `user.password`, and
    /// `users.name` and `i` for `users[i].name`. Methods and conversions are no names, nor is what
    /// stands in quotes.
    package var names: [String] {
        var found: [String] = []
        collect(into: &found)
        var seen: Set<String> = []
        return found.filter { seen.insert($0).inserted }
    }

    /// Adds the names of all parts; answers the path that a member would be added to.
    @discardableResult
    private func collect(into names: inout [String]) -> String? {
        switch kind {
        case .integer, .floating, .string, .boolean, .none, .context: return nil
        case .name(let name): return Self.add(name, to: &names)
        case .implicitMember(let name): return Self.add(name, to: &names)
        case .member(let base, let name):
            let owner = base.collect(into: &names)
            return Self.add(owner.map { "\($0).\(name.text)" } ?? name.text, to: &names)
        case .element(let base, _), .unwrapOrEnd(let base), .chain(let base), .unwrap(let base):
            return base.collect(into: &names)
        case .index(let base, let index):
            let owner = base.collect(into: &names)
            index.collect(into: &names)
            return owner
        case .call(let base, _, let arguments):
            base.collect(into: &names)
            for argument in arguments { argument.collect(into: &names) }
            return nil
        case .convert(_, let value), .unary(_, let value):
            value.collect(into: &names)
            return nil
        case .binary(_, let left, let right):
            left.collect(into: &names)
            right.collect(into: &names)
            return nil
        case .conditional(let condition, let first, let second):
            for part in [condition, first, second] { part.collect(into: &names) }
            return nil
        }
    }

    private static func add(_ name: String, to names: inout [String]) -> String {
        names.append(name)
        return name
    }
}
