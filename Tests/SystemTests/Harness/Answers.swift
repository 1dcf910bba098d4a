// SPDX-License-Identifier: Apache-2.0
// The controller's and Bookmaker's answers, as far as the tests look at them.

import Foundation

/// `GET /api/v1/top`.
struct TopAnswer: Decodable {
    struct Function: Decodable {
        let name: String
        let file: String
        let line: Int
        let module: String
        let kind: Int
        let `self`: UInt64
        let total: UInt64
    }

    let total: UInt64
    let profiles: Int
    let functions: [Function]
    let notes: [String]

    /// The part of the whole that a function and what it calls take, by the start of its name.
    func share(of name: String) -> Double {
        Double(function(name)?.total ?? 0) / Double(max(1, total))
    }

    /// The largest entry whose name begins so.
    ///
    /// One that was inlined counts only where there is no other: the optimizer makes thunks of the
    /// same name, without a line, inside of the callers of a specialized function.
    func function(_ name: String) -> Function? {
        let found = functions.filter { $0.name.hasPrefix(name) }
        return found.filter { $0.kind != 1 }.max { $0.total < $1.total }
            ?? found.max { $0.total < $1.total }
    }
}

/// `GET /api/v1/flame`, in columns.
struct FlameAnswer: Decodable {
    struct Frames: Decodable {
        let name: [Int]
        let file: [Int]
        let line: [Int]
        let module: [Int]
        let kind: [Int]
    }

    struct Nodes: Decodable {
        let parent: [Int]
        let frame: [Int]
        let `self`: [UInt64]
        let total: [UInt64]
    }

    let profiles: Int
    let total: UInt64
    let unresolved: UInt64
    let strings: [String]
    let frames: Frames
    let nodes: Nodes
    let notes: [String]

    /// A node's name.
    func name(of node: Int) -> String {
        nodes.frame[node] < 0 ? "" : strings[frames.name[nodes.frame[node]]]
    }

    /// The value of nodes with this name that have no other such node above them.
    func total(of name: String) -> UInt64 {
        nodes.total.indices.reduce(0) { sum, node in
            guard self.name(of: node).hasPrefix(name), !hasAncestor(node, named: name) else {
                return sum
            }
            return sum + nodes.total[node]
        }
    }

    /// Whether some node above has this name.
    func hasAncestor(_ node: Int, named name: String) -> Bool {
        var above = nodes.parent[node]
        while above >= 0 {
            if self.name(of: above).hasPrefix(name) { return true }
            above = nodes.parent[above]
        }
        return false
    }
}

/// `GET /api/v1/agents`.
struct AgentsAnswer: Decodable { let agents: [AgentAnswer] }

struct AgentAnswer: Decodable {
    struct Sampler: Decodable {
        let enabled: Bool
        let hertz: Double
        let samples: UInt64
    }

    let service: String
    let instance: String
    let pid: Int
    let state: String
    let notes: [String]
    let problems: [String]
    let cpu: Sampler
    let ownCPUPercent: Double
    let ownMemoryBytes: UInt64
    let threads: Int
    let profilesSent: UInt64
    let losses: [String: UInt64]
    let missingDebugInfo: [String]
}

/// Bookmaker's `GET /debug/cpu`.
struct MeterAnswer: Decodable {
    struct Function: Decodable {
        let name: String
        let cpuNanoseconds: Double
        let calls: Double
    }

    let functions: [Function]
    let processCPUNanoseconds: Double

    /// A function's part of the process's CPU time, as the process measured it.
    func share(of name: String) -> Double {
        let nanoseconds = functions.first { $0.name == name }?.cpuNanoseconds ?? 0
        return nanoseconds / max(1, processCPUNanoseconds)
    }
}

/// Bookmaker's `GET /debug/agent`.
struct StatusAnswer: Decodable {
    let running: Bool
    let controller: String
    let hertz: Double
    let samples: Double
    let profilesSent: Double
    let profilesWaiting: Double
    let losses: [String: Double]
    let problems: [String]
}

/// What `bookmaker-load` prints.
struct LoadAnswer: Decodable {
    let requests: Int
    let perSecond: Double
    let errors: Int
    let errorKinds: [String: Int]
    let p50Milliseconds: Double
    let p99Milliseconds: Double
}
