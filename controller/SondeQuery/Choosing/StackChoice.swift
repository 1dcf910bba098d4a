// SPDX-License-Identifier: Apache-2.0
// Chooses stacks by what they hold: a call site from the root on, or a function anywhere.

package import SondeModel

/// Chooses stacks by the names of their functions.
package enum StackChoice {
    /// The most functions of a call site.
    package static let maximumCallSite = 1024

    /// Stacks whose first functions, from the root on, are these, one by one.
    ///
    /// A call that was inlined is a function of its own. Stacks that are shorter do not count.
    ///
    /// - Parameters:
    ///   - names: The names, root first; all stacks begin with none.
    ///   - resolver: Finds names for addresses.
    /// - Returns: What says for each node whether a value at it counts.
    package static func beginning(
        with names: [String], _ resolver: any SymbolResolver
    ) -> @Sendable (LocationTree) -> [Bool] {
        { tree in
            let frames = namesOfKeys(tree, resolver)
            // How many names the stack down to a node has matched; -1 when it went another way.
            var matched = [Int](repeating: -1, count: tree.count)
            matched[0] = 0
            for node in 1..<max(1, tree.count) {
                var count = matched[Int(tree.parents[node])]
                guard count >= 0 else { continue }
                for name in frames[Int(tree.keyIndices[node])] where count < names.count {
                    guard name == names[count] else {
                        count = -1
                        break
                    }
                    count += 1
                }
                matched[node] = count
            }
            return matched.map { $0 == names.count }
        }
    }

    /// Stacks that hold a function whose name a regular expression finds a part of.
    ///
    /// - Parameters:
    ///   - pattern: The expression, as RE2 has it; not anchored.
    ///   - resolver: Finds names for addresses.
    /// - Returns: What says for each node whether a value at it counts.
    /// - Throws: ``QueryError`` when it is no regular expression.
    package static func holding(
        _ pattern: String, _ resolver: any SymbolResolver
    ) throws(QueryError) -> @Sendable (LocationTree) -> [Bool] {
        let compiled: Pattern
        do throws(PatternError) { compiled = try Pattern(pattern, matching: .part) } catch {
            throw QueryError(
                cannot: "read focus", in: pattern, at: error.offset, found: error.reason)
        }
        return { tree in
            let holds = namesOfKeys(tree, resolver).map { names in
                names.contains { compiled.matches($0) }
            }
            var chosen = [Bool](repeating: false, count: tree.count)
            for node in 1..<max(1, tree.count) {
                chosen[node] =
                    chosen[Int(tree.parents[node])] || holds[Int(tree.keyIndices[node])]
            }
            return chosen
        }
    }

    /// Stacks that both choose.
    package static func both(
        _ first: (@Sendable (LocationTree) -> [Bool])?,
        _ second: (@Sendable (LocationTree) -> [Bool])?
    ) -> (@Sendable (LocationTree) -> [Bool])? {
        guard let first, let second else { return first ?? second }
        return { tree in zip(first(tree), second(tree)).map { $0 && $1 } }
    }

    private static func namesOfKeys(
        _ tree: LocationTree, _ resolver: any SymbolResolver
    ) -> [[String]] {
        tree.keys.map { $0.frames(by: resolver).map(\.name) }
    }
}
