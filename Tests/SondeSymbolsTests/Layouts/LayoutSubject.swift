// SPDX-License-Identifier: Apache-2.0
// A program of many types, which prints how its own values lie in memory.

/// The sources of the programs whose types the tests ask for.
enum LayoutSubject {
    /// A program that prints what it sees of its types.
    ///
    /// One a line:
    ///
    ///     T mangled-name size stride alignment
    ///     F mangled-name field offset mangled-name-of-the-field's-type
    ///     V mangled-name bytes value
    static let source = report + types + values

    private static let report = """
        @_silgen_name("swift_reflectionMirror_recursiveCount")
        func fieldCount(_: Any.Type) -> Int
        @_silgen_name("swift_reflectionMirror_recursiveChildOffset")
        func fieldOffset(_: Any.Type, index: Int) -> Int
        struct FieldMetadata {
          var name: UnsafePointer<CChar>?
          var free: (@convention(c) (UnsafePointer<CChar>?) -> Void)?
          var isStrong = false
          var isVar = false
        }
        @_silgen_name("swift_reflectionMirror_recursiveChildMetadata")
        func fieldMetadata(
          _: Any.Type, index: Int, fieldMetadata: UnsafeMutablePointer<FieldMetadata>) -> Any.Type

        func name(_ type: Any.Type) -> String { _mangledTypeName(type) ?? "?" }

        func type<T>(_ type: T.Type) {
          print("T", name(type), MemoryLayout<T>.size, MemoryLayout<T>.stride,
            MemoryLayout<T>.alignment)
          let kind = unsafeBitCast(type, to: UnsafePointer<UInt>.self).pointee
          guard kind == 0x200 || kind == 0x301 || kind == 0 || kind > 0x7FF else { return }
          for index in 0..<fieldCount(type) {
            var metadata = FieldMetadata()
            let child = fieldMetadata(type, index: index, fieldMetadata: &metadata)
            let label = metadata.name.map { String(cString: $0) } ?? ""
            print("F", name(type), label.isEmpty ? "-" : label,
              fieldOffset(type, index: index), name(child))
            metadata.free?(metadata.name)
          }
        }

        func describe(_ value: Any) -> String {
          let type = Swift.type(of: value)
          let mirror = Mirror(reflecting: value)
          switch mirror.displayStyle {
          case .optional: return mirror.children.first.map { describe($0.value) } ?? "nil"
          case .class: return "ref"
          case .collection: return "array"
          case .dictionary, .set: return "hash"
          default: break
          }
          if type == Unicode.Scalar.self { return "U\\((value as! Unicode.Scalar).value)" }
          if type == Character.self { return "\\"\\(value)\\"" }
          if type == String.self { return "\\"\\(value)\\"" }
          let text = "\\(type)"
          if text.hasPrefix("Unsafe") && !text.contains("Buffer") { return "pointer" }
          if text.hasPrefix("ObjectIdentifier") || text.hasPrefix("OpaquePointer") { return
            "pointer" }
          if text.contains("->") { return "function" }
          if mirror.displayStyle == .enum {
            guard let child = mirror.children.first else { return ".\\(value)" }
            return ".\\(child.label ?? "")\\(payload(child.value))"
          }
          if mirror.children.isEmpty && mirror.displayStyle == nil { return "\\(value)" }
          return fields(mirror)
        }

        func fields(_ mirror: Mirror) -> String {
          let parts = mirror.children.map { child in
            let label = child.label ?? ""
            return (label.isEmpty || label.hasPrefix(".") ? "" : label + ": ") +
              describe(child.value)
          }
          return "(" + parts.joined(separator: ", ") + ")"
        }

        func payload(_ value: Any) -> String {
          let mirror = Mirror(reflecting: value)
          return mirror.displayStyle == .tuple ? fields(mirror) : "(\\(describe(value)))"
        }

        func show<T>(_ values: T...) {
          for value in values {
            var copy = value
            let bytes = withUnsafeBytes(of: &copy) { bytes in
              bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            }
            print("V", name(T.self), bytes.isEmpty ? "-" : bytes, describe(value))
          }
        }

        """

