// SPDX-License-Identifier: Apache-2.0
// Fuzzes opening an image and looking addresses up in it, and the readers of linker names.

import Foundation
import SondeModel
import SondeSymbols

/// Opens an image and looks up addresses all over its code.
enum ElfFuzz {
    static let target = FuzzTarget(
        test: { data, size in
            check(bytes(data, size))
            return 0
        }, seeds: { try compiled() }, isImage: true)

    static var limits: SymbolLimits {
        var limits = SymbolLimits()
        limits.expandedBytes = 64 << 20
        limits.entriesPerUnit = 1 << 18
        limits.rangesPerUnit = 1 << 16
        limits.rangesInMemory = 1 << 17
        return limits
    }

    static let path: String = {
        let isInMemory = access("/dev/shm", W_OK) == 0
        return (isInMemory ? "/dev/shm" : "/tmp") + "/sonde-fuzz-elf-\(getpid())"
    }()

    /// Writes an input where it can be opened as a file.
    static func store(_ input: [UInt8]) {
        // A new file each time: the last one may still be mapped.
        unlink(path)
        let file = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
        precondition(file >= 0, "cannot make \(path): errno \(errno)")
        defer { close(file) }
        var written = 0
        while written < input.count {
            // Safety: the range lies inside the array.
            let count = input.withUnsafeBytes {
                write(file, $0.baseAddress.map { $0 + written }, input.count - written)
            }
            precondition(count > 0, "cannot write \(path): errno \(errno)")
            written += count
        }
    }

    static func check(_ input: [UInt8]) {
        store(input)
        guard let image = try? ElfImage(path: path, limits: limits) else {
            return
        }
        _ = (image.mapsCode, image.debugLink, image.buildID)
        let symbols = ImageSymbols([image], module: "m", limits: limits)
        for offset in stride(from: 0, to: UInt64(min(input.count, 8192)), by: 97) {
            _ = symbols.frames(at: FileOffset(offset))
            _ = symbols.frames(at: ImageAddress(offset))
        }
        for address in stride(from: UInt64(0x1000), to: 0x1400, by: 7) {
            _ = symbols.frames(at: ImageAddress(address))
        }
    }

    /// Small libraries in which functions inline each other, as several compilers' settings.
    static func compiled() throws -> [[UInt8]] {
        let base = ["-O1", "-nostdlib", "-shared", "-fPIC", "-Wl,--build-id"]
        let variants = [
            ["-gdwarf-4"], ["-gdwarf-5"], ["-gdwarf-5", "-gdwarf64"], ["-gdwarf-3"], ["-g0"],
            ["-gdwarf-5", "-gz=zlib"], ["-gdwarf-4", "-fdebug-types-section"], ["-gdwarf-2", "-s"],
        ]
        return try compiled(
            """
            static inline __attribute__((always_inline)) int in(int x) { return x * x + 3; }
            static inline __attribute__((always_inline)) int mid(int x) { return in(x) ^ in(x + 1); }
            int out(int x) { return mid(x) + 7; }
            __attribute__((section(".text.b"))) int far(int x) { return x > 3 ? mid(x) : 2; }
            """, variants.map { base + $0 })
    }

    /// A source compiled in each of several ways; ways that the compiler does not know are left out.
    static func compiled(_ text: String, _ variants: [[String]]) throws -> [[UInt8]] {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("sonde-fuzz-\(getpid())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let source = folder.appendingPathComponent("a.c")
        try Data(text.utf8).write(to: source)
        var files: [[UInt8]] = []
        for variant in variants {
            let output = folder.appendingPathComponent("out.so")
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = ["clang"] + variant + [source.path, "-o", output.path]
            process.standardError = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            guard process.terminationStatus == 0 else { continue }
            files.append(Array(try Data(contentsOf: output)))
        }
        return files
    }
}

/// Makes linker names readable.
enum NameFuzz {
    static let target = FuzzTarget(
        test: { data, size in
            _ = SymbolName.readable(String(decoding: bytes(data, size), as: UTF8.self))
            return 0
        },
        seeds: {
            [
                "_RNvXCs1_4demoNtB2_5PointNtNtC4core3fmt5Debug3fmt", "_RNCNvC4demo4mains_0",
                "_RINvNtC3std3mem8align_ofdE", "_ZN1AltIiEEbT_", "_ZZ4mainENKUlvE_clEv",
                "_ZNSt6vectorIiSaIiEE9push_backEOi", "_ZZN3foo3barEiEN5Local4workEv",
                "f.part.0.cold",
                "_ZN50_$LT$T$u20$as$u20$core..convert..Into$LT$U$GT$$GT$4into17h0123456789abcdefE",
                "$s3app7genericyxSgSayxGSLRzSHRzlFSS_Tg5", "$s4main1fyyYaFTQ1_",
            ].map { Array($0.utf8) }
        })
}
