// SPDX-License-Identifier: Apache-2.0
// What is known of a request before its body comes.

/// What is known of a request before its body comes.
package struct RequestHead: Sendable {
    /// The method, as it was sent.
    package var method: String
    /// The path and query, as they were sent.
    package var target: String
    /// The header fields with names in lower case, in the order in which they came.
    package private(set) var headers: [HTTPHeader]
    /// The client's address, for the log.
    package var peer: String

    /// A request's head from its parts.
    package init(method: String, target: String, headers: [HTTPHeader] = [], peer: String = "") {
        self.method = method
        self.target = target
        self.headers = headers.map { HTTPHeader($0.name.lowercased(), $0.value) }
        self.peer = peer
    }

    /// The value of the first header field of a lower-case name.
    package func header(_ name: String) -> String? {
        headers.first { $0.name == name }?.value
    }

    /// All values of the header fields of a lower-case name.
    package func headerValues(_ name: String) -> [String] {
        headers.filter { $0.name == name }.map(\.value)
    }

    /// The media type of the body, in lower case and without parameters; empty when not given.
    package var mediaType: String {
        let value = header("content-type") ?? ""
        let type = value.prefix { $0 != ";" }
        return type.split(separator: " ").joined().lowercased()
    }

    /// Whether the client takes a gzip body.
    package var acceptsGzip: Bool {
        for value in headerValues("accept-encoding") {
            for item in value.split(separator: ",") {
                let parts = item.split(separator: ";").map {
                    $0.split(separator: " ").joined().lowercased()
                }
                guard let coding = parts.first, coding == "gzip" || coding == "*" else { continue }
                let weight = parts.dropFirst().first { $0.hasPrefix("q=") }
                return weight.flatMap { Double($0.dropFirst(2)) } != 0
            }
        }
        return false
    }
}
