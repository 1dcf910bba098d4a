// SPDX-License-Identifier: Apache-2.0
// What the controller counts about itself.

/// What the controller counts about itself.
package final class ControllerMetrics: Sendable {
    /// Requests by endpoint, method and status.
    package let requests = CountFamily(
        "sonde_http_requests_total", "Requests answered.", labels: ["route", "method", "code"])
    /// Time from a request's last byte to its answer, by endpoint.
    package let durations = DurationFamily(
        "sonde_http_request_duration_seconds",
        "Time from a request's last byte to its answer; long polls include their wait.",
        label: "route")
    /// Bodies' bytes as they came, by endpoint.
    package let receivedBytes = CountFamily(
        "sonde_http_request_body_bytes_total", "Bytes of request bodies, as sent.",
        labels: ["route"])
    /// Bytes of answers, as sent.
    package let sentBytes = CountFamily(
        "sonde_http_response_body_bytes_total", "Bytes of answers' bodies, as sent.",
        labels: ["route"])
    /// Profiles stored, by service.
    package let profiles = CountFamily(
        "sonde_ingest_profiles_total", "Profiles stored, one for each sample type.")
    /// Bytes of profiles that were pushed, expanded.
    package let profileBytes = CountFamily(
        "sonde_ingest_profile_bytes_total", "Bytes of pushed profiles, expanded.")
    /// What was refused, by reason.
    package let rejected = CountFamily(
        "sonde_ingest_rejected_profiles_total", "Pushed profiles that were refused, by reason.",
        labels: ["reason"])
    /// Texts on samples of pushed profiles that are not kept.
    package let droppedSampleLabels = CountFamily(
        "sonde_ingest_dropped_sample_labels_total",
        "Labels of samples, other than spans and traces, that were not kept.")
    /// Log lines that came in and were not refused, duplicates included.
    package let lines = CountFamily("sonde_ingest_log_lines_total", "Log lines taken in.")
    /// Bytes of those lines, metadata included.
    package let lineBytes = CountFamily(
        "sonde_ingest_log_bytes_total", "Bytes of log lines taken in, metadata included.")
    /// Log lines that were refused, by reason.
    package let rejectedLines = CountFamily(
        "sonde_ingest_rejected_log_lines_total", "Pushed log lines that were refused, by reason.",
        labels: ["reason"])
    /// Lines that a client that follows was too slow for.
    package let droppedTailLines = CountFamily(
        "sonde_log_tail_dropped_lines_total", "Lines that clients that follow were too slow for.")
    /// Images that were uploaded, by result.
    package let images = CountFamily(
        "sonde_image_uploads_total", "Uploads of images, by result.", labels: ["result"])
    /// Bundles of source files that were uploaded, by result.
    package let sources = CountFamily(
        "sonde_source_uploads_total", "Uploads of source files, by result.", labels: ["result"])
    /// Connections that were ended by the controller, by reason.
    package let closed = CountFamily(
        "sonde_http_connections_closed_total", "Connections that the controller ended, by reason.",
        labels: ["reason"])

    /// Metrics that are all zero.
    package init() {}

    func write(to text: inout MetricsText) {
        requests.write(to: &text)
        durations.write(to: &text)
        receivedBytes.write(to: &text)
        sentBytes.write(to: &text)
        profiles.write(to: &text)
        profileBytes.write(to: &text)
        rejected.write(to: &text)
        droppedSampleLabels.write(to: &text)
        lines.write(to: &text)
        lineBytes.write(to: &text)
        rejectedLines.write(to: &text)
        droppedTailLines.write(to: &text)
        images.write(to: &text)
        sources.write(to: &text)
        closed.write(to: &text)
    }

    /// The refused profiles by reason.
    package var rejectedByReason: [String: UInt64] {
        Dictionary(
            rejected.snapshot.map { ($0.key.first ?? "", $0.value) }, uniquingKeysWith: { $0 &+ $1 }
        )
    }
}
