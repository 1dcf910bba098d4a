// SPDX-License-Identifier: Apache-2.0
// The control and push messages: what is written is read again, and hostile bytes are refused.

import SondeModel
import Testing

@testable import SondeWire

struct ControlMessagesTests {
    private func comesBack<Message: ProtobufMessage>(_ message: Message) throws -> Bool {
        try Message(decoding: message.encode()[...]) == message
    }

    private var register: RegisterRequest {
        var module = Module()
        module.path = "/usr/bin/bookmaker"
        module.buildID = "0123456789abcdef"
        module.loadStart = 0x5555_5555_4000
        module.loadEnd = .max
        var request = RegisterRequest()
        request.service = "bookmaker"
        request.version = "1.2"
        request.instance = "6f0a"
        request.host = "höst"
        request.pid = 42
        request.labels = [Label(name: "region", value: "eu"), Label(name: "", value: "")]
        request.modules = [module, Module()]
        request.agentVersion = "0.1"
        request.startedUnixNanos = 1_700_000_000_000_000_000
        request.notes = ["cpu: on", ""]
        return request
    }

    private var poll: PollRequest {
        var report = AgentReport()
        report.cpu = SamplerState()
        report.cpu?.enabled = true
        report.cpu?.hertz = 99.5
        report.cpu?.samples = 7
        report.ownCPUNanos = 1
        report.processCPUNanos = 2
        report.ownMemoryBytes = 3
        var counter = Counter()
        counter.reason = "ring full"
        counter.count = 4
        report.losses = [counter]
        report.problems = ["no frame pointers"]
        report.profilesSent = 5
        report.threads = 6
        var poll = PollRequest()
        poll.instance = "6f0a"
        poll.revision = "r1"
        poll.waitMs = 30_000
        poll.report = report
        return poll
    }

    @Test func everyControlMessageComesBackAsItWas() throws {
        #expect(try comesBack(register))
        #expect(try comesBack(poll))
        var answer = RegisterResponse()
        answer.pollWaitMs = 30_000
        #expect(try comesBack(answer))
        var desired = DesiredState()
        desired.revision = "r2"
        desired.wantedBuildIDs = ["ab", "cd"]
        #expect(try comesBack(desired))
        desired.cpu = SamplerSettings()
        #expect(try comesBack(desired))
        desired.cpu?.enabled = true
        desired.cpu?.hertz = 49
        #expect(try comesBack(desired))
    }

    @Test func aPresentButEmptyMessageFieldDiffersFromAnAbsentOne() throws {
        var desired = DesiredState()
        desired.cpu = SamplerSettings()
        #expect(try DesiredState(decoding: desired.encode()[...]).cpu != nil)
        #expect(try DesiredState(decoding: []).cpu == nil)
    }

    @Test func aPushHasTheBytesThatPyroscopeExpects() throws {
        var sample = RawSample()
        sample.rawProfile = [0x1F, 0x8B]
        sample.id = "x"
        var series = RawProfileSeries()
        series.labels = [LabelPair(name: "a", value: "b")]
        series.samples = [sample]
        var push = PushRequest()
        push.series = [series]
        #expect(
            push.encode() == [
                0x0A, 17,  // 1: series
                0x0A, 6, 0x0A, 1, 0x61, 0x12, 1, 0x62,  // 1: labels {1: "a", 2: "b"}
                0x12, 7, 0x0A, 2, 0x1F, 0x8B, 0x12, 1, 0x78,  // 2: samples {1: raw_profile, 2: "x"}
            ])
        #expect(try comesBack(push))
    }

    @Test func fieldsOfALaterVersionArePassedOver() throws {
        // 15: varint 1; 16: fixed64; 17: bytes "z"; then 1: "s".
        let bytes: [UInt8] = [
            0x78, 1, 0x81, 0x01, 1, 2, 3, 4, 5, 6, 7, 8, 0x8A, 0x01, 1, 0x7A, 0x0A, 1, 0x73,
        ]
        #expect(try RegisterRequest(decoding: bytes[...]).service == "s")
    }

    @Test func everyTruncationIsRefusedOrLeavesAShorterMessage() throws {
        let bytes = register.encode()
        for length in 0..<bytes.count {
            if let part = try? RegisterRequest(decoding: bytes[..<length]) {
                #expect(part != register)
            }
        }
    }

    @Test func aFieldOfAnotherLayoutIsRefused() {
        #expect(throws: ProtobufError.self) { try PollRequest(decoding: [0x08, 1]) }
        #expect(throws: ProtobufError.invalidUTF8(field: 1)) {
            try PollRequest(decoding: [0x0A, 1, 0xFF])
        }
    }

    @Test func moreElementsThanAreKeptAreRefused() {
        let limit = ProtobufReader.maximumElements
        let elements = [UInt8](repeating: 0, count: 2 * (limit + 1)).enumerated().map {
            UInt8($0.offset.isMultiple(of: 2) ? 0x3A : 0)
        }
        #expect(throws: ProtobufError.tooManyElements(field: 7, limit: limit)) {
            try RegisterRequest(decoding: elements[...])
        }
        #expect(throws: Never.self) { try RegisterRequest(decoding: elements[..<(2 * limit)]) }
    }
}
