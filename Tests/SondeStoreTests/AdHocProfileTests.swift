// SPDX-License-Identifier: Apache-2.0
// Uploaded profiles: the latest of each tenant are kept.

import SondeModel
import Testing

@testable import SondeStore

@Suite struct AdHocProfileTests {
    private let scratch = ScratchFolder()
    private let now = Timestamp(unixNanoseconds: 1_700_000_000_000_000_000)

    @Test func aTenantsUploadsPushNobodyElsesAway() throws {
        let store = try ControlStore(DataFolder(scratch.path))
        let first = try store.keepAdHocProfile("mine", [1, 2], of: "day", by: "me", now: now)
        for number in 0..<ControlStore.maximumAdHocProfiles + 5 {
            _ = try store.keepAdHocProfile("n\(number)", [3], of: "night", by: "me", now: now)
        }
        #expect(try store.adHocProfiles(of: "day") == [first])
        #expect(try store.adHocProfile(first.id, of: "day")?.file == [1, 2])
        #expect(try store.adHocProfile(first.id, of: "night") == nil)
        let kept = try store.adHocProfiles(of: "night").map(\.name)
        #expect(kept.count == ControlStore.maximumAdHocProfiles)
        #expect(kept.first == "n104" && kept.last == "n5")
    }
}