    private static let types = """
        final class Klass { var number = 7; var text = "seven"; let flag = true;
          var small: Int8 = 3 }
        class Base { var a: Int8 = 1; var wide: Double = 2 }
        class Derived: Base { var b: Int16 = 3; var next: Derived?; weak var weakOne: Klass?
          unowned var owner: Klass; lazy var later = 5; init(_ k: Klass) { owner = k } }
        class Holder<Element> { var before: Int8 = 1; var element: Element; var after: Int8 = 2
          init(_ e: Element) { element = e } }
        final class IntHolder: Holder<Int32> { var more: Int16 = 4 }
        actor Account { var balance = 5.5; let owner = "x"; var small: Int8 = 1 }
        protocol Plain {} ; protocol Ref: AnyObject {} ; struct Fits: Plain, Equatable { var x = 1 }
        extension Klass: Ref {}
        struct Empty {}
        struct Pad { var a: Int8 = -1; var b: Double = 2.5; var c = true; var d: Int32 = -4
          var e: Int? = 5; var f: Int16 = 6 }
        struct Gap { var a: Int8 = 1; var b: Int = 2 }
        struct Short { var a: Int8 = 1; var b: Int32 = 2 }
        struct Flags { var a = true; var b = false; var c = true }
        struct Text { var a = "ab"; var b: Character = "c"; var c: Unicode.Scalar = "d" }
        struct Three { var a: UInt8 = 1; var b: UInt8 = 2; var c: UInt8 = 3 }
        struct Pair<First, Second> { var first: First; var second: Second }
        struct Outer<T> { struct Inner<U> { var t: T; var u: U } ; enum Choice { case t(T), none }
          struct Bare { var n = 1 } }
        struct Links { weak var w: Klass?; unowned var u: Klass; unowned(unsafe) var v: Klass
          unowned var o: Klass? }
        struct Mixed { var any: Any = 1; var plain: any Plain = Fits(); var ref: any Ref
          var error: (any Error)? = nil; var object: AnyObject?; var call: () -> Int = { 1 }
          var type: Any.Type = Int.self; var thin = Int.self; var classType = Klass.self
          var cCall: @convention(c) (Int) -> Int = { $0 }; var both: any Plain & Ref
          var last: Int8 = 1 }
        struct Library { var range = 1..<5; var closed: ClosedRange<Int8> = 1...3
          var array: [Int] = []; var slice: ArraySlice<Int> = []; var set: Set<Int> = []
          var dictionary: [String: Int] = [:]; var duration: Duration = .seconds(1)
          var pointer: UnsafePointer<Int>? = nil; var raw: UnsafeMutableRawPointer? = nil
          var buffer: UnsafeBufferPointer<Int>; var id: ObjectIdentifier; var sub: Substring = "a"
          var instant: ContinuousClock.Instant = .now; var big: Int128 = 1; var half: Float16 = 1
          var unmanaged: Unmanaged<Klass>; var single: Float = 1.5; var result: Result<Int, Oops> }
        enum Oops: Error { case one, two(Int8) }
        enum None {} ; enum One { case only } ; enum Two { case a, b } ; enum Color { case r, g, b }
        enum OnePayload { case only(Pad) }
        enum RawText: String { case x = "ex", y = "why" }
        enum Single { case v(Int), n, m } ; enum SingleBool { case v(Bool), n, m }
        enum SingleByte { case v(UInt8), n, m, o } ; enum SingleText { case v(String), n, m }
        enum SingleClass { case v(Klass), n, m, o } ;
          enum SinglePointer { case v(UnsafeRawPointer), n, m, o }
        enum SingleThree { case v(Three), n, m } ; enum SingleOptional { case v(Int8?), n, m }
        enum SingleVoid { case v(Void), n } ; enum SingleEmpty { case v(Empty), n, m }
        enum SingleArray { case v([Int]), n, m } ; enum SingleTuple { case v(a: Int8, Bool), n, m }
        enum Kinds { case a(Klass), b(Klass), c, d, e }
        enum ManyKinds { case a(Klass), b(Klass), c(Klass), d(Klass), e(Klass), f(Klass), g(Klass)
          case h(Klass), i(Klass), none, other }
        enum Bits { case a(Bool), b(Bool), c, d, e, f, g }
        enum Gaps { case a(Gap), b(Gap), c } ; enum Shorts { case a(Short), b(Short) }
        enum FlagSets { case a(Flags), b(Flags, Bool), c(Bool), d, e }
        enum Numbers { case i(Int), d(Double), s(Int8), none, other }
        enum Bytes { case a(UInt8), b(Int8), c, d } ; enum Words { case a(String), b(String), c }
        enum Shape { case circle(radius: Double), box(w: Double, h: Double), named(String), point }
        enum Sparse { case a(Void), b(Int), c(Empty), d(Int8), e }
        enum Nested { case a(Bits), b(Kinds), c(Color), d } ; enum Deep { case a(Bits), b(Bits), c }
        enum Functions { case a(() -> Int), b(() -> Int), c } ; enum Anys { case a(Any), b(Any), c }
        enum Errors { case a(any Error), b(any Error), c } ;
          enum Refs { case a(any Ref), b(any Ref), c }
        enum Weak { case a(Links), b(Links), c } ; enum Arrays { case a([Int]), b([String]), c, d }
        enum Hashes { case a([Int: Int]), b(Set<Int>), c } ;
          enum Either<L, R> { case l(L), r(R), n, m }
        enum Fixed<T> { case a(Bool), b(Bool), c([T]) } ;
          enum Maybe<T> { case some(T), none, other }
        enum Colors { case a(Color), b(Color), c(Two) } ;
          enum Optionals { case a(Klass?), b(Bool?), c }
        enum Metas { case a(Any.Type), b(Any.Type), c } ;
          enum Slices { case a(ArraySlice<Int>), b(ArraySlice<Int>), c }
        enum Scalars { case a(Unicode.Scalar), b(Character), c }
        indirect enum Tree { case leaf(Int), node(Tree, Tree), end }
        enum List { case end; indirect case item(Int, List); case other(Klass) }
        enum Many { \(caseNames(300)) }
        enum ManyOfBool { case v(Bool), \(caseNames(300).dropFirst(5)) }
        enum ManyOfByte { case v(UInt8), \(caseNames(300).dropFirst(5)) }
        enum ManyOfBits { case v(Bool), w(Bool), \(caseNames(300).dropFirst(5)) }

        """

