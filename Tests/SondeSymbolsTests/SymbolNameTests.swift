// SPDX-License-Identifier: Apache-2.0
// What people read instead of linker names.

import SondeSymbols
import Testing

@Suite struct SymbolNameTests {
    @Test(arguments: [
        // Swift: an async function's parts, specializations, closures, accessors, thunks.
        ("$s4main1fyyYaF", "f()"),
        ("$s4main1fyyYaFTY0_", "f()"),
        ("$s4main1fyyYaFTQ1_", "f()"),
        ("$s3app7genericyxSgSayxGSLRzSHRzlFSS_Tg5", "generic<A>(_:)"),
        ("$sSa6remove2atxSi_tFSnySiG_Tgq5", "Array.remove(at:)"),
        (
            "$sSD17dictionaryLiteralSDyxq_Gx_q_td_tcfCSS_SiTt0g5Tf4g_n",
            "Dictionary.init(dictionaryLiteral:)"
        ),
        ("$s3app10SettlementC5itemsSaySiGvM.resume.0", "Settlement.items.modify"),
        (
            "$s3app1MV4mainyyYaFZSiScGySiGzYaXEfU1_SiyYacfU_TATQ0_",
            "partial apply for closure #1 in closure #3 in static M.main()"
        ),
        // C++: scopes and template arguments, neither parameters nor return types.
        ("_Z3fooii", "foo"),
        ("_ZN4main3Foo3barIiEET_S1_", "main::Foo::bar<int>"),
        ("_ZNSt6vectorIiSaIiEE9push_backEOi", "std::vector<int, std::allocator<int> >::push_back"),
        ("_ZNK3abc3DefclEv", "abc::Def::operator()"),
        ("_ZN12_GLOBAL__N_13fooEv", "(anonymous namespace)::foo"),
        ("_ZZ4mainENKUlvE_clEv", "main::{lambda()#1}::operator()"),
        ("_ZThn16_N1A3fooEv", "A::foo"),
        ("_ZN1AlsEi", "A::operator<<"),
        ("_ZN1AltIiEEbT_", "A::operator< <int>"),
        ("_ZN1AcvbEv", "A::operator bool"),
        ("_Znwm", "operator new"),
        ("_ZN1AD0Ev", "A::~A"),
        ("_ZZN3foo3barEiEN5Local4workEv", "foo::bar::Local::work"),
        // Rust, legacy and v0.
        ("_ZN4core3fmt5write17h1234567890abcdefE", "core::fmt::write"),
        (
            "_ZN50_$LT$T$u20$as$u20$core..convert..Into$LT$U$GT$$GT$4into17h0123456789abcdefE",
            "<T as core::convert::Into<U>>::into"
        ),
        ("_RNvC6_123foo3bar", "123foo::bar"),
        ("_RNvMs_C4demoNtB4_5Point4norm", "<demo::Point>::norm"),
        ("_RNCNvC4demo4mains_0", "demo::main::{closure#1}"),
        (
            "_RINvNtC3std3mem8align_ofdE",
            "std::mem::align_of::<f64>"
        ),
        (
            "_RNvXCs1_4demoNtB2_5PointNtNtC4core3fmt5Debug3fmt",
            "<demo::Point as core::fmt::Debug>::fmt"
        ),
        // C, and what optimizers append.
        ("main", "main"),
        ("qsort_r.part.0", "qsort_r"),
        ("slow_path.cold", "slow_path"),
        ("worker.isra.0.constprop.1", "worker"),
        ("_ZN3foo3barEi.cold", "foo::bar"),
        ("keep.this", "keep.this"),
        ("", ""),
        ("$sNotMangled", "$sNotMangled"),
        ("_ZNope", "_ZNope"),
        ("_R", "_R"),
    ])
    func linkerNamesReadWell(linkerName: String, readable: String) {
        #expect(SymbolName.readable(linkerName) == readable)
    }

    @Test func aNameBeyondTheLimitStaysAsItIs() {
        let long = "$s" + String(repeating: "a", count: SymbolName.maxLength)
        #expect(SymbolName.readable(long) == long)
    }

    @Test(.timeLimit(.minutes(5)))
    func namesThatWouldExpandToTerabytesStayAsTheyAre() {
        // a<int, int>, a<that, that>, and so on: each step doubles the name.
        let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        var cxx = "_Z1f1aIiiE"
        for step in 0..<36 { cxx += "S_IS\(digits[step])_S\(digits[step])_E" }
        #expect(SymbolName.readable(cxx) == cxx)
        // The same with a type Pair of a module, as the compiler would mangle it.
        var swift = "$s5pairs4PairVy" + String(repeating: "ACy", count: 40) + "AA1LVAEG"
        for step in 0..<40 {
            swift += "A" + (step < 19 ? String(digits[16 + step]) : "\(step - 19)_") + "G"
        }
        swift += "WOc"
        #expect(SymbolName.readable(swift) == swift)
    }

    @Test func modestRepetitionsAreStillDemangled() {
        let copy = "$s5pairs4PairVyACyACyACyACyACyAA1LVAEGAFGAGGAHGAIGAJGWOc"
        #expect(SymbolName.readable(copy).hasPrefix("outlined init with copy of Pair<Pair<"))
    }

    @Test func mutatedNamesNeverCrashOrHang() {
        var generator = SplitMix(seed: 3)
        let seeds = [
            "_RNvXCs1_4demoNtB2_5PointNtNtC4core3fmt5Debug3fmt", "_RINvNtC3std3mem8align_ofdE",
            "_ZNSt6vectorIiSaIiEE9push_backEOi", "_ZN1AltIiEEbT_", "_ZZN3foo3barEiEN5Local4workEv",
            "_ZN50_$LT$T$u20$as$u20$core..convert..Into$LT$U$GT$$GT$4into17h0123456789abcdefE",
            "$s3app7genericyxSgSayxGSLRzSHRzlFSS_Tg5", "_RTB_B_B_B_B_B_E",
        ]
        for index in 0..<4000 {
            var bytes = Array(seeds[index % seeds.count].utf8)
            for _ in 0...Int.random(in: 0..<3, using: &generator) {
                let place = Int.random(in: 2..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: 36..<123, using: &generator)
                case 1: bytes.insert(bytes[place / 2], at: place)
                default: if bytes.count > 4 { bytes.remove(at: place) }
                }
            }
            let name = String(decoding: bytes, as: UTF8.self)
            let readable = SymbolName.readable(name)
            #expect(!readable.isEmpty && readable.utf8.count <= 2 * SymbolName.maxLength)
        }
    }
}

/// A small generator with a fixed seed, so that a failure comes back.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
