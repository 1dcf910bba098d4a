// SPDX-License-Identifier: Apache-2.0
// What the service says of itself: CPU time by function, and counts.

import SondeAgent

extension BettingAPI {
    func debug(_ request: HTTPRequest) -> HTTPResponse {
        switch request.path[1] {
        case "cpu": return HTTPResponse(house.meters.json(processStart: processStart))
        case "state": return HTTPResponse(state)
        case "agent": return HTTPResponse(agent?.status.json ?? .null)
        default:
            return .failure(
                404, "cannot answer: got debug/\(request.path[1]); want cpu, state or agent")
        }
    }

    private var state: JSONValue {
        let (settlement, wallets) = (house.settlement, house.wallets)
        let settled = AsyncBridge.wait { await settlement.marketsSettled }
        let totals = AsyncBridge.wait { await wallets.totals }
        let bets = house.book.counts
        return .object([
            ("bets", .number(Double(bets.taken))), ("open", .number(Double(bets.open))),
            ("finished", .number(Double(bets.finished))),
            ("users", .number(Double(house.users.count))),
            ("marketsSettled", .number(Double(settled))),
            ("turnover", .text("\(totals.turnover)")),
            ("transfers", .number(Double(totals.transfers))),
        ])
    }
}

extension CPUMeters {
    /// Every meter's reading, and the CPU time of the whole process.
    ///
    /// The three functions never call each other, so their times may be added up.
    func json(processStart: UInt64) -> JSONValue {
        let functions = all.map { meter -> JSONValue in
            let reading = meter.reading
            return .object([
                ("name", .text(meter.function)),
                ("cpuNanoseconds", .number(Double(reading.nanoseconds))),
                ("calls", .number(Double(reading.calls))),
            ])
        }
        let process = CPUClock.process
        return .object([
            ("functions", .array(functions)),
            ("processCPUNanoseconds", .number(Double(process))),
            ("servingCPUNanoseconds", .number(Double(process &- processStart))),
        ])
    }
}

extension Sonde.Status {
    var json: JSONValue {
        .object([
            ("running", .bool(isRunning)), ("instance", .text(instance)),
            ("controller", .text(controller.rawValue)), ("samplesCPU", .bool(samplesCPU)),
            ("hertz", .number(hertz)), ("samples", .number(Double(samples))),
            ("profilesSent", .number(Double(profilesSent))),
            ("profilesWaiting", .number(Double(profilesWaiting))),
            (
                "losses",
                .object(
                    losses.sorted { $0.key < $1.key }.map { ($0.key, .number(Double($0.value))) })
            ),
            ("problems", .array(problems.map { .text($0) })),
            ("ownCPUNanoseconds", .number(Double(ownCPUNanoseconds))),
            ("ownMemoryBytes", .number(Double(ownMemoryBytes))),
        ])
    }
}
