// SPDX-License-Identifier: Apache-2.0
// Compiles all addresses of a line in two passes, so that their records have one shape.

import SondeModel
import SondeProbeLanguage
import SondeProbeProgram
import SondeSymbols

/// Compiles all addresses of a line.
///
/// The first pass compiles each address by itself and finds out what is missing where; the second
/// one compiles them again with what they agreed on.
struct LineCompiler {
    let found: ProbePlaces
    let template: Template
    let condition: (expression: Expression, source: SourceText)?
    let limits: CaptureLimits
    let layouts: LayoutCache
    /// The values of the template, in order.
    let values: [Value]
    /// What can be named at each address.
    let variables: [ImageAddress: [VisibleVariable]]

    /// The most characters of a function's name.
    static let longestName = 1024
    /// The most reasons that are given for one address.
    static let mostReasons = 64
    /// The most names of one expression; the language's limits allow fewer.
    static let mostNames = 1024

    /// A value of the template.
    struct Value {
        var expression: Expression
        var text: String
        var format: FormatSpecification?
    }

    /// What became of one value at one address.
    enum Outcome {
        case captured(shape: Int, type: String)
        case failed(SiteFailure)
    }

    /// What became of one address.
    struct Site {
        var place: CodePlace
        var code: [Instruction]
        var values: [Outcome]
        var conditionFailure: SiteFailure?
        var findings: CaptureDecisions.Findings
        var isTooDeep: Bool
        /// Labels of tuples' elements that are read by their number: the condition's, each value's.
        var conditionLabels: Set<String> = []
        var labels: [Set<String>] = []
    }

    init(
        _ found: ProbePlaces, template: Template,
        condition: (expression: Expression, source: SourceText)?, limits: CaptureLimits,
        info: any DebugInfoSource
    ) {
        self.found = found
        self.template = template
        self.condition = condition
        self.limits = limits
        layouts = LayoutCache(info)
        var variables: [ImageAddress: [VisibleVariable]] = [:]
        for place in found.places { variables[place.address] = info.variables(at: place) }
        self.variables = variables
        values = template.segments.compactMap { segment in
            guard case .value(let expression, let format) = segment else { return nil }
            return Value(
                expression: expression, text: template.source.excerpt(expression.span),
                format: format)
        }
    }

    /// The program and what a hit costs at most; `nil` when that is more than it may.
    func compile() throws(ProbeCompileError) -> (ImageProgram, ProgramCost)? {
        var tables = ProgramTables()
        var shapes = ShapePool()
        let everything = [Bool](repeating: true, count: values.count)
        var first: [Site] = []
        for place in found.places {
            first.append(
                site(place, CaptureDecisions(), usable: everything, &tables, &shapes))
        }
        try refuse(first)
        let types = mainTypes(first)
        for index in first.indices { disagree(&first[index], with: types) }

        // Again, until all addresses write the same shapes: a type's name may hide a difference.
        // Each time an address gives up a value, so this ends.
        while true {
            try refuse(first)
            let decisions = CaptureDecisions.following(first.map(\.findings))
            tables = ProgramTables()
            shapes = ShapePool()
            var second: [Site] = []
            for site in first {
                second.append(
                    self.site(site.place, decisions, usable: site.usable, &tables, &shapes))
            }
            let record = recordShapes(second)
            guard disagree(&first, second, with: record) else {
                return try assemble(first, second, record, tables, shapes)
            }
        }
    }

    /// The shape of each value, which the first address that has it decides.
    private func recordShapes(_ sites: [Site]) -> [Int] {
        values.indices.map { number in
            for site in sites {
                if case .captured(let shape, _) = site.values[number] { return shape }
            }
            return 0
        }
    }

    /// Gives up values whose shape is not the record's; whether there were any.
    private func disagree(
        _ first: inout [Site], _ second: [Site], with record: [Int]
    ) -> Bool {
        var isChanged = false
        for index in first.indices {
            for number in values.indices {
                switch second[index].values[number] {
                case .captured(let shape, let type) where shape != record[number]:
                    isChanged = true
                    giveUp(
                        number, at: &first[index], because: "another type \(type) than elsewhere")
                case .failed(let failure) where first[index].usable[number]:
                    // A part that is missing here is of a type that cannot be captured at all.
                    isChanged = true
                    giveUp(number, at: &first[index], because: failure.reason)
                default: break
                }
            }
        }
        return isChanged
    }

