// SPDX-License-Identifier: Apache-2.0
// Makes a refusal of what went wrong at a site: with the names that exist and the nearest lines.

import SondeModel
import SondeProbeLanguage
import SondeProbeProgram
import SondeSymbols

/// Makes refusals out of what went wrong at a site.
struct Explainer {
    let layouts: LayoutCache
    let source: SourceText

    /// How many lines around a place are looked at for a name.
    static let linesToSearch = 60
    /// How many names a refusal lists.
    static let mostNames = 100

    /// The refusal for a failure at a place.
    func error(_ failure: SiteFailure, at place: CodePlace) -> ProbeCompileError {
        switch failure {
        case .mistake(let code, let found, let want, let span):
            return refusal(code, found: found, want: want, span)
        case .unknownMember(let name, let type, let members, let span):
            var error = refusal(
                .unknownName, found: "no `\(name)` in \(type)",
                want: members.isEmpty
                    ? "the value itself: it has no members that can be read"
                    : "one of " + members.prefix(24).joined(separator: ", "), span)
            error.suggestions = NearestNames.of(name, among: members)
            return error
        case .unknownName(let name, let span): return unknown(name, span, at: place)
        case .unavailable(let name, let reason, let span):
            let lines = nearestLines(of: name, around: place)
            var error = refusal(
                .unavailable, found: "`\(name)`, which cannot be read here: \(reason)",
                want: lines.isEmpty
                    ? "a name that can be read here, or a build with less optimization"
                    : "a line where it can be read, or another name", span)
            error.nearestLines = lines
            error.names = readable(at: place)
            return error
        }
    }

    private func refusal(
        _ code: ProbeCompileError.Code, found: String, want: String, _ span: SourceSpan
    ) -> ProbeCompileError {
        ProbeCompileError(
            code, "cannot compile the \(source.role.rawValue): found \(found); want \(want)",
            at: span, in: source)
    }

    private func unknown(
        _ name: String, _ span: SourceSpan, at place: CodePlace
    ) -> ProbeCompileError {
        let file = String(place.file.split(separator: "/").last ?? "")
        let declared = declaration(of: name, around: place)
        if let declared, declared > place.line {
            var error = refusal(
                .notYetDeclared,
                found: "`\(name)`, which is declared below, on line \(declared)",
                want: "a line behind its declaration", span)
            error.nearestLines = nearestLines(of: name, around: place)
            error.names = readable(at: place)
            return error
        }
        var error = refusal(
            .unknownName, found: "no `\(name)` at \(file):\(place.line)",
            want: "a name that can be read there", span)
        error.names = readable(at: place)
        error.suggestions = NearestNames.of(name, among: error.names.map(\.name))
        error.nearestLines = nearestLines(of: name, around: place)
        return error
    }

    /// What can be read at a place, with types; members of `self` last.
    func readable(at place: CodePlace) -> [ReadableName] {
        var names: [ReadableName] = []
        var seen: Set<String> = []
        var owner: VisibleVariable?
        for variable in layouts.info.variables(at: place) {
            guard seen.insert(variable.name).inserted else { continue }
            if case .missing = variable.availability { continue }
            if variable.name == "self" { owner = variable }
            if variable.name.hasPrefix("$") { continue }
            names.append(
                ReadableName(name: variable.name, type: layouts[variable.type].name))
        }
        if let owner {
            for field in SelfMembers.fields(of: layouts[owner.type], layouts)
            where !field.name.isEmpty && seen.insert(field.name).inserted {
                names.append(ReadableName(name: field.name, type: layouts[field.type].name))
            }
        }
        return Array(names.prefix(Self.mostNames))
    }

    /// The line on which a name is declared in the place's function, when it is.
    private func declaration(of name: String, around place: CodePlace) -> UInt32? {
        for line in lines(around: place) {
            for other in places(on: line, like: place) {
                if let variable = layouts.info.variables(at: other).first(where: {
                    $0.name == name && $0.kind != .global
                }) {
                    return variable.declaredLine
                }
            }
        }
        return nil
    }

    /// Up to three lines of the place's function at which a name can be read.
    func nearestLines(of name: String, around place: CodePlace) -> [UInt32] {
        layouts.info.nearestLines(where: name, in: place, count: 3).sorted()
    }

    /// The lines with code around a place, the nearest first.
    func lines(around place: CodePlace) -> [UInt32] {
        layouts.info.linesWithCode(in: place.file)
            .filter { $0 != place.line }
            .map { (line: $0, distance: $0 > place.line ? $0 - place.line : place.line - $0) }
            .sorted { ($0.distance, $0.line) < ($1.distance, $1.line) }
            .prefix(Self.linesToSearch).map(\.line)
    }

    private func places(on line: UInt32, like place: CodePlace) -> [CodePlace] {
        Array(
            layouts.info.places(file: place.file, line: line)
                .filter { $0.function == place.function }.prefix(4))
    }
}
