// SPDX-License-Identifier: Apache-2.0
// What this process costs: CPU time, memory, file descriptors.

internal import FoundationEssentials

#if canImport(Glibc)
    internal import Glibc
#endif

/// What this process costs.
package struct ProcessStatistics: Sendable {
    /// CPU time of all threads since the start, in seconds.
    package var cpuSeconds: Double
    /// Resident memory, in bytes.
    package var residentBytes: Int
    /// Virtual memory, in bytes.
    package var virtualBytes: Int
    /// Open file descriptors.
    package var openFiles: Int
    /// The most file descriptors that may be open.
    package var maximumFiles: Int

    /// The figures of this moment.
    ///
    /// Source: proc(5).
    package static func current() -> ProcessStatistics {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        let pageSize = sysconf(Int32(_SC_PAGESIZE))
        let pages =
            (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?
            .split(separator: " ").map { Int($0) ?? 0 } ?? []
        var limits = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits)
        // The listing itself holds one descriptor open.
        let files =
            (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 1
        return ProcessStatistics(
            cpuSeconds: Double(time.tv_sec) + Double(time.tv_nsec) / 1e9,
            residentBytes: pages.count > 1 ? pages[1] * pageSize : 0,
            virtualBytes: pages.first.map { $0 * pageSize } ?? 0, openFiles: files - 1,
            maximumFiles: Int(clamping: limits.rlim_cur))
    }
}
