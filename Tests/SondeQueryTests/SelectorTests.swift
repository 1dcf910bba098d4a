// SPDX-License-Identifier: Apache-2.0
// Selectors: what they accept, and what they say about what they cannot read.

import SondeModel
import SondeQuery
import Testing

@Suite struct SelectorTests {
    private static let labels: LabelSet = LabelSet()
        .setting("service_name", to: "bookmaker").setting("region", to: "eu-west")
        .setting("a.b", to: "dotted").setting("text", to: "line one\nline \"two\"")

    @Test(arguments: [
        // Everything.
        "", "  ", "{}", " { } ",
        // Equality.
        "bookmaker", #"{service_name="bookmaker"}"#, #"{ service_name = "bookmaker" , }"#,
        "{service_name='bookmaker'}", "{service_name=`bookmaker`}", #"{region!="us"}"#,
        #"{service_name="bookmaker",region="eu-west"}"#, #"{service_name="bookmaker",}"#,
        // Absence and presence.
        #"{missing=""}"#, #"{region!=""}"#, #"{missing!="x"}"#, #"{missing=~".*"}"#,
        #"{missing!~".+"}"#,
        // Regular expressions match the whole value.
        #"{region=~"eu-.*"}"#, #"{region=~"eu-west|us"}"#, #"{region!~"eu"}"#,
        #"{region!~"us-.*"}"#,
        #"{text=~"line.*two."}"#, #"{region=~"(?i)EU-WEST"}"#, #"{region=~"[[:alpha:]]+-\\w+"}"#,
        // Quoted names and escapes.
        #"{"a.b"="dotted"}"#, #"{'a.b'=~`dot+ed`}"#, #"{text="line one\nline \"two\""}"#,
        #"{region="\x65\165\u002d\U00000077est"}"#,
        #"{service_name='book\'maker'}"#
            .replacing(#"\'"#, with: ""),
        // A metric's name or a whole profile type in front.
        "process_cpu{}", #"process_cpu{region="eu-west"}"#,
        "process_cpu:cpu:nanoseconds:cpu:nanoseconds", #"{"process_cpu"}"#,
        #"process_cpu:cpu:nanoseconds:cpu:nanoseconds:delta{region=~"eu.*"}"#,
        // Labels that derive from the type.
        #"{__name__="process_cpu",__type__="cpu",__unit__="nanoseconds"}"#,
        #"{__profile_type__="process_cpu:cpu:nanoseconds:cpu:nanoseconds"}"#,
        #"{__period_type__=~"c.u",__period_unit__!="bytes",__service_name__="bookmaker"}"#,
    ])
    func acceptsTheSeries(text: String) throws {
        let selector = try Selector(text)
        #expect(selector.matches(Self.labels, type: .cpu), "\(selector.matchers)")
        #expect(selector.problem == nil)
    }

    @Test(arguments: [
        "book", "process_cpu", #"{service_name="book"}"#, #"{service_name!="bookmaker"}"#,
        #"{missing!=""}"#, #"{region=""}"#, #"{region=~"eu"}"#, #"{region=~"west"}"#,
        #"{region=~""}"#, #"{region!~".*"}"#, #"{missing=~".+"}"#, "memory{}",
        #"{service_name="bookmaker",region="us"}"#, "memory:alloc_space:bytes::",
        #"{region=~"EU-WEST"}"#, #"{region="eu-west\n"}"#,
    ])
    func refusesTheSeries(text: String) throws {
        #expect(try !Selector(text).matches(Self.labels, type: .cpu))
    }

    @Test(arguments: [
        ("{service_name=bookmaker}", 15, "got \"b\"; want a value in quotes"),
        ("{service_name", 14, "got the end; want one of = != =~ !~"),
        ("{", 2, "got the end; want a label name"),
        (#"{a="b" c="d"}"#, 8, "got \"c\"; want \",\" or \"}\""),
        (#"{a="b"} x"#, 9, "got \"x\"; want the end after \"}\""),
        (#"{a="b}"#, 4, "got a string without its closing quote; want one"),
        (#"{a="\q"}"#, 5, #"got the escape "\q"; want one of"#),
        (#"{a="\u12"}"#, 5, #"got the escape "\u""#),
        (#"{a="\xff"}"#, 4, "got bytes that are no UTF-8; want UTF-8"),
        (#"{a="\ud800"}"#, 5, #"got the escape "\u""#),
        (#"{1a="b"}"#, 2, "got the name \"1a\"; want one that does not begin with a digit"),
        (#"{=""}"#, 2, "got \"=\"; want a label name"),
        (#"{""="x"}"#, 2, "got an empty label name"),
        (#"{,}"#, 2, "got \",\"; want a label name"),
        (#"{a=="b"}"#, 4, "got \"=\"; want a value in quotes"),
        (#"{a~"b"}"#, 3, "got \"~\"; want one of = != =~ !~"),
        ("two words", 5, "got \"w\"; want \"{\", or one word"),
        ("}", 1, "got \"}\"; want \"{\", or the name of a service"),
        (#"{a=~"(b"}"#, 8, "got a regular expression that is wrong here"),
        (#"{a=~"*"}"#, 6, "got a regular expression that is wrong here"),
        (#"{é="x"}"#, 2, "got \"é\"; want a label name"),
    ])
    func namesThePlace(text: String, position: Int, found: String) throws {
        let error = try #require(throws: QueryError.self) { try Selector(text) }
        #expect(
            error.message.hasPrefix("cannot read selector: at position \(position) \(found)"),
            "\(error)")
        let lines = error.message.split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines[1] == "  " + text)
        #expect(lines[2].count == position + 2)
        #expect(lines[2].last == "^")
    }

    @Test func aLongSelectorOrOneOfManyMatchersIsRefused() {
        let many = "{" + (0..<65).map { "a\($0)=\"\"" }.joined(separator: ",") + "}"
        for text in [
            String(repeating: "a", count: 20_000), many,
            "{a=~\"" + String(repeating: "a", count: 5000) + "\"}",
        ] {
            let error = #expect(throws: QueryError.self) { try Selector(text) }
            #expect(error?.message.contains("want at most") == true, "\(error as Any)")
            #expect(error?.message.utf8.count ?? 0 < 500)
        }
    }

    @Test(
        .timeLimit(.minutes(5)),
        arguments: [
            // A set at the end, because PCRE2 knows at once that a required letter is missing.
            #"(a+)+[bc]"#, #"(a*)*[bc]"#, #"(a|aa)+[bc]"#,
            #"(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)[bc]"#, #"(?:(?:(?:a?){30}){30}){30}[bc]"#,
        ])
    func aHostileExpressionIsCutOffAndSaysSo(pattern: String) throws {
        let value = String(repeating: "a", count: 2000)
        for operation in ["=~", "!~"] {
            // One that is too large to compile is bounded too.
            guard let selector = try? Selector("{a\(operation)`\(pattern)`}") else { continue }
            let elapsed = ContinuousClock().measure {
                for number in 0..<1000 {
                    let labels = LabelSet().setting("a", to: value + "\(number)")
                    // Cut off means: matches nothing, neither with =~ nor with !~.
                    let answer = selector.matches(labels)
                    if selector.problem != nil { #expect(!answer) }
                }
            }
            let problem = try #require(selector.problem)
            #expect(problem.code == .tooExpensive)
            #expect(problem.message.contains("want a simpler one"))
            // 2 s of time each and one match that may go over it, where it would be years.
            #expect(elapsed < .seconds(90))
        }
    }

    @Test func aHarmlessExpressionOverManyValuesIsNotCutOff() throws {
        let selector = try Selector(#"{a=~".*(foo|bar).*[0-9]+.*7"}"#)
        var count = 0
        for number in 0..<20_000
        where selector.matches(LabelSet().setting("a", to: "x-foo-\(number)")) { count += 1 }
        #expect(selector.problem == nil)
        #expect(count > 1000)
    }

    @Test(arguments: [
        #"{a="b"}"#, #"{a!="b\n\"\\"}"#, #"{a.b=~"x.*"}"#.replacing("a.b", with: "\"a.b\""),
        #"{a!~"c"}"#,
    ])
    func aMatcherIsWrittenAsItIsRead(text: String) throws {
        #expect(try "{\(Selector(text).matchers[0])}" == text)
    }

    @Test func theOneServiceThatIsAskedForIsKnown() throws {
        #expect(try Selector("shop").requiredValue(of: "service_name") == "shop")
        #expect(try Selector(#"{service_name=~"shop"}"#).requiredValue(of: "service_name") == nil)
        #expect(try Selector("").requiredValue(of: "service_name") == nil)
    }
}
