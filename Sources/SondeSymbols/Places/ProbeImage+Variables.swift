// SPDX-License-Identifier: Apache-2.0
// The variables that can be named at a place, and what of them can be read.

internal import CElfutils
internal import SondeModel

extension ProbeImage {
    /// The variables that are visible at a place, innermost scope first.
    ///
    /// A variable that another one of the same name hides is left out. One whose declaration
    /// follows is listed as missing, unless it would hide another. When the place's function was
    /// inlined, the variables of the functions around it follow its own, marked with
    /// ``VisibleVariable/inlinedInto``.
    package func variables(at place: CodePlace) -> [VisibleVariable] {
        let listed = variablesInScope(at: place).filter {
            ProbeImage.isSourceName($0.variable.name)
        }
        var seen: Set<String> = []
        return (listed.filter(\.isDeclared) + listed.filter { !$0.isDeclared })
            .map(\.variable).filter { seen.insert($0.name).inserted }
    }

    /// The type parameters of the generic functions at a place, as variables that hold the address
    /// of the type's metadata; named by depth and index, such as `τ_0_1`.
    package func genericParameters(at place: CodePlace) -> [VisibleVariable] {
        variablesInScope(at: place).filter { $0.variable.name.hasPrefix("$\u{3C4}_") }
            .map { found in
                var parameter = found.variable
                parameter.name.removeFirst()
                return parameter
            }
    }

    /// A variable, and whether its declaration was passed.
    private struct Found {
        var listed: VariableScopes.Listed
        var isDeclared: Bool
        var variable: VisibleVariable
    }

    /// The variables of the place's function, and then of those that it was inlined into.
    private func variablesInScope(at place: CodePlace) -> [Found] {
        let address = place.address.rawValue
        guard let innermost = scope(at: address) else { return [] }
        // A place that was moved out of the prologue may lie in code that was inlined there.
        let chain = chain(innermost).suffix(place.inlinedInto.count + 1)
        let root = chain.last
        let frame = FunctionFrame(
            self, at: address, function: root.flatMap(entry),
            linkageName: root.flatMap(function)?.linkageName ?? "")
        var variables: [Found] = []
        var line = place.line
        for (index, scope) in chain.enumerated() {
            guard let entry = entry(of: scope) else { continue }
            let function = function(of: scope)
            var found = self.variables(of: entry, function: function, line: line, frame: frame)
            if index > 0 {
                let name = readableName(function)
                for index in found.indices { found[index].variable.inlinedInto = name }
            }
            variables += found
            // In the function around it, the place is where it was called.
            line = UInt32(clamping: entry.number(Int(DW_AT_call_line)) ?? 0)
        }
        return variables
    }

    private func variables(
        of entry: DwarfEntry, function: DwarfFunction?, line: UInt32, frame: FunctionFrame
    ) -> [Found] {
        let linkageName = function?.linkageName ?? ""
        let reader = LocationReader(
            frame: frame, isAsyncEntry: frame.isAsync && AsyncFunclet.isEntry(linkageName),
            isInlined: entry.tag == DW_TAG_inlined_subroutine)
        let listed = VariableScopes(
            of: entry, at: frame.address, budget: limits.entriesPerPlace)
        let isClosure = readableName(function).hasPrefix("closure #")
        let functionLine = UInt32(clamping: Int(function?.line ?? 0))
        var found: [Found] = []
        for variable in listed.variables {
            let type = TypeID(of: variable.entry)
            var location = reader.location(of: variable.entry, type: type)
            let isDeclared = isDeclared(variable, line: line, location)
            if !isDeclared {
                location = .missing("not yet declared", sizeBytes: type.byteSize ?? 0)
            }
            var kind: VisibleVariable.Kind = variable.isParameter ? .parameter : .local
            // A closure gets what it captures as parameters that were declared outside of it.
            if isClosure, variable.isParameter, variable.declaredLine > 0,
                variable.declaredLine < functionLine, variable.name != "self"
            {
                kind = .capture
            }
            found.append(
                Found(
                    listed: variable, isDeclared: isDeclared,
                    variable: VisibleVariable(
                        name: variable.name, kind: kind, declaredLine: variable.declaredLine,
                        type: type, location: location)))
        }
        // The innermost first, then the latest, in the order of the declarations. Where the
        // compiler split one variable into several entries, the one that can be read.
        func rank(_ index: Int) -> (Int, Int, Int) {
            let listed = found[index].listed
            return (-listed.depth, -Int(listed.declaredLine), index)
        }
        var ordered = found.indices.sorted { rank($0) < rank($1) }.map { found[$0] }
        var first: [String: Int] = [:]
        for index in ordered.indices {
            let (listed, variable) = (ordered[index].listed, ordered[index].variable)
            let key = "\(listed.depth):\(listed.declaredLine):\(listed.name)"
            guard let earlier = first[key] else {
                first[key] = index
                continue
            }
            if variable.availability.rank < ordered[earlier].variable.availability.rank {
                ordered.swapAt(earlier, index)
            }
        }
        return ordered
    }

    /// Whether a variable's declaration was passed when a line is reached.
    private func isDeclared(
        _ variable: VariableScopes.Listed, line: UInt32, _ location: VariableLocation
    ) -> Bool {
        if variable.isParameter || line == 0 || variable.declaredLine == 0 { return true }
        if variable.declaredLine < line { return true }
        // Optimized code says exactly where a value is there; other code says that it always is.
        guard variable.declaredLine == line, variable.entry.hasLocationList else { return false }
        return location.availability.rank < 2
    }
}

extension Availability {
    /// The better the lower.
    var rank: Int {
        switch self {
        case .full: 0
        case .partial: 1
        case .missing: 2
        }
    }
}
