// SPDX-License-Identifier: Apache-2.0
// Fuzzes what the probe compiler asks of an image: places, variables and where they are.

import Foundation
import SondeModel
import SondeSymbols

/// Opens an image and asks for places, and for the variables there, all over it.
enum PlacesFuzz {
    static let target = FuzzTarget(
        test: { data, size in
            check(bytes(data, size))
            return 0
        }, seeds: { try compiled() }, isImage: true)

    static var limits: SymbolLimits {
        var limits = ElfFuzz.limits
        limits.lineRows = 1 << 18
        limits.sourceFiles = 1 << 14
        limits.entriesPerPlace = 1 << 14
        return limits
    }

    static func check(_ input: [UInt8]) {
        ElfFuzz.store(input)
        guard let image = try? ProbeImage(path: ElfFuzz.path, limits: limits) else { return }
        for file in image.allFiles.prefix(4) {
            _ = image.files(matching: file)
            for line in image.linesWithCode(in: file).prefix(32) {
                look(image.places(file: file, line: line), image)
            }
        }
        look(image.places(function: "work"), image)
        look(image.places(function: "square"), image)
        for address in stride(from: UInt64(0x1000), to: 0x1400, by: 9) {
            look(image.place(at: ImageAddress(address)).map { [$0] } ?? [], image)
        }
        for name in ["hits", "shared_total", "perthread"] {
            if let variable = image.global(named: name) { verify(variable.location) }
        }
        _ = image.nearestFiles(to: "b.c", count: 2)
    }

    private static func look(_ places: [CodePlace], _ image: ProbeImage) {
        for place in places.prefix(4) {
            for variable in image.variables(at: place) { verify(variable.location) }
            _ = image.genericParameters(at: place)
        }
    }

    /// Whatever a file says, an expression keeps to its rules: hits rely on it.
    private static func verify(_ location: VariableLocation) {
        for piece in location.pieces {
            switch piece.source {
            case .register(let number), .vector(let number):
                precondition(number < 16, "BUG: register \(number)")
            case .implicit(let bytes):
                precondition(UInt64(bytes.count) >= piece.sizeBytes, "BUG: too few bytes")
            case .memory(let expression), .value(let expression): verify(expression)
            case .missing: break
            }
        }
    }

    private static func verify(_ expression: AddressExpression) {
        precondition(
            (1...AddressExpression.maxOperations).contains(expression.operations.count),
            "BUG: \(expression.operations.count) operations")
        var depth = 0
        for operation in expression.operations {
            switch operation {
            case .register, .constant, .imageAddress: depth += 1
            case .load, .plusConstant, .neg, .not: precondition(depth >= 1, "BUG: empty stack")
            default:
                precondition(depth >= 2, "BUG: empty stack")
                depth -= 1
            }
        }
        precondition(depth == 1, "BUG: \(depth) words are left")
    }

    private static let source = """
        struct pair { long first; int second; };
        static long hits = 5;
        __thread int perthread = 3;
        long shared_total = 11;
        int use(void *);
        static inline __attribute__((always_inline)) long square(long base) {
          long result = base * base;
          return result + use(&result);
        }
        long work(int count, unsigned char tag, double rate, struct pair *pair) {
          long sum = 0;
          for (int step = 0; step < count; step++) sum += square(step + 2);
          short small = (short)(sum - 70000);
          struct pair copy = *pair;
          copy.first += small;
          use(&sum);
          return sum + (long)rate + small + copy.second + hits + perthread;
        }
        """

    /// Small libraries with variables in registers, frames and lists, as several settings.
    private static func compiled() throws -> [[UInt8]] {
        let base = ["-nostdlib", "-shared", "-fPIC", "-Wl,--build-id"]
        return try ElfFuzz.compiled(
            source,
            [
                ["-O0", "-gdwarf-4"], ["-O0", "-gdwarf-5"], ["-O2", "-gdwarf-4"],
                ["-O2", "-gdwarf-5"], ["-O2", "-gdwarf-5", "-gdwarf64"],
                ["-O1", "-gdwarf-3", "-fomit-frame-pointer"],
                ["-O2", "-gdwarf-5", "-fno-asynchronous-unwind-tables"],
            ].map { base + $0 })
    }
}
