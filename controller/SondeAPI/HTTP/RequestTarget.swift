// SPDX-License-Identifier: Apache-2.0
// Splits a request's target into path segments and query items, strictly.

/// A request's target, taken apart.
package struct RequestTarget: Hashable, Sendable {
    /// The path's segments, percent-decoded: `/api/v1/top` has three, `/` none.
    package var segments: [String]
    /// The query's items, percent-decoded, in the order in which they stand.
    package var query: [Item]

    /// One `name=value` of a query.
    package struct Item: Hashable, Sendable {
        package var name: String
        package var value: String
    }

    /// Takes a target apart.
    ///
    /// - Throws: ``APIError`` when it does not begin with a slash, or an escape is no UTF-8.
    package init(parsing target: String) throws(APIError) {
        let parts =
            target.utf8.split(separator: UInt8(ascii: "#"), maxSplits: 1).first ?? ""[...].utf8
        let halves = parts.split(
            separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
        guard let path = halves.first, path.first == UInt8(ascii: "/") else {
            throw APIError(
                .invalidArgument,
                "cannot read the request's target: got \(target.quotedForMessage); want a path that begins with /"
            )
        }
        segments = []
        for segment in path.dropFirst().split(
            separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        {
            segments.append(try Self.decode(segment, plusIsSpace: false))
        }
        if segments.last == "" { segments.removeLast() }
        query = []
        guard halves.count == 2 else { return }
        for pair in halves[1].split(separator: UInt8(ascii: "&")) {
            let sides = pair.split(
                separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            let name = try Self.decode(sides[0], plusIsSpace: true)
            let value = sides.count == 2 ? try Self.decode(sides[1], plusIsSpace: true) : ""
            query.append(Item(name: name, value: value))
        }
    }

    /// The value of the first query item of a name; `nil` when there is none or it is empty.
    package func value(_ name: String) -> String? {
        guard let value = query.first(where: { $0.name == name })?.value, !value.isEmpty
        else { return nil }
        return value
    }

    private static func decode(
        _ text: some Collection<UInt8>, plusIsSpace: Bool
    ) throws(APIError) -> String {
        var bytes: [UInt8] = []
        var rest = text.makeIterator()
        while let byte = rest.next() {
            switch byte {
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = rest.next(), let low = rest.next(),
                    let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16),
                    high != UInt8(ascii: "+"), value != 0
                else { throw badEscape(text) }
                bytes.append(value)
            default: bytes.append(byte)
            }
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else { throw badEscape(text) }
        return decoded
    }

    private static func badEscape(_ text: some Collection<UInt8>) -> APIError {
        let shown = String(decoding: text, as: UTF8.self).quotedForMessage
        return APIError(
            .invalidArgument,
            "cannot read the request's target: got \(shown); want UTF-8 with escapes such as %20")
    }
}

extension String {
    /// The text in quotes, for an error message: control characters escaped, at most 200 characters.
    package var quotedForMessage: String {
        var text = "\""
        for (index, scalar) in unicodeScalars.enumerated() {
            guard index < 200 else {
                text += "..."
                break
            }
            switch scalar {
            case "\"", "\\": text += "\\\(scalar)"
            case _ where scalar.value < 32 || scalar.value == 127:
                text += "\\u{\(String(scalar.value, radix: 16))}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}
