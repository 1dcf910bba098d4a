// SPDX-License-Identifier: Apache-2.0
// Runs a program under gdb, stops at places and reads variables from where we say they are.

import Foundation
import SondeModel
import SondeSymbols
import Testing

/// What was read at one stop.
struct Stop: Decodable {
    /// The index of the place.
    var place: Int
    /// For each variable that was asked for, what was found.
    var values: [String: String]
}

enum DebuggedProgram {
    static let hasDebugger = CompiledProgram.run("gdb", ["--version"]) != nil

    /// Runs a program and stops at each place, whenever it gets there.
    ///
    /// - Parameters:
    ///   - program: The program; it is started without arguments.
    ///   - image: Its debug info.
    ///   - places: Where to stop.
    ///   - isWanted: Which of the readable variables to read.
    /// - Returns: The stops in order, and what the program printed.
    /// - Throws: When gdb fails, or what it wrote cannot be read.
    static func run(
        _ program: CompiledProgram, _ image: ProbeImage, _ places: [CodePlace],
        _ isWanted: (CodePlace, VisibleVariable) -> Bool
    ) throws -> (stops: [Stop], output: String) {
        var plan: [[String: Any]] = []
        for place in places {
            let variables = image.variables(at: place)
                .filter { $0.availability == .full && isWanted(place, $0) }
            plan.append([
                "address": place.address.rawValue,
                "variables": variables.map { variable in
                    [
                        "name": variable.name,
                        "type": variable.type.mangledName ?? cType(variable.name),
                        "pieces": variable.location.pieces.map(json),
                    ] as [String: Any]
                },
            ])
        }
        let base = "\(CompiledProgram.folder)/\(UUID().uuidString)"
        let job: [String: Any] = [
            "plan": plan, "output": base + ".txt", "result": base + ".json",
            "program": program.path,
        ]
        try JSONSerialization.data(withJSONObject: job)
            .write(to: URL(fileURLWithPath: base + ".job"))
        try script.write(toFile: base + ".py", atomically: true, encoding: .utf8)
        _ = try #require(
            CompiledProgram.run(
                "env",
                [
                    "SONDE_JOB=\(base).job", "timeout", "100", "gdb", "-nx", "-batch", "-q", "-x",
                    base + ".py", program.path,
                ]))
        let stops = try JSONDecoder().decode(
            [Stop].self, from: Data(contentsOf: URL(fileURLWithPath: base + ".json")))
        return (stops, try String(contentsOfFile: base + ".txt", encoding: .utf8))
    }

    /// How the values of the C program are to be read; layouts are not this test's subject.
    private static func cType(_ name: String) -> String {
        switch name {
        case "tag": "unsigned"
        case "rate": "double"
        default: "signed"
        }
    }

    private static func json(_ piece: LocationPiece) -> [String: Any] {
        var result: [String: Any] = ["size": piece.sizeBytes]
        switch piece.source {
        case .register(let number): result["register"] = Int(number)
        case .vector(let number): result["vector"] = Int(number)
        case .memory(let expression): result["memory"] = expression.operations.map(json)
        case .value(let expression): result["value"] = expression.operations.map(json)
        case .implicit(let bytes): result["bytes"] = bytes.map { Int($0) }
        case .missing(let reason): result["missing"] = reason
        }
        return result
    }

    private static func json(_ operation: AddressExpression.Operation) -> [Any] {
        switch operation {
        case .register(let number, let plus): ["register", Int(number), plus]
        case .constant(let number): ["constant", number]
        case .imageAddress(let address): ["image", address.rawValue]
        case .load(let bytes): ["load", Int(bytes)]
        case .plusConstant(let constant): ["plus", constant]
        default: ["\(operation)"]
        }
    }

    /// Runs inside gdb: evaluates locations from its own registers and memory.
    private static let script = """
        import gdb, json, os, struct
        job = json.load(open(os.environ["SONDE_JOB"]))
        MASK = (1 << 64) - 1
        NAMES = "rax rdx rcx rbx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15".split()
        gdb.execute("set pagination off")
        gdb.execute("set confirm off")
        gdb.execute("set debuginfod enabled off")
        gdb.execute("set env SWIFT_BACKTRACE=enable=no")
        gdb.execute("starti > " + job["output"])
        program = os.path.realpath(job["program"])
        base = None
        for line in gdb.execute("info proc mappings", to_string=True).splitlines():
            parts = line.split()
            if parts and parts[-1] == program:
                base = int(parts[0], 16)
                break
        isPIE = b"DYN" in os.popen("readelf -h " + program).read().encode()
        bias = base if isPIE else 0
        def memory(address, size):
            return bytes(gdb.selected_inferior().read_memory(address & MASK, size))
        def register(number):
            return int(gdb.selected_frame().read_register(NAMES[number])) & MASK
        def signed(value):
            return value - (1 << 64) if value >> 63 else value
        def evaluate(operations):
            stack = []
            for operation in operations:
                kind = operation[0]
                if kind == "register": stack.append((register(operation[1]) + operation[2]) & MASK)
                elif kind == "constant": stack.append(operation[1])
                elif kind == "image": stack.append((operation[1] + bias) & MASK)
                elif kind == "load":
                    stack.append(int.from_bytes(memory(stack.pop(), operation[1]), "little"))
                elif kind == "plus": stack.append((stack.pop() + operation[1]) & MASK)
                elif kind == "neg": stack.append(-stack.pop() & MASK)
                elif kind == "not": stack.append(~stack.pop() & MASK)
                else:
                    right, left = stack.pop(), stack.pop()
                    stack.append({
                        "add": lambda: left + right, "sub": lambda: left - right,
                        "mul": lambda: left * right, "and": lambda: left & right,
                        "or": lambda: left | right, "xor": lambda: left ^ right,
                        "shl": lambda: left << right if right < 64 else 0,
                        "shrU": lambda: left >> right if right < 64 else 0,
                        "shrS": lambda: signed(left) >> min(right, 63),
                        "divS": lambda: int(signed(left) / signed(right)),
                        "remU": lambda: left % right, "eq": lambda: int(left == right),
                        "ne": lambda: int(left != right),
                        "ltS": lambda: int(signed(left) < signed(right)),
                        "leS": lambda: int(signed(left) <= signed(right)),
                    }[kind]() & MASK)
            assert len(stack) == 1
            return stack[0]
        def piece(p):
            size = p["size"] or 8
            if "register" in p: return register(p["register"]).to_bytes(8, "little")[:size]
            if "memory" in p: return memory(evaluate(p["memory"]), size)
            if "value" in p: return evaluate(p["value"]).to_bytes(8, "little")[:size]
            if "bytes" in p: return bytes(p["bytes"][:size])
            value = gdb.selected_frame().read_register("xmm%d" % p["vector"])["v2_int64"]
            return b"".join((int(value[i]) & MASK).to_bytes(8, "little") for i in (0, 1))[:size]
        def text(raw):
            low, high = struct.unpack("<QQ", raw)
            if (high >> 56) & 0xE0 in (0xE0, 0xA0):
                return raw[:(high >> 56) & 15].decode()
            size = low & 0xFFFFFFFFFFFF
            assert size < 1000, "no string"
            return memory((high & 0x0FFFFFFFFFFFFFFF) + 32, size).decode()
        def shown(variable):
            raw = b"".join(piece(p) for p in variable["pieces"])
            kind = variable["type"]
            if kind == "$sSSD": return text(raw)
            if kind in ("$sSdD", "double"): return repr(struct.unpack("<d", raw)[0])
            if kind == "unsigned": return str(int.from_bytes(raw, "little"))
            if kind == "$sSbD": return "true" if raw[0] & 1 else "false"
            if kind.endswith("CD"):
                object = int.from_bytes(raw, "little")
                return str(int.from_bytes(memory(object + 16, 8), "little", signed=True))
            if kind == "$sSiSgD": return "nil" if raw[8] & 1 else str(struct.unpack("<q", raw[:8])[0])
            if kind in ("$sSiD", "signed"):
                return str(int.from_bytes(raw, "little", signed=True))
            layout = {"$s4main5MixedVD": "<B7xq?7xd", "$s4main6NarrowVD": "<i4xq",
                      "$ss4Int8V_SitD": "<b7xq"}.get(kind)
            if layout: return " ".join(str(part) for part in struct.unpack(layout, raw))
            return "0x" + raw.hex()
        stops = []
        at = {}
        for index, place in enumerate(job["plan"]):
            gdb.execute("break *%d" % (place["address"] + bias), to_string=True)
            at.setdefault((place["address"] + bias) & MASK, []).append(index)
        while len(stops) < 5000:
            gdb.execute("continue", to_string=True)
            if not gdb.selected_inferior().pid: break
            for index in at.get(int(gdb.selected_frame().pc()) & MASK, []):
                values = {}
                for variable in job["plan"][index]["variables"]:
                    try: values[variable["name"]] = shown(variable)
                    except Exception as problem: values[variable["name"]] = "! %s" % problem
                stops.append({"place": index, "values": values})
        json.dump(stops, open(job["result"], "w"))
        """
}
