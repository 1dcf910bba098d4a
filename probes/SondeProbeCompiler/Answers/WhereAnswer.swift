// SPDX-License-Identifier: Apache-2.0
// What can be probed at a location: its addresses, and every name with its type and availability.

package import SondeModel
import SondeProbeLanguage
package import SondeSymbols

/// What can be probed at a location of one image.
package struct WhereAnswer: Hashable, Sendable {
    /// The image.
    package var buildID: BuildID
    /// The source file as the compiler recorded it.
    package var file: String
    /// The line.
    package var line: UInt32
    /// The addresses, each a copy of the line.
    package var places: [CodePlace]
    /// Every name, those of the innermost scope first, members of `self` last.
    package var names: [Name]

    /// A name, and how much of it can be read.
    package struct Name: Hashable, Sendable {
        /// The name, as an expression has it.
        package var name: String
        /// What it is.
        package var kind: Kind
        /// Its type, as people write it; empty when debug info has none.
        package var type: String
        /// The line that declares it; 0 when unknown.
        package var declaredLine: UInt32
        /// At how many of the addresses it can be read in full, and in part.
        package var readableAt: Int
        package var partlyReadableAt: Int
        /// Why it cannot be read at the others; `nil` when there are none.
        package var reason: String?
        /// The nearest lines where it can be read, when it cannot be everywhere here.
        package var nearestLines: [UInt32]
    }

    /// What a name is.
    package enum Kind: String, Hashable, Sendable {
        case parameter
        case local
        case capture
        case global
        /// A member of `self`, named without it.
        case member
    }
}

extension ProbeCompiler {
    /// What can be probed at a location.
    ///
    /// - Throws: ``ProbeCompileError`` when the location means nothing in this image.
    package static func describe(
        location: ProbeLocation, image: any DebugInfoSource
    ) throws(ProbeCompileError) -> WhereAnswer {
        let found = try ProbePlaces(location, in: image)
        guard let buildID = image.buildID else { throw .badLocation(location.description) }
        let layouts = LayoutCache(image)
        let explainer = Explainer(
            layouts: layouts, source: .init(location.description, role: .expression))
        var names: [WhereAnswer.Name] = []
        var indices: [String: Int] = [:]
        for place in found.places {
            var seen: Set<String> = []
            for variable in image.variables(at: place)
            where !variable.name.hasPrefix("$τ") && seen.insert(variable.name).inserted {
                let index = indices[variable.name] ?? names.count
                if index == names.count {
                    indices[variable.name] = index
                    names.append(WhereAnswer.Name(variable, layouts[variable.type]))
                }
                names[index].add(layouts.availability(of: variable))
            }
        }
        for index in names.indices where names[index].readableAt < found.places.count {
            names[index].nearestLines = explainer.nearestLines(
                of: names[index].name, around: found.places[0])
            if names[index].reason == nil { names[index].reason = "not at every address" }
        }
        if let owner = indices["self"], names[owner].readableAt > 0,
            let variable = image.variables(at: found.places[0]).first(where: { $0.name == "self" })
        {
            for field in SelfMembers.fields(of: layouts[variable.type], layouts)
            where !field.name.isEmpty && indices[field.name] == nil {
                names.append(
                    WhereAnswer.Name(
                        member: field.name, type: layouts[field.type].name,
                        like: names[owner]))
            }
        }
        return WhereAnswer(
            buildID: buildID, file: found.file, line: found.line, places: found.places,
            names: names)
    }
}

extension LayoutCache {
    /// How much of a variable can be read, opaque types included.
    fileprivate func availability(of variable: VisibleVariable) -> Availability {
        guard variable.availability == .full else { return variable.availability }
        switch self[variable.type].kind {
        case .opaque(let reason): return .missing(reason)
        case .existential(let name): return .missing("\(name), known only at run time")
        default: return .full
        }
    }
}

extension WhereAnswer.Name {
    fileprivate init(_ variable: VisibleVariable, _ layout: TypeLayout) {
        self.init(
            name: variable.name, kind: .init(variable.kind), type: layout.name,
            declaredLine: variable.declaredLine, readableAt: 0, partlyReadableAt: 0,
            nearestLines: [])
    }

    fileprivate init(member: String, type: String, like owner: Self) {
        self = owner
        name = member
        kind = .member
        self.type = type
        declaredLine = 0
        nearestLines = []
    }

    /// Counts one address.
    fileprivate mutating func add(_ availability: Availability) {
        switch availability {
        case .full: readableAt += 1
        case .partial(let why):
            partlyReadableAt += 1
            reason = reason ?? why
        case .missing(let why): reason = reason ?? why
        }
    }
}

extension WhereAnswer.Kind {
    fileprivate init(_ kind: VisibleVariable.Kind) {
        switch kind {
        case .parameter: self = .parameter
        case .local: self = .local
        case .capture: self = .capture
        case .global: self = .global
        }
    }
}
