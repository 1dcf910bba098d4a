// SPDX-License-Identifier: Apache-2.0
// Answers of the controller that go on.

internal import SondeHTTPClient

extension Controller {
    /// Asks a question whose answer goes on, and hands over its lines as they come.
    ///
    /// - Parameters:
    ///   - request: What to ask.
    ///   - alive: Called whenever bytes have come, also those that only say that the controller is
    ///     there, every ten seconds; the answer is given up when it throws.
    ///   - take: Gets each line that is not empty, without its line feed; the answer is given up
    ///     when it throws.
    /// - Throws: ``CommandFailure`` as ``send(_:)`` does, what `take` threw, and
    ///   ``BrokenStream`` when the answer ended before its time.
    func stream(
        _ request: ControllerRequest, alive: @escaping () throws -> Void,
        _ take: @escaping ([UInt8]) throws -> Void
    ) throws {
        let lines = LineSplitter(take, alive)
        let response: HTTPClientResponse
        do {
            response = try client.stream(
                HTTPClientRequest(
                    method: request.method, target: request.target, headers: request.headers,
                    timeoutSeconds: request.timeoutSeconds)
            ) { lines.add($0) }
        } catch {
            if let failure = lines.failure { throw failure }
            if error.code == .broken || error.code == .timedOut || error.code == .cannotConnect {
                throw BrokenStream(failure: Self.failure(error, address))
            }
            throw Self.failure(error, address)
        }
        if let failure = lines.failure { throw failure }
        guard (200...299).contains(response.status) else {
            throw refusal(response.status, response.body)
        }
        throw BrokenStream(failure: CommandFailure("\(address.forTerminal) ended the answer"))
    }
}

/// An answer that goes on ended before its time, or did not begin: it may be asked for again.
struct BrokenStream: Error {
    /// Why, as a person should hear it.
    var failure: CommandFailure
}

/// Makes lines of pieces.
private final class LineSplitter {
    private let take: ([UInt8]) throws -> Void
    private let alive: () throws -> Void
    private var rest: [UInt8] = []
    /// What one of the two threw.
    private(set) var failure: (any Error)?

    init(_ take: @escaping ([UInt8]) throws -> Void, _ alive: @escaping () throws -> Void) {
        self.take = take
        self.alive = alive
    }

    /// Adds a piece; `false` when no more is wanted.
    func add(_ piece: [UInt8]) -> Bool {
        rest += piece
        var begin = 0
        do {
            try alive()
            while let end = rest[begin...].firstIndex(of: UInt8(ascii: "\n")) {
                if end > begin { try take(Array(rest[begin..<end])) }
                begin = end + 1
            }
        } catch {
            failure = error
            return false
        }
        rest.removeFirst(begin)
        return true
    }
}
