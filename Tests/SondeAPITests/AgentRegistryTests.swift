// SPDX-License-Identifier: Apache-2.0
// What the registry remembers, for how long, and whom it asks for images.

import SondeAPI
import SondeModel
import SondeWire
import Testing

@Suite struct AgentRegistryTests {
    private let start = ContinuousClock.now
    private let registry = AgentRegistry(settings: { _, _ in nil }, hasImage: { _ in false })

    @Test func anAgentThatIsSilentIsAwayThenForgotten() throws {
        try register("one")
        func state(after seconds: Int) -> [Bool] {
            registry.agents(instant: start + .seconds(seconds)).map(\.isConnected)
        }
        #expect(state(after: 60) == [true])
        #expect(state(after: 80) == [false])
        #expect(state(after: 3599) == [false])
        #expect(state(after: 3601) == [])
    }

    @Test func anotherAgentIsAskedWhenTheFirstDoesNotDeliverAndNobodyAfterThree() throws {
        for name in ["one", "two", "three", "four"] { try register(name) }
        func isAsked(_ instance: String, _ seconds: Int) -> Bool {
            registry.desiredState(of: instance, instant: start + .seconds(seconds))?
                .wantedBuildIDs.isEmpty == false
        }
        #expect(isAsked("one", 0))
        #expect(!isAsked("two", 100))
        #expect(isAsked("two", 121))
        #expect(!isAsked("one", 122))
        #expect(isAsked("three", 250))
        #expect(!isAsked("four", 400))
        #expect(!isAsked("one", 900))
        #expect(isAsked("one", 1100), "after a pause it begins anew")
    }

    @Test func anAgentThatLeftIsNotWaitedFor() throws {
        try register("one")
        try register("two")
        #expect(registry.desiredState(of: "one", instant: start)?.wantedBuildIDs.count == 1)
        var poll = PollRequest()
        poll.instance = "one"
        let number = try registry.beginPoll(poll, now: .now, instant: start)
        registry.left(poll: number, of: "one")
        #expect(
            registry.agents(instant: start).map(\.isConnected).sorted { !$0 && $1 } == [
                false, true,
            ])
        #expect(registry.desiredState(of: "two", instant: start)?.wantedBuildIDs.count == 1)
    }

    @Test func whatAnAgentSaysIsCutToBounds() throws {
        var request = RegisterRequest()
        request.service = "s"
        request.instance = "i"
        request.version = String(repeating: "é", count: 100_000)
        request.notes = Array(repeating: "note", count: 100_000)
        request.labels = Array(repeating: Label(name: "a", value: "b"), count: 100_000)
        request.modules = Array(repeating: module("/x", "ab"), count: 60_000)
        try registry.register(request, now: .now, instant: start)
        let entry = try #require(registry.agents(instant: start).first?.entry)
        #expect(entry.version.utf8.count <= 1026)
        #expect(entry.notes.count == 100)
        #expect(entry.labels.count == 100)
        #expect(entry.modules.count == 4096)
        for wrong in ["", String(repeating: "x", count: 2000)] {
            request.instance = wrong
            #expect(throws: APIError.self) { try registry.register(request, now: .now) }
        }
    }

    @Test func thereIsAMostOfAgents() throws {
        for number in 0..<10_000 { try register("\(number)") }
        let error = #expect(throws: APIError.self) { try register("one too many") }
        #expect(error?.code == .resourceExhausted)
        try register("17")
    }

    private func register(_ instance: String) throws {
        var request = RegisterRequest()
        request.service = "bookmaker"
        request.instance = instance
        request.modules = [module("/opt/bookmaker", "ab")]
        try registry.register(request, now: .now, instant: start)
    }
}
