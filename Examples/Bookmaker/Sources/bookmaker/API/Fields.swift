// SPDX-License-Identifier: Apache-2.0
// The members of a request's JSON object, each checked as it is read.

/// A member that is missing or not as it must be.
struct BadField: Error, CustomStringConvertible {
    let name: String
    let want: String
    var description: String { "cannot read '\(name)': got none or another value; want \(want)" }
}

/// The members of a request's object.
struct Fields {
    private let value: JSONValue

    init(_ value: JSONValue) { self.value = value }

    func text(_ name: String) throws(BadField) -> String {
        guard let text = value[name]?.string, (1...200).contains(text.utf8.count) else {
            throw BadField(name: name, want: "a text of 1 to 200 bytes")
        }
        return text
    }

    func optionalText(_ name: String) throws(BadField) -> String? {
        switch value[name] {
        case nil, .null?: return nil
        default: return try text(name)
        }
    }

    func integer(_ name: String, _ range: ClosedRange<Int>) throws(BadField) -> Int {
        guard let number = value[name]?.integer(in: range) else {
            throw BadField(name: name, want: "a whole number in \(range)")
        }
        return number
    }

    func money(_ name: String) throws(BadField) -> Money {
        guard let amount = value[name]?.string.flatMap({ Money($0) }) else {
            throw BadField(name: name, want: "an amount such as \"12.50\", at most \(Money.limit)")
        }
        return amount
    }

    func objects(_ name: String) throws(BadField) -> [Fields] {
        guard case .array(let values)? = value[name] else {
            throw BadField(name: name, want: "an array")
        }
        return values.map(Fields.init)
    }
}

extension BetRequest {
    init(_ fields: Fields) throws(BadField) {
        var legs: [(market: MarketID, selection: Int)] = []
        for leg in try fields.objects("legs") {
            let market = try leg.integer("market", 1...Int(Int32.max))
            legs.append(
                (MarketID(number: Int32(market)), try leg.integer("selection", 0...1000)))
        }
        self.init(
            user: UserID(number: try fields.integer("user", 1...Int(Int32.max))),
            stake: try fields.money("stake"),
            kind: try fields.optionalText("kind") ?? (legs.count > 1 ? "accumulator" : "single"),
            legs: legs, device: try fields.optionalText("device") ?? "unknown",
            note: try fields.optionalText("note"))
    }
}
