// SPDX-License-Identifier: Apache-2.0
// The controller's answers, as docs/http-api.md describes them; fields that no command shows are left out.

/// `GET /api/v1/services`.
package struct ServicesAnswer: Decodable, Sendable {
    package var services: [Service]

    package struct Service: Decodable, Sendable {
        package var name: String
        package var profileTypes: [Kind]
        package var agents: Int
    }

    package struct Kind: Decodable, Sendable {
        package var id: String
        package var name: String
        package var unit: String
    }
}

/// `GET /api/v1/agents`.
package struct AgentsAnswer: Decodable, Sendable {
    package var agents: [Agent]

    package struct Agent: Decodable, Sendable {
        package var service: String
        package var instance: String
        package var version: String
        package var host: String
        package var pid: UInt64
        package var state: String
        package var lastSeenMs: Int64
        package var problems: [String]
        package var cpu: Sampler
        package var ownCPUPercent: Double?
        package var ownMemoryBytes: Int64?
        package var threads: Int64?
        package var losses: [String: UInt64]
        package var missingDebugInfo: [String]
    }

    package struct Sampler: Decodable, Sendable {
        package var enabled: Bool
        package var hertz: Double
        package var desired: Setting?
    }

    package struct Setting: Decodable, Sendable, Equatable {
        package var enabled: Bool
        package var hertz: Double
    }
}

/// `PATCH /api/v1/agents`.
package struct AgentsSetAnswer: Decodable, Sendable {
    package var instances: [String]
}

/// `GET /api/v1/top`.
package struct TopAnswer: Decodable, Sendable {
    package var type: String
    package var unit: String
    package var total: Int64
    package var profiles: Int
    package var functions: [Function]
    package var notes: [String]

    package struct Function: Decodable, Sendable {
        package var name: String
        package var file: String
        package var line: Int
        package var module: String
        package var kind: Int
        package var `self`: Int64
        package var total: Int64
    }
}

/// `GET /api/v1/flame` as JSON.
package struct FlameAnswer: Decodable, Sendable {
    package var type: String
    package var unit: String
    package var from: Int64
    package var until: Int64
    package var profiles: Int
    package var total: Int64
    package var unresolved: Int64
    package var strings: [String]
    package var frames: Frames
    package var nodes: Nodes
    package var notes: [String]

    package struct Frames: Decodable, Sendable {
        package var name: [Int]
        package var module: [Int]
        package var kind: [Int]
    }

    package struct Nodes: Decodable, Sendable {
        package var parent: [Int]
        package var frame: [Int]
        package var `self`: [Int64]
        package var total: [Int64]
    }
}

/// `GET /api/v1/diff`.
package struct DiffAnswer: Decodable, Sendable {
    package var unit: String
    package var left: Side
    package var right: Side
    package var strings: [String]
    package var frames: FlameAnswer.Frames
    package var nodes: Nodes
    package var notes: [String]

    package struct Side: Decodable, Sendable {
        package var from: Int64
        package var until: Int64
        package var profiles: Int
        package var total: Int64
    }

    package struct Nodes: Decodable, Sendable {
        package var parent: [Int]
        package var frame: [Int]
        package var leftSelf: [Int64]
        package var leftTotal: [Int64]
        package var rightSelf: [Int64]
        package var rightTotal: [Int64]
    }
}

/// `GET /api/v1/timeline`.
package struct TimelineAnswer: Decodable, Sendable {
    package var points: [[Int64]]
}

/// `GET /api/v1/debuginfo`.
package struct DebugInfoAnswer: Decodable, Sendable {
    package var images: [Image]

    package struct Image: Decodable, Sendable {
        package var buildID: String
        package var name: String
        package var sizeBytes: Int64
        package var hasDebugInfo: Bool
        package var hasSymbols: Bool
        package var receivedMs: Int64
    }
}

/// `GET /api/v1/tokens`.
package struct TokensAnswer: Decodable, Sendable {
    package var tokens: [Token]

    package struct Token: Decodable, Sendable {
        package var id: String
        package var name: String
        package var role: String
        package var createdMs: Int64?
        package var expiresMs: Int64?
        package var lastUsedMs: Int64?
    }
}

/// `POST /api/v1/tokens`.
package struct NewTokenAnswer: Decodable, Sendable {
    package var id: String
    package var token: String
}

/// `GET /api/v1/limits`.
package struct LimitsAnswer: Decodable, Sendable {
    package var tenancy: Bool
    package var limits: [String: Int64]
    package var set: [String: Int64]
    package var tenants: [Tenant]

    package struct Tenant: Decodable, Sendable {
        package var tenant: String
        package var limits: [String: Int64]
        package var set: [String: Int64]
        package var series: Int64
        package var profiles: UInt64
        package var profileBytes: UInt64
        package var refused: [String: UInt64]
    }
}
