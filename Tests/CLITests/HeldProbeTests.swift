// SPDX-License-Identifier: Apache-2.0
// What `sonde probes` says of probes that a service does not apply again by itself.

import Foundation
import Testing

@testable import sonde

@Suite struct HeldProbeTests {
    private func probe(_ id: String, _ instances: [(state: String, reason: String)]) throws
        -> ProbeAnswer
    {
        let list = instances.enumerated().map { number, one -> [String: Any] in
            [
                "instance": "i-\(number)", "host": "h", "pid": 1, "connected": true,
                "state": one.state, "reason": one.reason, "jumpSites": 0, "trapSites": 0,
                "hits": 0, "lines": 0, "conditionFalse": 0, "conditionErrors": 0,
                "dropped": [:] as [String: Int], "ownCPUNanos": 0, "lastSequence": 0,
            ]
        }
        let answer: [String: Any] = [
            "id": id, "kind": "log", "location": "a.c:1", "template": "x", "condition": "",
            "service": "shop", "instance": "", "labels": [:] as [String: String],
            "level": "info", "tag": "", "reason": "", "createdBy": "ann", "createdMs": 0,
            "expiresMs": 0, "hitLimit": 1, "rateLimit": 1, "enabled": true, "state": "active",
            "hits": 0, "lines": 0, "conditionFalse": 0, "conditionErrors": 0, "dropped": 0,
            "ownCPUNanos": 0, "instances": list,
        ]
        return try JSONDecoder().decode(
            ProbeAnswer.self, from: JSONSerialization.data(withJSONObject: answer))
    }

    @Test func aProbeThatIsHeldBackSomewhereIsToldWithTheCommandThatGoesOn() throws {
        let reason = "the service died here; `sonde probe enable p-2` tries again"
        let probes = [
            try probe("p-1", [("installed", "")]),
            try probe("p-2", [("installed", ""), ("held", reason), ("held", reason)]),
            try probe("p-3", [("failed", "no room"), ("tripped", "CPU")]),
        ]
        #expect(heldNotes(probes) == ["p-2 is held back in 2 of 3 instances: \(reason)"])
        #expect(heldNotes([]).isEmpty)
    }
}
