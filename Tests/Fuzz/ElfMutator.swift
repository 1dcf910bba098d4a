// SPDX-License-Identifier: Apache-2.0
// Mutates images where it hurts: inside one section, each as likely as the others.

/// libFuzzer's own mutation of `size` bytes in a buffer with room for `maxSize`.
@_silgen_name("LLVMFuzzerMutate")
private func mutate(_ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ maxSize: Int) -> Int

/// Mutates an input in place.
///
/// Debug info is read by a library without coverage, so libFuzzer learns nothing there by itself,
/// and most of its changes hit what nobody reads.
@_cdecl("LLVMFuzzerCustomMutator")
public func customMutator(
    _ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ maxSize: Int, _ seed: UInt32
) -> Int {
    guard chosen.isImage, seed % 8 != 0 else { return mutate(data, size, maxSize) }
    // Safety: libFuzzer owns `maxSize` bytes at `data`, of which `size` are in use.
    let image = UnsafeMutableBufferPointer(start: data, count: size)
    var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15
    func random(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % max(1, bound)
    }
    let sections = ElfSections.ranges(of: UnsafeBufferPointer(image))
    guard !sections.isEmpty else { return mutate(data, size, maxSize) }
    for _ in 0...random(3) {
        let section = sections[random(sections.count)]
        let place = section.lowerBound + random(section.count)
        switch random(5) {
        case 0: image[place] = UInt8(random(256))
        case 1: image[place] ^= 1 << UInt8(random(8))
        case 2: image[place] = [0, 1, 0x7F, 0x80, 0xFF][random(5)]
        case 3: image[place] = image[section.lowerBound + random(section.count)]
        default:
            for index in place..<min(place + 1 + random(8), section.upperBound) {
                image[index] = UInt8(random(256))
            }
        }
    }
    return size
}

/// Where the sections of a 64-bit little-endian image lie in its file.
enum ElfSections {
    static func ranges(of image: UnsafeBufferPointer<UInt8>) -> [Range<Int>] {
        func number(_ offset: Int, _ size: Int) -> Int? {
            guard offset >= 0, offset <= image.count - size else { return nil }
            var value: UInt64 = 0
            for index in (0..<size).reversed() {
                value = value << 8 | UInt64(image[offset + index])
            }
            return Int(exactly: value)
        }
        guard let table = number(0x28, 8), let count = number(0x3C, 2), table <= image.count else {
            return []
        }
        var ranges: [Range<Int>] = [0..<min(64, image.count)]
        for index in 0..<count {
            let header = table + index * 64
            guard let type = number(header + 4, 4), type != 8, let offset = number(header + 24, 8),
                let size = number(header + 32, 8), size > 0, offset <= image.count,
                size <= image.count - offset
            else { continue }
            ranges.append(offset..<offset + size)
        }
        if table < image.count { ranges.append(table..<image.count) }
        return ranges.filter { !$0.isEmpty }
    }
}
