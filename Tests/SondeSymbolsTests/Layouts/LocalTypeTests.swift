// SPDX-License-Identifier: Apache-2.0
// Types of variables where they are used: private and local ones, and those behind aliases.

import Foundation
import SondeSymbols
import Testing

@Suite struct LocalTypeTests {
    static let source = """
        typealias Amount = Double
        private struct Secret { var id: Int8 = 1; var amount: Amount = 2.5; var kind = Kind.large(3)
          enum Kind { case small, large(Int) } }
        fileprivate final class Hidden { var secret = Secret(); weak var me: Hidden? }
        struct Box<Value> { var small: Int8; var value: Value }
        @inline(never) func use(_ values: Any...) { if values.isEmpty { print(values) } }
        @inline(never) func work(_ count: Int) {
          struct Local { var a: Int8; var count: Int; enum Inside { case one(Secret), none } }
          let secret = Secret()
          let hidden = Hidden()
          let local = Local(a: 1, count: count)
          let inside = Local.Inside.one(secret)
          let box = Box<Secret?>(small: 1, value: secret)
          let pair = (name: "a", amount: Amount(count))
          let amounts: [Double?] = [1, nil]
          let maybe: Hidden? = hidden
          let call = { (n: Int) -> Int in n + local.count }
          use(secret, hidden, local, inside, box, pair, amounts, maybe as Any, call)   // here
        }
        work(CommandLine.arguments.count)
        """

    /// The variables of `work`, by name, in the files of one program.
    static func variables(_ image: ProbeImage) throws -> [String: TypeLayout] {
        let line = try #require(
            source.split(separator: "\n", omittingEmptySubsequences: false).firstIndex {
                $0.contains("// here")
            })
        let file = try #require(image.files(matching: "local.swift").first)
        var layouts: [String: TypeLayout] = [:]
        for place in image.places(file: file, line: UInt32(line + 1)) {
            for variable in image.variables(at: place) {
                layouts[variable.name] = image.layout(of: variable.type)
            }
        }
        return layouts
    }

    private static let program = Result {
        try CompiledProgram.compile(
            "swiftc", source, "local.swift", "local",
            ["-g", "-Onone", "-module-name", "local", "-Xcc", "-fno-omit-frame-pointer"])
    }

    private static func check(_ image: ProbeImage) throws {
        let layouts = try variables(image)
        func fields(_ name: String) throws -> [String] {
            let layout = try #require(layouts[name])
            let fields = try #require(SwiftLayoutTests.fields(of: layout), "\(layout.kind)")
            return fields.map { "\($0.name)+\($0.offset)" }
        }
        #expect(try fields("secret") == ["id+0", "amount+8", "kind+16"])
        #expect(try fields("hidden") == ["secret+16", "me+48"])
        #expect(try fields("local") == ["a+0", "count+8"])
        #expect(try fields("box") == ["small+0", "value+8"])
        #expect(try fields("pair") == ["name+0", "amount+16"])
        #expect(layouts["box"]?.name == "Box<Secret?>")
        #expect(layouts["pair"]?.name == "(name: String, amount: Double)")
        #expect(layouts["amounts"]?.name == "[Double?]")
        guard case .array(let element) = layouts["amounts"]?.kind,
            case .optional(let amount, _) = image.layout(of: element).kind
        else {
            Issue.record("amounts is \(String(describing: layouts["amounts"]?.kind))")
            return
        }
        #expect(image.layout(of: amount).kind == .double)
        #expect(layouts["maybe"]?.name == "Hidden?")
        #expect(layouts["call"]?.kind == .function)
        guard case .enumeration(let cases, _) = layouts["inside"]?.kind else {
            Issue.record("inside is \(String(describing: layouts["inside"]?.kind))")
            return
        }
        #expect(cases.map(\.name) == ["one", "none"])
    }

    @Test func privateAndLocalTypesAreReadWhereTheyAreUsed() throws {
        try Self.check(ProbeImage(path: Self.program.get().path))
    }

    @Test func splitDebugInfoGivesTheSameLayouts() throws {
        let program = try Self.program.get()
        let debug = try program.copy("debug", "objcopy", ["--only-keep-debug"])
        let stripped = try program.copy("plain", "objcopy", ["--strip-all"])
        let images = [try ElfImage(path: stripped.path), try ElfImage(path: debug.path)]
        try Self.check(ProbeImage(images))
    }
}