    // MARK: - One address

    /// Compiles one address; a value that is not usable there is captured as missing.
    private func site(
        _ place: CodePlace, _ decisions: CaptureDecisions, usable: [Bool],
        _ tables: inout ProgramTables, _ shapes: inout ShapePool
    ) -> Site {
        var compiler = SiteCompiler(
            place, variables: variables[place.address] ?? [], layouts: layouts, limits: limits,
            decisions: decisions)
        compiler.asm.tables = tables
        compiler.shapes = shapes
        var result = Site(
            place: place, code: [], values: [], conditionFailure: nil, findings: .init(),
            isTooDeep: false)
        if let condition {
            do throws(SiteFailure) {
                var trial = compiler
                let value = try trial.boolean(condition.expression)
                trial.asm.emit(.stopIfZero, a: value)
                compiler = trial
                result.conditionLabels = trial.labels
            } catch {
                result.conditionFailure = error
            }
        }
        compiler.asm.emit(.accept)
        for (number, value) in values.enumerated() {
            compiler.labels = []
            defer { result.labels.append(compiler.labels) }
            guard usable[number] else {
                result.values.append(.failed(.unknownName(value.text, value.expression.span)))
                compiler.captureNothing()
                continue
            }
            do throws(SiteFailure) {
                var trial = compiler
                let captured = try trial.captureValue(value.expression, number: number)
                compiler = trial
                result.values.append(.captured(shape: captured.shape, type: captured.type))
            } catch {
                result.values.append(.failed(error))
                compiler.decisions.findings.missing[[number]] = error.reason
                compiler.captureNothing()
            }
        }
        compiler.asm.emit(.commit)
        tables = compiler.asm.tables
        shapes = compiler.shapes
        result.code = compiler.asm.code
        if result.conditionFailure != nil {
            // What cannot be evaluated does not fire.
            result.code = [
                Instruction(.fault, imm: Int32(FaultKind.unavailable.rawValue))
            ]
        }
        result.findings = compiler.decisions.findings
        result.isTooDeep = compiler.asm.isTooDeep
        return result
    }

    // MARK: - Agreement

    /// Refuses what works at no address.
    private func refuse(_ sites: [Site]) throws(ProbeCompileError) {
        if sites.contains(where: \.isTooDeep) {
            throw ProbeCompileError(
                .tooDeep,
                "cannot compile the probe: found an expression that needs more than "
                    + "\(Assembler.registers) registers; want less nesting")
        }
        if let condition, let first = sites.first, let failure = first.conditionFailure,
            sites.allSatisfy({ $0.conditionFailure != nil })
        {
            throw Explainer(layouts: layouts, source: condition.source)
                .error(failure, at: first.place)
        }
        for number in values.indices {
            var failure: (SiteFailure, CodePlace)?
            var works = false
            for site in sites {
                switch site.values[number] {
                case .captured: works = true
                case .failed(let error): failure = failure ?? (error, site.place)
                }
            }
            guard !works, let failure else { continue }
            throw Explainer(layouts: layouts, source: template.source)
                .error(failure.0, at: failure.1)
        }
    }

    /// The type that each value has at most addresses.
    private func mainTypes(_ sites: [Site]) -> [String] {
        values.indices.map { number in
            var counts: [String: Int] = [:]
            for site in sites {
                if case .captured(_, let type) = site.values[number] {
                    counts[type, default: 0] += 1
                }
            }
            return counts.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key ?? ""
        }
    }

    /// Gives up values whose type is another one than at most addresses.
    private func disagree(_ site: inout Site, with types: [String]) {
        for number in values.indices {
            guard case .captured(_, let type) = site.values[number], type != types[number] else {
                continue
            }
            giveUp(
                number, at: &site, because: "its type here is \(type), not \(types[number])")
        }
    }

