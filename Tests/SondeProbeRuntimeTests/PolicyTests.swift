// SPDX-License-Identifier: Apache-2.0
// What the service's owner denies and hides.

import Testing

@testable import SondeProbeRuntime

struct PolicyTests {
    @Test(arguments: [
        "password", "userPassword", "PASSWORD", "pass_word", "db.passwords", "accessToken",
        "AUTH_TOKEN", "authtoken", "apiKey", "API_KEY", "APIKey", "api.key", "user.credentials",
        "session.cookie", "customerSSN", "ssn", "card", "cardNumber", "cards",
        "request.card!.number",
        "$pwd", "authorizationHeader", "clientSecret",
    ])
    func builtInNamesAreHiddenInAnySpelling(name: String) {
        #expect(RedactedNames().hides(name))
    }

    @Test(arguments: [
        "", "className", "discard", "cardinality", "wildcard", "pinned", "spinner", "user.name",
        "bet.stake", "total", "passenger", "keyboard", "#",
    ])
    func otherNamesAreShown(name: String) {
        #expect(!RedactedNames().hides(name))
    }

    @Test func theOwnerAddsNamesAndTakesSomeOffTheList() {
        let names = RedactedNames(["customerNumber", "-card", "zip", "", "-", "***"])
        #expect(names.hides("customer_number") && names.hides("lastCustomerNumber"))
        #expect(names.hides("zip") && names.hides("homeZip") && !names.hides("gzipped"))
        #expect(!names.hides("card"))
        #expect(names.hides("password"))
    }

    @Test func valuesThatLookLikeSecretsAreHidden() {
        let values = RedactedValues(["####-####", "sk_*", "x?z"])
        #expect(values.redact("call 1234-5678 now") == "call <redacted> now")
        #expect(values.redact("key=sk_live_abc, next") == "key=<redacted> next")
        #expect(values.redact("xyz xz x z") == "<redacted> xz x z")
        #expect(values.redact("123-5678") == "123-5678")
        #expect(values.redact("") == "")
        #expect(RedactedValues(["*", ""]).isEmpty)
    }

    @Test func aPatternThatTakesForeverHidesTheWholeText() {
        let values = RedactedValues([String(repeating: "*a", count: 60) + "b"])
        #expect(values.redact(String(repeating: "a", count: 60_000)) == "<redacted>")
    }

    @Test func deniedFilesArePathsEndsOrFolders() {
        let policy = ProbePolicy(deniedFiles: ["Auth/Login.swift", "Vault/", "/"])
        #expect(policy.refusal(ofFile: "/src/Auth/Login.swift") != nil)
        #expect(policy.refusal(ofFile: "Auth/Login.swift") != nil)
        #expect(policy.refusal(ofFile: "/src/OAuth/Login.swift") == nil)
        #expect(policy.refusal(ofFile: "Login.swift") == nil)
        #expect(policy.refusal(ofFile: "/src/Vault/a/Key.swift") != nil)
        #expect(policy.refusal(ofFile: "/src/Vault.swift") == nil)
        #expect(policy.refusal(ofFile: "/src/Vault") == nil)
    }

    @Test func deniedFunctionsAreNamesInsideOfQualifiedNames() {
        let policy = ProbePolicy(deniedFunctions: ["Vault.open", "Keys", "ns::secret"])
        for denied in [
            "bank.Vault.open(key: Swift.String) -> Swift.Int",
            "static bank.Keys.all() -> [Swift.Int]",
            "closure #1 (Swift.Int) -> Swift.Int in bank.Vault.open(key: Swift.String) -> ()",
            "specialized bank.Keys.add<A>(A) -> ()", "Keys.init()", "ns::secret(int)",
            "(extension in bank):bank.Keys.sum.getter : Swift.Int",
        ] {
            #expect(policy.refusal(ofFunction: denied) != nil, "\(denied)")
        }
        for allowed in [
            "bank.Vault.close()", "bank.pay(with: bank.Keys) -> bank.Keys", "bank.Vaults.open()",
            "open", "", "bank.find<A where A: bank.Keys>(A) -> ()",
        ] {
            #expect(policy.refusal(ofFunction: allowed) == nil, "\(allowed)")
        }
    }
}
