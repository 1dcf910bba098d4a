// SPDX-License-Identifier: Apache-2.0
// The images in this process: where they are loaded and which build they are.

internal import CSondeSignal
internal import Glibc
internal import SondeLock
package import SondeModel

/// An image in this process: the program, a shared library or the vdso.
package struct LoadedImage: Hashable, Sendable {
    /// One executable segment, in whole pages as `/proc/self/maps` counts them.
    package struct Segment: Hashable, Sendable {
        /// The first address.
        package var memoryStart: RuntimeAddress
        /// The address after the last one.
        package var memoryLimit: RuntimeAddress
        /// The offset in the file of the byte at ``memoryStart``.
        package var fileOffset: FileOffset
    }

    /// The file's path; `[vdso]` for the kernel's own image.
    package var path: String
    /// The build id, when the image has one.
    package var buildID: BuildID?
    /// The executable segments, by address.
    package var segments: [Segment]
    /// The lowest address of any segment.
    package var loadStart: RuntimeAddress
    /// The address after the highest segment.
    package var loadEnd: RuntimeAddress
    /// What is added to an address that the file states to get the one in memory; wraps around.
    package var bias: UInt64

    /// An image from its parts.
    init(
        path: String, buildID: BuildID?, segments: [Segment], loadStart: RuntimeAddress,
        loadEnd: RuntimeAddress, bias: UInt64 = 0
    ) {
        self.path = path
        self.buildID = buildID
        self.segments = segments
        self.loadStart = loadStart
        self.loadEnd = loadEnd
        self.bias = bias
    }

    /// The images that are loaded now, in the loader's order: the program comes first.
    ///
    /// Takes the loader's lock for a moment; not for signal handlers. Headers and notes are read
    /// without trust: whatever does not add up is left out, and no read can fault.
    package static func all() -> [LoadedImage] {
        let vdso = sonde_vdso_address()
        return ImageHeaders.all().compactMap { LoadedImage(headers: $0, vdso: vdso) }
    }

    /// How many images were ever loaded and unloaded, added up: changes whenever the list does.
    package static var changes: UInt64 { ForkGate.work { sonde_image_changes() } }

    /// An image from its program headers, or `nil` when none of it is loaded.
    ///
    /// - Parameters:
    ///   - headers: What the loader told.
    ///   - vdso: The address of the vdso's ELF header, or 0.
    init?(headers: ImageHeaders, vdso: UInt64) {
        let pageMask = UInt64(4095)
        var segments: [Segment] = []
        var low = UInt64.max
        var high: UInt64 = 0
        for header in headers.programHeaders where header.p_type == UInt32(PT_LOAD) {
            guard let range = headers.range(of: header) else { continue }
            let start = range.lowerBound & ~pageMask
            let (padded, overflow) = range.upperBound.addingReportingOverflow(pageMask)
            guard !overflow else { continue }
            low = min(low, start)
            high = max(high, padded & ~pageMask)
            guard header.p_flags & UInt32(PF_X) != 0 else { continue }
            segments.append(
                Segment(
                    memoryStart: RuntimeAddress(start),
                    memoryLimit: RuntimeAddress(padded & ~pageMask),
                    fileOffset: FileOffset(header.p_offset & ~pageMask)))
        }
        guard low < high else { return nil }
        self.segments = segments.sorted { $0.memoryStart < $1.memoryStart }
        loadStart = RuntimeAddress(low)
        loadEnd = RuntimeAddress(high)
        bias = headers.bias
        let isVDSO = vdso != 0 && (low..<high).contains(vdso)
        path = isVDSO ? "[vdso]" : headers.path
        buildID = headers.buildID
    }
}