    private static func caseNames(_ count: Int) -> String {
        "case " + (0..<count).map { "c\($0)" }.joined(separator: ", ")
    }

    private static let values = """
        @main struct Main {
          static func main() {
            let k = Klass()
            let id = ObjectIdentifier(k)
            type(Klass.self); type(Base.self); type(Derived.self); type(Holder<Int>.self)
            type(Holder<String>.self); type(IntHolder.self); type(Account.self); type(Empty.self)
            type(Pad.self); type(Gap.self); type(Short.self); type(Flags.self); type(Text.self)
            type(Pair<Int8, Bool>.self); type(Pair<String?, Pair<Int8, Int>>.self)
            type(Outer<Int8>.Inner<Int>.self); type(Outer<Int>.Choice.self)
            type(Outer<Int>.Bare.self); type(Links.self); type(Mixed.self); type(Library.self)
            type((Int8, b: Double, Bool).self); type([Int?].self); type([String: Pad].self)
            type(None.self); type(One.self); type(OnePayload.self); type(Tree.self); type(Many.self)
            type(((Int, String?) async throws -> Bool).self); type((any Plain)?.self)
            type((Plain & Ref).self); type((any Error).self); type(Any?.self); type(Never.self)
            type(Links?.self); type(Mixed?.self); type(Result<String, any Error>.self)
            type(Anys.self); type(Weak.self); type(Functions.self); type(Metas.self)
            type((any Plain.Type).self); type((any Plain.Type)?.self); type(Errors.self); type(Refs.self); type(Slices.self); type(Slices?.self)
            show(Pad(), Pad(e: nil)); show(Optional(Pad()), nil); show(Gap()); show(Text())
            show(Optional(Text()), nil); show((Int8(1), b: 2.5, true))
            show(Pair(first: Int8(3), second: true)); show(Outer<Int8>.Inner(t: 1, u: "u"))
            show(Outer<Int8>.Choice.t(4), .none); show(Outer<Bool>.Choice.t(true), .none)
            show(Two.a, .b); show(Color.r, .g, .b); show(Optional(Color.b), nil)
            show(Optional(Optional(Color.b)), .some(nil), nil); show(RawText.x, .y)
            show(OnePayload.only(Pad())); show(Optional(OnePayload.only(Pad())), nil)
            show(Single.v(-1), .n, .m); show(Optional(Single.v(1)), .n, .m, nil)
            show(SingleBool.v(true), .v(false), .n, .m); show(Optional(SingleBool.v(true)), .m, nil)
            show(SingleByte.v(255), .v(0), .n, .m, .o); show(SingleText.v("abc"), .n, .m)
            show(Optional(SingleText.v("")), .n, nil); show(SingleClass.v(k), .n, .m, .o)
            show(SinglePointer.v(UnsafeRawPointer(bitPattern: 4096)!), .n, .m, .o)
            show(SingleThree.v(Three()), .n, .m); show(SingleOptional.v(1), .v(nil), .n, .m)
            show(SingleVoid.v(()), .n); show(SingleEmpty.v(Empty()), .n, .m)
            show(SingleArray.v([1]), .n, .m); show(SingleTuple.v(a: 1, true), .n, .m)
            show(Kinds.a(k), .b(k), .c, .d, .e); show(Optional(Kinds.a(k)), .b(k), .e, nil)
            show(Optional(Optional(Kinds.b(k))), .some(nil), nil)
            show(ManyKinds.a(k), .b(k), .c(k), .d(k), .h(k), .i(k), .none, .other)
            show(Optional(ManyKinds.i(k)), ManyKinds.none, nil)
            show(Bits.a(true), .a(false), .b(true), .b(false), .c, .d, .e, .f, .g)
            show(Optional(Bits.b(true)), .g, nil)
            show(Optional(Optional(Bits.b(true))), .some(.g), .some(nil), nil)
            show(Gaps.a(Gap()), .b(Gap(a: -1, b: -2)), .c)
            show(Optional(Gaps.a(Gap())), .b(Gap(a: -1, b: -2)), .c, nil)
            show(Optional(Optional(Gaps.a(Gap()))), .some(.c), .some(nil), nil)
            show(Shorts.a(Short()), .b(Short(a: -1, b: -2)))
            show(Optional(Shorts.a(Short())), .b(Short()), nil)
            show(FlagSets.a(Flags()), .b(Flags(), true), .c(true), .d, .e)
            show(Optional(FlagSets.b(Flags(), true)), .e, nil)
            show(Numbers.i(-1), .d(2.5), .s(-1), .none, .other)
            show(Optional(Numbers.i(-1)), .some(.none), .other, nil)
            show(Bytes.a(255), .b(-1), .c, .d); show(Words.a("a"), .b("b"), .c)
            show(Shape.circle(radius: 1), .box(w: 2, h: 3), .named("n"), .point)
            show(Optional(Shape.named("n")), .point, nil)
            show(Sparse.a(()), .b(5), .c(Empty()), .d(-5), .e)
            show(Nested.a(.b(true)), .a(.g), .b(.b(k)), .b(.e), .c(.b), .d)
            show(Optional(Nested.a(.b(true))), .b(.e), .d, nil)
            show(Deep.a(.a(true)), .a(.g), .b(.b(false)), .b(.b(true)), .b(.c), .c)
            show(Optional(Deep.a(.b(true))), .b(.g), .c, nil)
            show(Functions.a({ 1 }), .b({ 2 }), .c); show(Optional(Functions.b({ 2 })), .c, nil)
            show(Arrays.a([1]), .b([]), .c, .d); show(Optional(Arrays.b([])), .d, nil)
            show(Hashes.a([:]), .b([]), .c); show(Optional(Hashes.b([])), .c, nil)
            show(Either<Int8, Bool>.l(-1), .r(true), .n, .m)
            show(Either<Int, String>.l(-1), .r("r"), .n, .m)
            show(Optional(Either<Int, String>.r("r")), .m, nil)
            show(Either<Klass, Klass>.l(k), .r(k), .n, .m)
            show(Either<Empty, Empty>.l(Empty()), .r(Empty()), .n, .m)
            show(Either<Three, UInt8>.l(Three()), .r(9), .n, .m)
            show(Fixed<Int>.a(true), .b(false), .c([1])); show(Optional(Fixed<Int>.b(true)), nil)
            show(Maybe<Bool>.some(true), .none, .other); show(Maybe<Klass>.some(k), .none, .other)
            show(Maybe<Maybe<Bool>>.some(.other), .some(.some(false)), .none, .other)
            show(Maybe<Three>.some(Three()), .none, .other)
            show(Colors.a(.b), .b(.g), .c(.b)); show(Optional(Colors.b(.r)), nil)
            show(Optionals.a(k), .a(nil), .b(true), .b(nil), .c)
            show(Scalars.a("a"), .b("b"), .c); show(Optional(Scalars.b("b")), .c, nil)
            show(Optional(k), nil); show(Optional(Int8(1)), nil); show(Optional(2.5), nil)
            show(Optional(Optional(true)), .some(nil), nil); show(Optional("abc"), nil)
            show(Optional(Optional("abc")), .some(nil), nil); show(Optional([1]), nil)
            show(Optional(Character("x")), nil); show(Optional(Unicode.Scalar(65)), nil)
            show(Optional(1..<3), nil); show(Optional(UnsafeRawPointer(bitPattern: 4096)), nil)
            show(Optional(id), nil); show(Optional(Optional(UnsafeRawPointer(bitPattern:
              4096)!)), .some(nil), nil)
            show(Optional((Int8(1), true)), nil);
              show(Result<Int, Oops>.success(1), .failure(.one), .failure(.two(-2)))
            show(Result<Bool, Oops>.success(true), .failure(.one), .failure(.two(-2)))
            show(Optional(Result<Int, Oops>.failure(.one)), .success(2), nil)
            show(Many.c0, .c1, .c255, .c256, .c299); show(Optional(Many.c299), nil)
            show(ManyOfBool.v(true), .v(false), .c1, .c253, .c254, .c255, .c256, .c299)
            show(Optional(ManyOfBool.v(true)), .c299, nil)
            show(ManyOfByte.v(255), .c1, .c255, .c256, .c257, .c299)
            show(ManyOfBits.v(true), .w(true), .w(false), .c1, .c2, .c3, .c64, .c255, .c298, .c299)
            show(Optional(ManyOfBits.w(true)), .c299, nil)
            show(List.end, .other(k))
            _ = (Derived(k).later, Account(), IntHolder(1))
          }
        }
        """
}
