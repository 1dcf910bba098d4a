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
    ///   - range: The range that was asked for, when it is not the command line's own.
    /// - Returns: What to throw.
    package static func failure(
        _ selector: String, _ invocation: Invocation, _ controller: Controller,
        in range: Range? = nil
    ) -> CommandFailure {
        let type = invocation.text(.type) ?? "cpu"
        let range = range ?? Range(invocation)
        let message = "no \(type.forTerminal) profiles of \(selector.forTerminal) \(range.words)"
        let request = ControllerRequest.get("/api/v1/services", range.query)
        guard let now = try? controller.answer(ServicesAnswer.self, to: request) else {
            return CommandFailure(message)
        }
        return CommandFailure(
            message,
            advice: advice((selector, type), now.services, controller, range, invocation))
    }

    /// A range of time that was asked for.
    package struct Range: Sendable {
        /// The range for the API.
        package var query: [(String, String?)]
        /// The range for people.
        package var words: String
        /// Whether it is the command line's, and not that of one side of a comparison.
        package var isOwn = true

        /// The option by which it can be made longer.
        var option: String { isOwn ? "--from" : "--base-from" }

        /// The command line's range.
        package init(_ invocation: Invocation) {
            query = invocation.rangeQuery
            words = invocation.rangeInWords
        }
    }

    private static func advice(
        _ asked: (selector: String, type: String), _ services: [ServicesAnswer.Service],
        _ controller: Controller, _ range: Range, _ invocation: Invocation
    ) -> [String] {
        let selector = asked.selector
        if let service = services.first(where: { $0.name == selector }) {
            let types = service.profileTypes
            if types.contains(where: { $0.name == asked.type || $0.id == asked.type }) {
                let isPart = invocation.isSet(.stack) || invocation.isSet(.focus)
                return [
                    isPart
                        ? "it has \(asked.type.forTerminal) profiles there, but no such stack"
                            + " (--stack, --focus)"
                        : "it has \(asked.type.forTerminal) profiles there now: ask once more"
                ]
            }
            if !types.isEmpty {
                let list = types.map { "\($0.name) (\($0.id))".forTerminal }
                return ["it has profiles of other types there: " + list.joined(separator: ", ")]
            }
            guard invocation.time(.until)?.parameter ?? "now" == "now", range.isOwn else {
                return ["its agent is connected, but sent no profile of that time"]
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
                nearest + "services \(range.words): " + names.joined(separator: ", ")
            ]
        }
        let month = ControllerRequest.get("/api/v1/services", [("from", "now-30d")])
        let older = (try? controller.answer(ServicesAnswer.self, to: month))?.services ?? []
        if !older.isEmpty {
            let list = older.map { $0.name.forTerminal }.joined(separator: ", ")
            return [
                "there is data of other times, try \(range.option) 7d or \(range.option) 30d: "
                    + list
            ]
        }
        return [
            "no service has sent anything to \(controller.address) yet, and no agent is connected",
            "start one with: sonde run --service NAME -- PROGRAM",
        ]
    }
}