    private func giveUp(_ number: Int, at site: inout Site, because reason: String) {
        site.values[number] = .failed(
            .unavailable(values[number].text, reason: reason, values[number].expression.span))
        site.findings.missing = site.findings.missing.filter { $0.key.first != number }
        site.findings.missing[[number]] = reason
    }

    // MARK: - The program

    private func assemble(
        _ first: [Site], _ second: [Site], _ record: [Int], _ tables: ProgramTables,
        _ shapes: ShapePool
    ) throws(ProbeCompileError) -> (ImageProgram, ProgramCost)? {
        guard let buildID = layouts.info.buildID else { throw .badLocation("") }
        var program = ImageProgram(buildID: buildID)
        program.constants = tables.constants
        program.relocations = tables.relocations
        program.strings = tables.strings
        program.shapes = shapes.shapes
        var entries: [[Instruction]: UInt32] = [:]
        for (before, site) in zip(first, second) {
            let entry = entries[site.code] ?? UInt32(program.code.count)
            if entries[site.code] == nil {
                entries[site.code] = entry
                program.code += site.code
            }
            program.sites.append(
                ProbeSite(
                    address: site.place.address, entry: entry,
                    function: String(site.place.function.prefix(Self.longestName)),
                    functionStart: site.place.functionStart, functionEnd: site.place.functionEnd,
                    unavailable: unavailable(before)))
        }
        program.template = segments(record)
        if let condition {
            program.condition = ReadExpression(
                text: condition.source.excerpt(condition.expression.span),
                names: names(condition.expression, second.map(\.conditionLabels)))
        }
        program.valueNames = values.indices.map { number in
            names(values[number].expression, second.map { $0.labels[number] })
        }
        return try verified(program)
    }

    /// What an expression reads by its text, and by what the debug info says at some address.
    private func names(_ expression: Expression, _ labels: [Set<String>]) -> [String] {
        let written = expression.names
        let known = Set(written)
        let others = labels.reduce(into: Set<String>()) { $0.formUnion($1) }
        return Array((written + others.subtracting(known).sorted()).prefix(Self.mostNames))
    }

    private func segments(_ record: [Int]) -> [TemplateSegment] {
        var number = 0
        return template.segments.map { segment in
            switch segment {
            case .text(let text): return .text(text)
            case .value:
                let value = values[number]
                number += 1
                return .value(
                    expression: value.text, shape: record[number - 1],
                    format: value.format.map(ValueFormat.init))
            }
        }
    }

    /// The program, as the agents will verify it, and its cost.
    private func verified(
        _ program: ImageProgram
    ) throws(ProbeCompileError) -> (ImageProgram, ProgramCost)? {
        let whole = ProbeProgram(
            probe: "", limits: ProbeLimits(expiresUnixNanos: 0), file: found.file,
            line: found.line, images: [program])
        do throws(ProgramError) {
            return (program, try ProgramVerifier.verify(whole))
        } catch {
            if error.code == .tooLarge { return nil }
            throw ProbeCompileError(.internalError, "BUG: \(error.message)")
        }
    }

    /// What cannot be read at an address, in words.
    private func unavailable(_ site: Site) -> [UnavailableValue] {
        var list: [UnavailableValue] = []
        if let condition, let failure = site.conditionFailure {
            list.append(
                UnavailableValue(
                    expression: condition.source.excerpt(condition.expression.span),
                    reason: failure.reason))
        }
        for (number, outcome) in site.values.enumerated() {
            if case .failed(let failure) = outcome {
                list.append(
                    UnavailableValue(expression: values[number].text, reason: failure.reason))
            }
        }
        for (path, reason) in site.findings.missing.sorted(by: {
            $0.key.lexicographicallyPrecedes($1.key)
        })
        where path.count > 1 {
            list.append(
                UnavailableValue(expression: values[path[0]].text, reason: "in part: \(reason)"))
        }
        return Array(list.prefix(Self.mostReasons))
    }
}

extension LineCompiler.Site {
    /// Which values can be captured at the address.
    var usable: [Bool] {
        values.map { if case .captured = $0 { true } else { false } }
    }
}
