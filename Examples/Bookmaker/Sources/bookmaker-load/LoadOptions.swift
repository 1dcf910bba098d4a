// SPDX-License-Identifier: Apache-2.0
// What the load generator's command line may say.

/// How much load, and where.
struct LoadOptions: Sendable {
    var host = "127.0.0.1"
    var port: UInt16 = 8090
    var connections = 8
    var duration = 10.0
    /// Requests per second over all connections; `nil` for as fast as they are answered.
    var rate: Double?
    var seed: UInt64 = 1
    var markets = 60
    var users = 1000
    /// Ends with status 1 when any request failed.
    var isStrict = false

    static let help = """
        bookmaker-load: customers for the Bookmaker example

          --target URL        the service (http://127.0.0.1:8090)
          --duration SECONDS  how long (10)
          --connections N     customers at once, one kept-alive connection each (8)
          --rate X            requests a second over all (as fast as they are answered)
          --seed N            where all randomness begins (1)
          --markets N         markets that the service has (60)
          --users N           customers that the service has (1000)
          --strict            end with status 1 if any request failed

        Prints one JSON object at the end: requests, errors by kind, latencies in milliseconds.
        """

    /// A command line that makes no sense.
    struct Mistake: Error { let message: String }

    init(arguments: [String]) throws(Mistake) {
        var rest = arguments[...]
        while let name = rest.popFirst() {
            if name == "--strict" {
                isStrict = true
                continue
            }
            guard let value = rest.popFirst(), set(name, value) else {
                throw Mistake(message: "cannot read \(name): got no good value; want as in --help")
            }
        }
    }

    private mutating func set(_ name: String, _ value: String) -> Bool {
        let seconds = Double(value).flatMap { $0 > 0 && $0 < 1e9 ? $0 : nil }
        let count = Int(value).flatMap { (1...100_000).contains($0) ? $0 : nil }
        switch name {
        case "--target": return setTarget(value)
        case "--duration": return store(seconds, in: \.duration)
        case "--rate":
            rate = seconds
            return seconds != nil
        case "--connections": return store(count, in: \.connections)
        case "--markets": return store(count, in: \.markets)
        case "--users": return store(count, in: \.users)
        case "--seed": return store(UInt64(value), in: \.seed)
        default: return false
        }
    }

    private mutating func setTarget(_ text: String) -> Bool {
        let scheme = "http://"
        var rest = text.hasPrefix(scheme) ? text.dropFirst(scheme.count) : text[...]
        if rest.last == "/" { rest.removeLast() }
        let parts = rest.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let port = UInt16(parts[1]) else { return false }
        host = parts[0] == "localhost" ? "127.0.0.1" : String(parts[0])
        self.port = port
        return true
    }

    private mutating func store<Value>(
        _ value: Value?, in place: WritableKeyPath<LoadOptions, Value>
    ) -> Bool {
        guard let value else { return false }
        self[keyPath: place] = value
        return true
    }
}
