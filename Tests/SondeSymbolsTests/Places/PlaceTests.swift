// SPDX-License-Identifier: Apache-2.0
// Which places a line and a function have, and what files and lines are offered instead.

import Foundation
import SondeModel
import SondeSymbols
import Testing

@Suite struct PlaceTests {
    static let debug = PlaceProgram.swiftVariants[0]
    static let release = PlaceProgram.swiftVariants[1]

    static func places(_ program: PlaceProgram, _ text: String) throws -> [CodePlace] {
        let image = try program.image
        let file = try #require(image.files(matching: program.file).first)
        return image.places(file: file, line: try program.line(with: text))
    }

    @Test func filesAreFoundByTheEndOfTheirPathInWholeComponents() throws {
        let program = try PlaceProgram.swift(Self.debug)
        let image = try program.image
        let file = try #require(image.files(matching: "bets.swift").first)
        #expect(file.hasSuffix("/" + program.file))
        #expect(image.files(matching: "bets.swift").count == 1)
        #expect(image.files(matching: program.file) == [file])
        #expect(image.files(matching: "./" + program.file) == [file])
        #expect(image.files(matching: file) == [file])
        #expect(image.files(matching: "ets.swift").isEmpty)
        #expect(image.files(matching: "/bets.swift").isEmpty)
        #expect(image.files(matching: "other/bets.swift").isEmpty)
        #expect(image.files(matching: "").isEmpty)
        #expect(image.files(matching: "<compiler-generated>").isEmpty)
    }

    @Test func aNameThatIsNearlyRightFindsTheFile() throws {
        let image = try PlaceProgram.swift(Self.debug).image
        for name in ["Bets.swift", "bet.swift", "src/best.swift", "bets.swft"] {
            let near = image.nearestFiles(to: name, count: 3)
            #expect(near.first?.hasSuffix("/bets.swift") == true, "\(name): \(near)")
        }
        #expect(image.nearestFiles(to: "SomethingElseAltogether.cpp", count: 3).isEmpty)
        #expect(image.nearestFiles(to: "bets.swift", count: 0).isEmpty)
    }

    @Test func aLineWithoutCodeHasNoPlace() throws {
        let program = try PlaceProgram.swift(Self.debug)
        let image = try program.image
        let file = try #require(image.files(matching: program.file).first)
        let line = try program.line(with: "struct Point")
        #expect(image.linesWithCode(in: file).contains(try program.line(with: "let sum = left")))
        #expect(image.places(file: file, line: 0).isEmpty)
        #expect(image.places(file: file, line: 100_000).isEmpty)
        #expect(image.places(file: "no such file", line: line).isEmpty)
        #expect(image.linesWithCode(in: "no such file").isEmpty)
    }

    @Test func aPlaceNamesItsFunction() throws {
        let program = try PlaceProgram.swift(Self.debug)
        let place = try #require(try Self.places(program, "let label = note").first)
        #expect(place.function == "describe(_:note:at:)")
        #expect(place.linkageName.hasPrefix("$s4main8describe"))
        #expect(place.inlinedInto.isEmpty)
        #expect(place.functionStart < place.address)
        #expect(place.address < place.functionEnd)
        #expect(!place.isAsyncFunclet)
        let closure = try #require(try Self.places(program, "let moved = element").first)
        #expect(closure.function == "closure #1 in closures(_:)")
    }

    @Test func theFirstLineOfAFunctionIsBehindItsPrologue() throws {
        let program = try PlaceProgram.swift(Self.debug)
        let place = try #require(try Self.places(program, "func describe").first)
        let start = try #require(try program.program.functions()[place.linkageName])
        #expect(place.functionStart.rawValue == start)
        #expect(place.address.rawValue > start + 8)
        let variables = try program.image.variables(at: place)
        #expect(variables.map(\.name).sorted() == ["note", "point", "user"])
        #expect(variables.allSatisfy { $0.availability == .full && $0.kind == .parameter })
    }

