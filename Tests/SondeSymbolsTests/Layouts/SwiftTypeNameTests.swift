// SPDX-License-Identifier: Apache-2.0
// Mangled types are read, written again without abbreviations, and named for people.

import SondeSymbols
import Testing

@Suite struct SwiftTypeNameTests {
    @Test(arguments: [
        ("$sSiD", "Int"), ("$sSSSgD", "String?"), ("$sSaySSGD", "[String]"),
        ("$sSDySSSiSgGD", "Dictionary<String, Int?>"), ("$sSi_SitD", "(Int, Int)"),
        ("$sSi1a_SStD", "(a: Int, String)"), ("$sytD", "()"),
        ("$sS2iYaKcD", "(Int) async throws -> Int"),
        ("$sSiSgSgD", "Int??"), ("$sypD", "Any"), ("$sypSgD", "Any?"), ("$syXlD", "AnyObject"),
        ("$ss5Error_pD", "any Error"), ("$ss5Error_pSgD", "(any Error)?"),
        ("$sSH_SQpD", "any Hashable & Equatable"),
        ("$ss5Int32VD", "Int32"), ("$sSo8timespecVD", "timespec"),
        ("$s4main3FooC3BarVySi_GD", "Foo<Int>.Bar"),
        ("$s4main5OuterV5InnerVySi_SbGD", "Outer<Int>.Inner<Bool>"), ("$sSnySiGD", "Range<Int>"),
        ("$s4main6Secret33_E98951FE73931D1C1D54AD234E836735LLVD", "Secret"),
        ("$sSayxGD", "[A]"), ("$sSiXMtD", "Int.Type"), ("$sypXpD", "Any.Type"),
        ("$sIegh_D", "closure"), ("$sS2iIegyd_SgD", "(closure)?"), ("$sSiXSqD", "Int?"),
        ("$s4main1P_AA1QpD", "any P & Q"),
    ])
    func typesAreNamedAsTheyAreWritten(mangled: String, name: String) throws {
        #expect(SwiftTypeName.readable(mangled) ?? mangled == name)
    }

    @Test(arguments: LayoutBuild.allCases)
    func typesOfAProgramAreWrittenAsTheyAreRead(build: LayoutBuild) throws {
        let image = try LayoutProgram.of(build).image()
        var count = 0
        for type in image.swiftTypes {
            guard let name = type.mangledName, let text = SwiftTypeName.canonical(name) else {
                continue
            }
            #expect(SwiftTypeName.canonical(text) == text, "\(name)")
            #expect(SwiftTypeName.readable(text) == SwiftTypeName.readable(name))
            count += 1
        }
        #expect(count > 30)
    }

    /// Inputs of the fuzzer `types` whose canonical name once could not be read again: labels in
    /// punycode, whose first byte is a digit; punycode of nothing; more names than a limit had.
    @Test(arguments: [
        "$sSi002_ab_SitD", "$sSi003_abc_SiAAtD", "$ss000VD", "$s4main000VD",
        "$s1a1bV_" + String(repeating: "AC", count: 700) + "tD",
    ])
    func aCanonicalNameIsReadAgain(name: String) {
        guard let canonical = SwiftTypeName.canonical(name) else {
            // Punycode of nothing is no name.
            #expect(name.contains("000"))
            return
        }
        #expect(SwiftTypeName.canonical(canonical) == canonical)
    }

    @Test func hostileNamesEnd() {
        // Each part doubles the last one: written down, the type would have 2^60 parts.
        var name = "$s4main1AV_ADt"
        for _ in 0..<60 { name += "AC_ACt" }
        _ = SwiftTypeName.readable(name + "D")
        _ = SwiftTypeName.readable("$s" + String(repeating: "Sa", count: 2000) + "D")
        _ = SwiftTypeName.readable("$sSi" + String(repeating: "Sg", count: 2000) + "D")
        _ = SwiftTypeName.readable("$sS999999iD")
        _ = SwiftTypeName.readable("$sSiA999999aD")
        _ = SwiftTypeName.readable("$s4main2.xAA1D")
        _ = SwiftTypeName.readable("$s4mainRD")
        _ = SwiftTypeName.readable("$s9999999999999999999999aD")
        _ = SwiftTypeName.readable("$s\u{1}abcdD")
        #expect(SwiftTypeName.readable("$sD") == nil)
        #expect(SwiftTypeName.readable("") == nil)
    }
}
