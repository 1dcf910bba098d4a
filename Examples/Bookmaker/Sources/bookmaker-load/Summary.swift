// SPDX-License-Identifier: Apache-2.0
// What all customers saw, as one JSON object.

/// The load's result.
struct Summary {
    private let latencies: [Float]
    private let errors: [RequestError: Int]
    private let requests: Int
    private let seconds: Double

    init(_ experience: Experience, seconds: Double) {
        latencies = experience.latencies.sorted()
        errors = experience.errors
        requests = experience.requests
        self.seconds = seconds
    }

    var text: String {
        let kinds = errors.sorted { $0.key.word < $1.key.word }
            .map { "\"\($0.key.word)\":\($0.value)" }.joined(separator: ",")
        return "{\"requests\":\(requests),\"seconds\":\(rounded(seconds)),"
            + "\"perSecond\":\(rounded(Double(requests) / max(seconds, 1e-9))),"
            + "\"errors\":\(errors.values.reduce(0, +)),\"errorKinds\":{\(kinds)},"
            + "\"p50Milliseconds\":\(quantile(0.5)),\"p90Milliseconds\":\(quantile(0.9)),"
            + "\"p99Milliseconds\":\(quantile(0.99)),\"maxMilliseconds\":\(quantile(1))}"
    }

    private func quantile(_ share: Double) -> Double {
        guard !latencies.isEmpty else { return 0 }
        let index = Int((Double(latencies.count - 1) * share).rounded())
        return rounded(Double(latencies[index]) * 1000)
    }

    private func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
}