    @Test func aVariableBeforeItsDeclarationIsNotYetDeclared() throws {
        let program = try PlaceProgram.c(["-O0", "-gdwarf-5"])
        let place = try #require(try Self.places(program, "long sum = 0;").first)
        let variables = try program.image.variables(at: place)
        func availability(_ name: String) -> Availability? {
            variables.first { $0.name == name }?.availability
        }
        #expect(availability("small") == .missing("not yet declared"))
        #expect(availability("sum") == .missing("not yet declared"))
        #expect(availability("count") == .full)
    }

    @Test func anInlinedFunctionHasAPlaceInEachCopy() throws {
        let program = try PlaceProgram.swift(Self.release)
        let places = try Self.places(program, "emit(\"value,factor,product\"")
        // Two calls in `twice`, and the function itself, which is exported.
        #expect(places.count == 3)
        #expect(places.allSatisfy { $0.function == "scaled(_:by:)" })
        let inlined = places.filter { !$0.inlinedInto.isEmpty }
        #expect(inlined.map(\.inlinedInto) == [["twice(_:)"], ["twice(_:)"]])
        #expect(Set(inlined.map(\.functionStart)).count == 1)
        for place in inlined {
            let variables = try program.image.variables(at: place)
            let own = variables.filter { $0.inlinedInto == nil }.map(\.name)
            #expect(own.sorted() == ["factor", "product", "value"])
            let outer = variables.filter { $0.inlinedInto != nil }
            #expect(outer.map(\.name).contains("start"))
            #expect(outer.allSatisfy { $0.inlinedInto == "twice(_:)" })
        }
    }

    @Test func aSpecializedFunctionHasAPlaceInEachSpecialization() throws {
        let program = try PlaceProgram.swift(Self.release)
        let places = try Self.places(program, "emit(\"count\"")
        #expect(Set(places.map(\.function)) == ["generic<A>(_:extra:)"])
        // For `Int` and for `String`.
        #expect(Set(places.map(\.functionStart)).count >= 2)
        let image = try program.image
        let entries = image.places(function: "generic").map(\.functionStart)
        #expect(Set(entries).isSuperset(of: places.map(\.functionStart)))
    }

    @Test(arguments: [debug, release])
    func aLineThatSuspendsHasNoPlaceWhereItOnlyGoesOn(variant: [String]) throws {
        let program = try PlaceProgram.swift(variant)
        let places = try Self.places(program, "let doubled = await double")
        #expect(places.count == 1)
        #expect(places.allSatisfy { $0.isAsyncFunclet && $0.function == "Ledger.bump(_:label:)" })
        let after = try Self.places(program, "return doubled + middle")
        #expect(after.allSatisfy { $0.function == "Ledger.bump(_:label:)" })
        #expect(!after.isEmpty)
    }

    @Test func functionsAreFoundByTheirNames() throws {
        let image = try PlaceProgram.swift(Self.debug).image
        for name in ["describe", "main.describe", "describe(_:note:at:)"] {
            let places = image.places(function: name)
            #expect(places.map(\.function) == ["describe(_:note:at:)"], "\(name)")
            #expect(places.allSatisfy { image.variables(at: $0).contains { $0.name == "note" } })
        }
        // The parts behind suspensions are no entries.
        let bump = image.places(function: "Ledger.bump")
        #expect(bump.map(\.function) == ["Ledger.bump(_:label:)"])
        #expect(bump.allSatisfy { !$0.isAsyncFunclet })
        #expect(image.places(function: "User.bump").isEmpty)
        #expect(image.places(function: "escribe").isEmpty)
        #expect(image.places(function: "describe(_:)").isEmpty)
        #expect(image.places(function: "").isEmpty)
        #expect(image.places(function: ".:.").isEmpty)
        #expect(image.places(function: "Main.main").map(\.function) == ["static Main.main()"])
    }

    @Test func inlinedCopiesOfAFunctionAreEnteredToo() throws {
        let image = try PlaceProgram.swift(Self.release).image
        let places = image.places(function: "scaled")
        #expect(places.count == 3)
        #expect(places.filter { $0.inlinedInto == ["twice(_:)"] }.count == 2)
        let c = try PlaceProgram.c(["-O2", "-gdwarf-5"]).image
        #expect(c.places(function: "square").first?.inlinedInto == ["work"])
        #expect(c.places(function: "work").map(\.function) == ["work"])
    }

