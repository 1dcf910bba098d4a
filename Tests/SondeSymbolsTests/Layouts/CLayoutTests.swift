// SPDX-License-Identifier: Apache-2.0
// Layouts of C types are those that the compiler's own sizeof and offsetof state.

import SondeSymbols
import Testing

@Suite struct CLayoutTests {
    static let source = """
        #include <stdbool.h>
        #include <stddef.h>
        #include <stdint.h>
        #include <stdio.h>
        #include <string.h>
        typedef struct { int x, y; } Point;
        enum Color { RED, GREEN = 5, BLUE = -1 };
        typedef void (*Handler)(int);
        struct Packed { char c; int i; } __attribute__((packed));
        struct Big {
          char name[16]; Point p; enum Color color; bool ok;
          union { int i; float f; };
          struct { short s; double d; } inner;
          unsigned a : 3, b : 5; unsigned c : 20; int64_t wide : 40; signed char negative : 4;
          const char *text; Handler handler; struct Big *next; void *any; double grid[2][3];
          volatile uint8_t u8; long double ld; struct Packed packed; const Point *const cp;
          char last;
        };
        union Either { int i; double d; char text[12]; };
        struct Big g;
        union Either either;
        #define F(T, f) printf("F %s %s %zu %zu\\n", #T, #f, offsetof(T, f), sizeof(((T *)0)->f))
        #define BIT(f, v) memset(&g, 0, sizeof g), g.f = v, dump(#f)
        static void dump(const char *field) {
          printf("B %s ", field);
          for (size_t i = 0; i < sizeof g; i++) printf("%02x", ((unsigned char *)&g)[i]);
          printf("\\n");
        }
        int main(void) {
          printf("T %zu %zu %zu %zu\\n", sizeof g, sizeof either, _Alignof(struct Big),
            _Alignof(struct Packed));
          F(struct Big, name); F(struct Big, p); F(struct Big, color); F(struct Big, ok);
          F(struct Big, inner); F(struct Big, text); F(struct Big, handler); F(struct Big, next);
          F(struct Big, any); F(struct Big, grid); F(struct Big, u8); F(struct Big, ld);
          F(struct Big, packed); F(struct Big, cp); F(struct Big, last);
          F(struct Packed, i); F(union Either, text);
          BIT(a, 7); BIT(b, 31); BIT(c, 0xFFFFF); BIT(wide, -1); BIT(negative, -1);
          return 0;
        }
        """

    struct Subject {
        let image: ProbeImage
        let lines: [[String]]

        init(dwarf version: Int) throws {
            let program = try CompiledProgram.compileC(
                CLayoutTests.source, "c-layouts-\(version)", ["-g", "-gdwarf-\(version)"])
            image = try ProbeImage(path: program.path)
            lines = try #require(CompiledProgram.run(program.path, [])).split(separator: "\n")
                .map { $0.split(separator: " ").map(String.init) }
        }

        func global(_ name: String) throws -> TypeLayout {
            image.layout(of: try #require(image.global(named: name)).type)
        }
    }

    static func fields(_ layout: TypeLayout) throws -> [TypeLayout.Field] {
        guard case .structure(let fields) = layout.kind else {
            Issue.record("\(layout.name) is \(layout.kind)")
            return []
        }
        return fields
    }

    @Test(arguments: [2, 4, 5])
    func membersLieWhereTheCompilerPutsThem(dwarf version: Int) throws {
        let subject = try Subject(dwarf: version)
        let big = try subject.global("g")
        let either = try subject.global("either")
        let packed = try #require(try Self.fields(big).first { $0.name == "packed" })
        let alignments = [big.alignment, subject.image.layout(of: packed.type).alignment]
        #expect(
            ["T"] + ([big.size, either.size] + alignments).map(String.init) == subject.lines[0])
        var count = 0
        for line in subject.lines where line[0] == "F" && line[1] == "struct" && line[2] == "Big" {
            let field = try #require(try Self.fields(big).first { $0.name == line[3] })
            #expect("\(field.offset)" == line[4], "\(field.name)")
            #expect("\(subject.image.layout(of: field.type).size)" == line[5], "\(field.name)")
            count += 1
        }
        #expect(count == 15)
    }

    @Test(arguments: [2, 4, 5]) func bitFieldsAreTheBitsThatChange(dwarf version: Int) throws {
        let subject = try Subject(dwarf: version)
        let fields = try Self.fields(subject.global("g"))
        var count = 0
        for line in subject.lines where line[0] == "B" {
            let bytes = try #require(SwiftLayoutTests.bytes(line[2]))
            let field = try #require(fields.first { $0.name == line[1] })
            let bits = try #require(field.bits)
            var expected = [UInt8](repeating: 0, count: bytes.count)
            for bit in Int(bits.first)..<Int(bits.first) + Int(bits.count) {
                expected[Int(field.offset) + bit / 8] |= 1 << UInt8(bit % 8)
            }
            #expect(bytes == expected, "\(field.name)")
            let width = subject.image.layout(of: field.type).size
            #expect(field.offset + width <= UInt64(bytes.count))
            count += 1
        }
        #expect(count == 5)
    }

    @Test func kindsAndNamesAreThoseOfTheSource() throws {
        let subject = try Subject(dwarf: 5)
        let fields = try Self.fields(subject.global("g"))
        var layouts: [String: TypeLayout] = [:]
        for field in fields { layouts[field.name] = subject.image.layout(of: field.type) }
        #expect(layouts["text"]?.kind == .cString)
        #expect(layouts["text"]?.name == "const char *")
        #expect(layouts["ok"]?.kind == .boolean)
        #expect(layouts["u8"]?.kind == .unsigned(bits: 8))
        #expect(layouts["handler"]?.kind == .function)
        #expect(layouts["any"]?.kind == .pointer(pointee: nil))
        #expect(layouts["next"]?.name == "Big *")
        #expect(layouts["p"]?.name == "Point")
        #expect(layouts["ld"]?.kind == .float80)
        guard case .cArray(let element, 16) = layouts["name"]?.kind else {
            Issue.record("a name is no array")
            return
        }
        #expect(subject.image.layout(of: element).kind == .signed(bits: 8))
        guard case .cArray(let number, 6) = layouts["grid"]?.kind else {
            Issue.record("a grid is no array")
            return
        }
        #expect(subject.image.layout(of: number).kind == .double)
        guard case .enumeration(let cases, _) = layouts["color"]?.kind else {
            Issue.record("a color is no enumeration")
            return
        }
        #expect(cases.map(\.name) == ["RED", "GREEN", "BLUE"])
        #expect(cases.map(\.rawValue) == [0, 5, UInt64.max])
        // The members of an anonymous union stand in a member without a name.
        let anonymous = try #require(fields.first { $0.name.isEmpty })
        let members = try Self.fields(subject.image.layout(of: anonymous.type))
        #expect(members.map(\.name) == ["i", "f"])
        #expect(members.map(\.offset) == [0, 0])
        guard case .pointer(let next?) = layouts["next"]?.kind else {
            Issue.record("a link is no pointer")
            return
        }
        #expect(subject.image.layout(of: next).name == "Big")
    }
}
