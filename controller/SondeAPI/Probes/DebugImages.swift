// SPDX-License-Identifier: Apache-2.0
// Debug info of uploaded images, opened when a probe asks for it and kept open for the next one.

package import SondeModel
package import SondeSymbols
internal import Synchronization

/// Debug info of uploaded images.
///
/// Opening a large image takes a good part of a second, and the second probe of a night is on the
/// same one: the images used last stay open.
package final class DebugImages: Sendable {
    /// The most images that are open.
    package static let limit = 8

    /// An image and the lock that it needs.
    private final class Place: @unchecked Sendable {
        // Safety: `image` and `problem` are touched only while `lock` is held.
        let lock = Mutex(())
        var image: ProbeImage?
        var problem: String?
    }

    private struct State: Sendable {
        var places: [BuildID: Place] = [:]
        /// The build ids, that used last at the end.
        var order: [BuildID] = []
    }

    private let state = Mutex(State())
    private let files: @Sendable (BuildID) -> [String]

    /// Images that are found by a function.
    ///
    /// - Parameter files: The paths of a build id's files.
    package init(files: @escaping @Sendable (BuildID) -> [String]) { self.files = files }

    /// Asks an image's debug info; one asks at a time.
    ///
    /// - Parameters:
    ///   - buildID: The image.
    ///   - body: What to ask.
    /// - Returns: The answer, or why there is no debug info.
    package func ask<Answer>(
        _ buildID: BuildID, _ body: (ProbeImage) -> Answer
    ) -> Result<Answer, DebugImageProblem> {
        let place = state.withLock { state -> Place in
            state.order.removeAll { $0 == buildID }
            state.order.append(buildID)
            if state.order.count > Self.limit {
                state.places[state.order.removeFirst()] = nil
            }
            let place = state.places[buildID] ?? Place()
            state.places[buildID] = place
            return place
        }
        return place.lock.withLock { _ in
            if place.image == nil, place.problem == nil { open(buildID, place) }
            guard let image = place.image else {
                return .failure(DebugImageProblem(reason: place.problem ?? "it cannot be read"))
            }
            return .success(body(image))
        }
    }

    /// Has a build id's files looked at again, because there is another one.
    package func imageArrived(_ buildID: BuildID) {
        state.withLock { $0.places[buildID] = nil }
    }

    private func open(_ buildID: BuildID, _ place: Place) {
        let paths = files(buildID)
        guard !paths.isEmpty else {
            place.problem = "it is not here"
            return
        }
        do throws(SymbolError) {
            var images: [ElfImage] = []
            for path in paths { images.append(try ElfImage(path: path)) }
            place.image = try ProbeImage(images)
        } catch {
            // Where the controller keeps the files is nobody's business.
            place.problem = paths.reduce(error.description) {
                $0.replacing(" " + $1, with: "")
            }
        }
    }
}

/// Why an image's debug info cannot be asked.
package struct DebugImageProblem: Error, Hashable, Sendable {
    /// The reason, behind the image's name.
    package var reason: String
}