    @Test func shadowedVariablesAreLeftOut() throws {
        let program = try PlaceProgram.swift(Self.debug)
        let line = try program.line(with: "let total = Optional(total + 1)")
        let image = try program.image
        let inner = try #require(try Self.places(program, "emit(\"total\", [total])").first)
        let outer = try #require(try Self.places(program, "emit(\"total,left\"").first)
        func total(_ place: CodePlace) -> [VisibleVariable] {
            image.variables(at: place).filter { $0.name == "total" }
        }
        #expect(total(inner).map(\.declaredLine) == [line])
        #expect(total(outer).map(\.declaredLine) == [try program.line(with: "var total = 0")])
    }

    @Test func capturesAndParametersAreToldApart() throws {
        let program = try PlaceProgram.swift(Self.debug)
        let place = try #require(try Self.places(program, "emit(\"element,moved").first)
        let variables = try program.image.variables(at: place)
        let kinds = Dictionary(uniqueKeysWithValues: variables.map { ($0.name, $0.kind) })
        #expect(
            kinds == [
                "moved": .local, "element": .parameter, "offset": .capture, "base": .capture,
            ])
    }

    @Test func globalsAreFoundByName() throws {
        let image = try PlaceProgram.swift(Self.debug).image
        for name in ["counter", "main.counter", "Limits.most", "most"] {
            let variable = try #require(image.global(named: name), "\(name)")
            #expect(variable.kind == .global)
            #expect(variable.availability == .full)
            #expect(variable.type.mangledName == "$sSiD")
        }
        #expect(image.global(named: "Limits.counter") == nil)
        #expect(image.global(named: "") == nil)
        let c = try PlaceProgram.c(["-O0", "-gdwarf-5"]).image
        #expect(c.global(named: "hits")?.availability == .full)
        #expect(c.global(named: "shared_total")?.availability == .full)
        #expect(
            c.global(named: "local_to_thread")?.availability == .missing("it is thread-local"))
    }

    @Test func aVariableThatIsMissingHereIsOfferedOnOtherLines() throws {
        let program = try PlaceProgram.swift(Self.release)
        let image = try program.image
        let file = try #require(image.files(matching: program.file).first)
        var offered = 0
        for line in image.linesWithCode(in: file) {
            for place in image.places(file: file, line: line) {
                for variable in image.variables(at: place)
                where variable.inlinedInto == nil
                    && variable.availability == .missing("optimized out here")
                {
                    for near in image.nearestLines(where: variable.name, in: place, count: 2) {
                        offered += 1
                        let copies = image.places(file: file, line: near)
                            .filter { $0.function == place.function }
                        #expect(
                            copies.allSatisfy { copy in
                                image.variables(at: copy).contains {
                                    $0.name == variable.name && $0.availability == .full
                                }
                            })
                        #expect(near != line)
                    }
                }
            }
        }
        #expect(offered > 0)
    }

    @Test func aTypeParameterSaysWhereTheTypeIs() throws {
        let program = try PlaceProgram.swift(Self.debug)
        let place = try #require(try Self.places(program, "let count = seen.count").first)
        let parameters = try program.image.genericParameters(at: place)
        #expect(parameters.map(\.name) == ["\u{3C4}_0_0"])
        #expect(parameters.map(\.availability) == [.full])
    }

    @Test func aProgramInTwoFilesHasThePlacesOfTheWhole() throws {
        let whole = try PlaceProgram.swift(Self.debug)
        let stripped = try whole.program.copy("stripped", "objcopy", ["--strip-all"])
        let debug = try whole.program.copy("debug", "objcopy", ["--only-keep-debug"])
        let image = try ProbeImage([ElfImage(path: stripped.path), ElfImage(path: debug.path)])
        let file = try #require(image.files(matching: whole.file).first)
        for line in whole.lines(with: "emit(\"") {
            let want = try whole.image.places(file: file, line: line)
            let places = image.places(file: file, line: line)
            #expect(places == want)
            for place in places {
                #expect(try image.variables(at: place) == whole.image.variables(at: place))
            }
        }
        #expect(throws: SymbolError.noDebugInfo(path: stripped.path)) {
            _ = try ProbeImage(path: stripped.path)
        }
    }
}
