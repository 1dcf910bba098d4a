// SPDX-License-Identifier: Apache-2.0
// What stands in for Loki in a process of its own: `loki-stand-in PORT LEDGER SEED`.
//
// It takes pushes of snappy protobuf and writes each line that it stores or refuses into the ledger
// before it answers, so that killing it at any moment is as harmless as it has to be for a store
// that keeps what it acknowledged. Unless the seed is 0 it misbehaves at random.

import Glibc
import SondeModel
import SondeSnappy
import SondeTestServer
import SondeWire
import Synchronization

/// The file of what became of the lines.
struct Ledger: Sendable {
    let descriptor: Int32

    /// Writes rows with one call, so that nobody ever sees a half.
    func append(_ rows: String) {
        let bytes = Array(rows.utf8)
        guard write(descriptor, bytes, bytes.count) == bytes.count else {
            print("cannot write the ledger: errno \(errno)")
            exit(1)
        }
    }
}

/// One line as Loki tells lines apart.
struct Arrival {
    var instance: String
    var text: String
    /// Stream, time, text and metadata: what is equal in all of them is one line to Loki.
    var digest: UInt64

    init(stream: String, _ entry: LokiEntry) {
        instance = entry.metadata.first { $0.name == "instance" }?.value ?? "-"
        text = entry.line
        let metadata = entry.metadata.map { "\($0.name)=\($0.value)" }.sorted()
        let parts =
            [stream, "\(entry.time?.unixNanoseconds ?? 0)", entry.line] + metadata
        var digest: UInt64 = 0xCBF2_9CE4_8422_2325
        for part in parts {
            for byte in part.utf8 { digest = (digest ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
            digest = (digest ^ 0xFF) &* 0x0000_0100_0000_01B3
        }
        self.digest = digest
    }
}

/// Stores all lines of a push, or as many as chance lets it.
func take(_ request: TestRequest, _ ledger: Ledger, refusing: Int, _ chance: SeededRandom) -> Int {
    var chance = chance
    guard let bytes = try? Snappy.expand(request.body, limit: 1 << 28),
        let push = try? LokiPushRequest(decoding: bytes[...])
    else { return -1 }
    var rows = ""
    var refused = 0
    for stream in push.streams {
        for entry in stream.entries {
            let line = Arrival(stream: stream.labels, entry)
            let isRefused = chance.happens(percent: refusing)
            refused += isRefused ? 1 : 0
            rows += "\(isRefused ? "R" : "S") \(line.instance) \(line.text) \(line.digest)\n"
        }
    }
    ledger.append(rows)
    return refused
}

let words = CommandLine.arguments
guard words.count == 4, let port = UInt16(words[1]), let seed = UInt64(words[3]) else {
    print("usage: loki-stand-in PORT LEDGER SEED")
    exit(2)
}
let file = open(words[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
guard file >= 0 else {
    print("cannot open \(words[2]): errno \(errno)")
    exit(1)
}
let ledger = Ledger(descriptor: file)
let random = Mutex(SeededRandom(seed: seed))
let server = try TestServer(port: port) { request in
    let (turn, chance) = random.withLock { random in
        let turn = seed == 0 ? 99 : Int(random.next() % 100)
        return (turn, SeededRandom(seed: random.next()))
    }
    switch turn {
    case 0..<8: return .respond(429, body: Array("too many lines a second".utf8))
    case 8..<13: return .respond(500)
    case 13..<17: return .respond(503)
    case 17..<21: return .reset
    case 21..<25:
        // Stored, and nobody hears of it.
        _ = take(request, ledger, refusing: 0, chance)
        return .reset
    case 25..<28:
        _ = take(request, ledger, refusing: 0, chance)
        return .resetInBody
    case 28: return .hang
    case 29:
        _ = take(request, ledger, refusing: 0, chance)
        return .hang
    case 30..<35:
        let refused = take(request, ledger, refusing: 30, chance)
        return refused > 0
            ? .respond(400, body: Array("\(refused) lines are too old".utf8)) : .respond(204)
    default:
        return take(request, ledger, refusing: 0, chance) < 0 ? .respond(400) : .respond(204)
    }
}
print("listens on \(server.port)")
fflush(nil)
while true { pause() }
