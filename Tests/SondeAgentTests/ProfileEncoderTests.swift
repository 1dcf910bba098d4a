// SPDX-License-Identifier: Apache-2.0
// From stacks of addresses to a pprof document, and the queue and the waits on its way out.

import SondeFormats
import SondeModel
import Testing

@testable import SondeAgent
@testable import SondeSampling

struct ProfileEncoderTests {
    private func image(_ path: String, _ start: UInt64, _ id: UInt8?) -> LoadedImage {
        LoadedImage(
            path: path, buildID: id.flatMap { BuildID(bytes: [$0]) },
            segments: [
                LoadedImage.Segment(
                    memoryStart: RuntimeAddress(start), memoryLimit: RuntimeAddress(start + 0x1000),
                    fileOffset: FileOffset(0x2000))
            ], loadStart: RuntimeAddress(start), loadEnd: RuntimeAddress(start + 0x1000))
    }

    private func profile(_ stacks: [CPUStack]) -> CPUProfile {
        CPUProfile(
            start: Timestamp(unixNanoseconds: 5), durationNanoseconds: 6,
            periodNanoseconds: 10_000_000, stacks: stacks)
    }

    private func frames(_ addresses: UInt64...) -> [RuntimeAddress] {
        addresses.map { RuntimeAddress($0) }
    }

    @Test func aStackBecomesASampleWithLocationsInTheirMappings() throws {
        let document = ProfileEncoder.document(
            of: profile([
                CPUStack(frames: frames(0x5010, 0x1010), nanoseconds: 30_000_000),
                CPUStack(frames: frames(0x5010), nanoseconds: 10_000_000),
            ]),
            images: [image("/bin/a", 0x1000, 0xAB), image("/lib/b", 0x5000, nil)])
        #expect(document.sampleTypes.map(\.type) == ["samples", "cpu"])
        #expect(document.sampleTypes.map(\.unit) == ["count", "nanoseconds"])
        #expect(document.periodType == PprofDocument.ValueType(type: "cpu", unit: "nanoseconds"))
        #expect(document.period == 10_000_000)
        #expect(document.timeNanos == 5)
        #expect(document.durationNanos == 6)
        #expect(document.defaultSampleType == "cpu")
        #expect(document.samples.map(\.values) == [[3, 30_000_000], [1, 10_000_000]])
        #expect(document.samples.map(\.locationIDs) == [[1, 2], [1]])
        #expect(document.locations.map(\.address) == [0x5010, 0x1010])
        #expect(document.locations.map(\.mappingID) == [2, 1])
        #expect(document.mappings.map(\.filename) == ["/bin/a", "/lib/b"])
        #expect(document.mappings.map(\.buildID) == ["ab", ""])
        #expect(document.mappings.map(\.fileOffset) == [0x2000, 0x2000])
        let again = try PprofDocument(decoding: document.encode()[...])
        #expect(again == document)
    }

    @Test func onlyTheProgramAndImagesInUseAreListed() {
        let document = ProfileEncoder.document(
            of: profile([CPUStack(frames: frames(0x9010), nanoseconds: 1)]),
            images: [
                image("/bin/a", 0x1000, 1), image("/lib/b", 0x5000, 2), image("/lib/c", 0x9000, 3),
            ])
        #expect(document.mappings.map(\.filename) == ["/bin/a", "/lib/c"])
    }

    @Test func anAddressOutsideOfEveryImageHasNoMapping() {
        let document = ProfileEncoder.document(
            of: profile([
                CPUStack(frames: frames(0x0FFF, 0x2000, 0, .max), nanoseconds: 1)
            ]), images: [image("/bin/a", 0x1000, 1)])
        #expect(document.locations.map(\.mappingID) == [0, 0, 0, 0])
    }

