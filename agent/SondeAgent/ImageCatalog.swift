// SPDX-License-Identifier: Apache-2.0
// Which images addresses of the last profile can lie in, also those that were unloaded meanwhile.

internal import SondeLock
internal import SondeModel
internal import SondeSampling

/// The images of this process, read again when the loader's counters change.
final class ImageCatalog: Sendable {
    /// The images at one point in time.
    struct Snapshot: Sendable {
        /// Differs from that of any other set of images.
        var changes: UInt64
        /// The images, the program first.
        var images: [LoadedImage]
    }

    private let read: @Sendable () -> [LoadedImage]
    private let countChanges: @Sendable () -> UInt64
    private let latest: Locked<Snapshot>

    /// A catalog of this process's images, or of what a test says they are.
    init(
        reading read: @escaping @Sendable () -> [LoadedImage] = { LoadedImage.all() },
        changes: @escaping @Sendable () -> UInt64 = { LoadedImage.changes }
    ) {
        self.read = read
        countChanges = changes
        let changes = changes()
        latest = Locked(Snapshot(changes: changes, images: read()))
    }

    /// The images that are loaded now.
    var current: Snapshot {
        let changes = countChanges()
        if let same = latest.withLock({ $0.changes == changes ? $0 : nil }) { return same }
        // An image that is loaded just here makes the count differ again at the next look.
        let fresh = Snapshot(changes: changes, images: read())
        latest.withLock { $0 = fresh }
        return fresh
    }

    /// The images of two points in time; where they overlap, those of the later one.
    static func union(_ earlier: [LoadedImage], _ later: [LoadedImage]) -> [LoadedImage] {
        let known = Set(later)
        let gone = earlier.filter { image in
            !known.contains(image)
                && !later.contains {
                    $0.loadStart < image.loadEnd && image.loadStart < $0.loadEnd
                }
        }
        return later + gone
    }
}
