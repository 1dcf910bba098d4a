// SPDX-License-Identifier: Apache-2.0
// Says why there is nothing to show, instead of showing nothing.

/// Why a question about profiles found none.
package enum NoData {
    /// A failure that names what was asked for, and what there is instead.
    ///
    /// - Parameters:
    ///   - selector: What was asked for.
    ///   - invocation: The command line, for its range and type.
    ///   - controller: Is asked which services there are.
    /// - Returns: What to throw.
    package static func failure(
        _ selector: String, _ invocation: Invocation, _ controller: Controller
    ) -> CommandFailure {
        let type = invocation.text(.type) ?? "cpu"
        let message =
            "no \(type.forTerminal) profiles of \(selector.forTerminal) \(invocation.rangeInWords)"
        let request = ControllerRequest.get("/api/v1/services", invocation.rangeQuery)
        guard let now = try? controller.answer(ServicesAnswer.self, to: request) else {
            return CommandFailure(message)
        }
        return CommandFailure(
            message, advice: advice(selector, type, now.services, controller, invocation))
    }

    private static func advice(
        _ selector: String, _ type: String, _ services: [ServicesAnswer.Service],
        _ controller: Controller, _ invocation: Invocation
    ) -> [String] {
        if let service = services.first(where: { $0.name == selector }) {
            if !service.profileTypes.isEmpty {
                let types = service.profileTypes.map { "\($0.name) (\($0.id))".forTerminal }
                return ["it has profiles of other types there: " + types.joined(separator: ", ")]
            }
            return [
                "its agent is connected but has not sent a profile yet: the first one comes"
                    + " after some seconds; sonde agents shows its state and its losses"
            ]
        }
        let names = services.map { $0.name.forTerminal }
        if !names.isEmpty {
            let nearest =
                NearestName.of(selector, among: names).map { "did you mean \($0)? " } ?? ""
            return [
                nearest + "services \(invocation.rangeInWords): " + names.joined(separator: ", ")
            ]
        }
        let month = ControllerRequest.get("/api/v1/services", [("from", "now-30d")])
        let older = (try? controller.answer(ServicesAnswer.self, to: month))?.services ?? []
        if !older.isEmpty {
            let list = older.map { $0.name.forTerminal }.joined(separator: ", ")
            return ["there is older data, try --from 7d or --from 30d: " + list]
        }
        return [
            "no service has sent anything to \(controller.address) yet, and no agent is connected",
            "start one with: sonde run --service NAME -- PROGRAM",
        ]
    }
}