    @Test func timeWithoutAStackSaysWhyItHasNone() {
        let document = ProfileEncoder.document(
            of: profile([
                CPUStack(kind: .dropped, frames: [], nanoseconds: 1),
                CPUStack(kind: .signalBlocked, frames: [], nanoseconds: 2),
                CPUStack(kind: .tooManyStacks, frames: [], nanoseconds: 3),
                CPUStack(frames: frames(0x1010), nanoseconds: 4, isTruncated: true),
                CPUStack(kind: .dropped, frames: [], nanoseconds: 5),
                CPUStack(frames: frames(0x1010), nanoseconds: 0),
            ]), images: [image("/bin/a", 0x1000, 1)])
        #expect(document.samples.map { $0.values[1] } == [1, 2, 3, 4, 5])
        #expect(
            document.functions.map(\.name) == [
                "[stack dropped]", "[signal blocked]", "[too many different stacks]",
                "[truncated]",
            ])
        #expect(document.samples[3].locationIDs.count == 2)
        #expect(document.samples[4].locationIDs == document.samples[0].locationIDs)
    }

    @Test func anImageThatWasUnloadedIsRememberedForOneProfile() {
        let gone = image("/lib/gone", 0x9000, 9)
        let stays = image("/bin/a", 0x1000, 1)
        let inItsPlace = image("/lib/new", 0x9800, 8)
        #expect(ImageCatalog.union([stays, gone], [stays]) == [stays, gone])
        #expect(ImageCatalog.union([stays, gone], [stays, inItsPlace]) == [stays, inItsPlace])
    }

    @Test func theQueueKeepsItsLimits() {
        var queue = DeliveryQueue(maximumBytes: 10, maximumAgeSeconds: 1)
        func profile(_ size: Int, _ created: UInt64) -> PendingPush {
            PendingPush(body: Array(repeating: 0, count: size), items: 1, created: created)
        }
        #expect(queue.append(profile(6, 1)) == 0)
        #expect(queue.append(profile(4, 2)) == 0)
        #expect(queue.append(profile(5, 3)) == 1)
        #expect(queue.byteCount == 9)
        #expect(queue.append(profile(11, 4)) == 1)
        #expect(queue.count == 2)
        // What is just being sent stays; the next goes, or the new one when nothing else is left.
        let sending = queue.first?.number
        #expect(queue.append(profile(6, 4), keeping: sending) == 1)
        #expect(queue.append(profile(8, 4), keeping: sending) == 2)
        #expect(queue.count == 1 && queue.first?.number == sending)
        #expect(queue.append(profile(5, 4)) == 0)
        #expect(queue.append(profile(10, 5)) == 2)
        #expect(queue.first?.created == 5)
        #expect(queue.dropOutdated(at: 1_000_000_005) == 0)
        #expect(queue.dropOutdated(at: 1_000_000_006) == 1)
        #expect(queue.byteCount == 0)
        queue.removeFirst()
        #expect(queue.count == 0)
    }

    @Test func waitsGrowUpToTheirLimitAndAreSpread() {
        var waits: [[Double]] = Array(repeating: [], count: 8)
        for _ in 0..<200 {
            var backoff = Backoff(first: 1, longest: 10)
            for attempt in 0..<8 { waits[attempt].append(backoff.fail()) }
            #expect(backoff.isFailing)
            backoff.succeed()
            #expect(!backoff.isFailing)
        }
        for (attempt, limit) in [1.0, 2, 4, 8, 10, 10, 10, 10].enumerated() {
            #expect(waits[attempt].allSatisfy { (0...limit).contains($0) })
            // Of 200 draws none in the upper half would be a matter of 2 to the power of -200.
            #expect(waits[attempt].contains { $0 > limit / 2 })
            #expect(waits[attempt].contains { $0 < limit / 2 })
        }
        var asked = Backoff(first: 0, longest: 0)
        #expect(asked.fail(retryAfter: 7) == 7)
        #expect(asked.fail(retryAfter: 1e9) == Backoff.longestRetryAfter)
    }

    @Test func retryAfterIsReadAsSecondsOrAsADate() {
        func seconds(_ value: String, _ now: Double = 784_111_700) -> Double? {
            Backoff.seconds(ofRetryAfter: value, unixNow: now)
        }
        #expect(seconds("120") == 120)
        #expect(seconds("0") == 0)
        #expect(seconds("-5") == 0)
        // The example of RFC 9110: 784111777 seconds since the epoch.
        #expect(seconds("Sun, 06 Nov 1994 08:49:37 GMT") == 77)
        #expect(seconds("Sun, 06 Nov 1994 08:49:37 GMT", 1e9) == 0)
        #expect(seconds("Thu, 29 Feb 2024 00:00:00 GMT", 1_709_164_800 - 1) == 1)
        for bad in ["", "soon", "inf", "Sun, 06 Nov 1994", "Sun, 99 Nov 1994 08:49:37 GMT"] {
            #expect(seconds(bad) == nil)
        }
    }

    @Test func identitiesDiffer() {
        let first = Identity.randomUUID()
        #expect(first != Identity.randomUUID())
        let parts = first.split(separator: "-")
        #expect(parts.map(\.count) == [8, 4, 4, 4, 12])
        #expect(parts[2].first == "4")
        #expect("89ab".contains(parts[3].first ?? "?"))
    }
}
