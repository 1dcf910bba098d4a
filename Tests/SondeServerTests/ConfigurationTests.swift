// SPDX-License-Identifier: Apache-2.0
// Configuration files: every key, and what is wrong said with its line.

import Foundation
import SondeAPI
import SondeServer
import Testing

@Suite struct ConfigurationTests {
    @Test func everyKeyIsTaken() throws {
        let configuration = try read(
            """
            # A whole configuration.
            listen: 0.0.0.0:4041
            data: /srv/sonde
            tls:
              certificate: /etc/sonde/cert.pem
              key: /etc/sonde/key.pem
            insecure: false
            require_token: true
            allowed_hosts: [sonde.example, Other.Example]
            retention_days: 7
            retention_bytes: 20GiB
            retention_rules: ['{service_name="a b"} 3', '{__name__="memory"} 14']
            accepted_days: 2
            log_level: debug
            limits:
              push_bytes: 32MiB
              profile_bytes: 1048576
              image_bytes: 1 GiB
              labels: 20
              stack_depth: 500
              connections: 100
              head_bytes: 64KiB
            timeouts:
              head_seconds: 10
              transfer_seconds: 20
              stop_seconds: 3
            worker_threads: 8
            """)
        #expect(configuration.listen == "0.0.0.0:4041")
        #expect(configuration.dataFolder == "/srv/sonde")
        #expect(configuration.tlsCertificate == "/etc/sonde/cert.pem")
        #expect(configuration.tlsKey == "/etc/sonde/key.pem")
        #expect(configuration.requiresToken == true)
        #expect(configuration.allowedHosts == ["sonde.example", "other.example"])
        #expect(configuration.retentionDays == 7)
        #expect(configuration.retentionBytes == 20 << 30)
        #expect(
            configuration.retentionRules.map(\.selector)
                == ["{service_name=\"a b\"}", "{__name__=\"memory\"}"])
        #expect(configuration.retentionRules.map(\.days) == [3, 14])
        #expect(configuration.acceptedDays == 2)
        #expect(configuration.logLevel == .debug)
        #expect(configuration.limits.pushBytes == 32 << 20)
        #expect(configuration.limits.tenant.profileBytes == 1 << 20)
        #expect(configuration.limits.imageBytes == 1 << 30)
        #expect(configuration.limits.tenant.labels == 20)
        #expect(configuration.limits.tenant.stackDepth == 500)
        #expect(configuration.maximumConnections == 100)
        #expect(configuration.maximumHeadBytes == 64 << 10)
        #expect(configuration.headSeconds == 10)
        #expect(configuration.transferSeconds == 20)
        #expect(configuration.stopSeconds == 3)
        #expect(configuration.workerThreads == 8)
    }

    @Test func tenantsAndTheirLimitsAreTaken() throws {
        let configuration = try read(
            """
            tenancy: true
            limits:
              series: 5000
              profile_bytes_per_second: 4MiB
              profile_past_seconds: 3600
            tenants:
              night:
                labels: 30
                profile_burst_bytes: 2MiB
              team.a:
                series: 7
            """)
        #expect(configuration.hasTenants)
        #expect(configuration.limits.tenant.series == 5000)
        #expect(configuration.limits.tenant.bytesPerSecond == 4 << 20)
        #expect(configuration.limits.tenant.pastSeconds == 3600)
        #expect(
            configuration.tenantLimits == [
                "night": ["labels": 30, "profile_burst_bytes": 2 << 20], "team.a": ["series": 7],
            ])
    }

    @Test(arguments: ["", "# nothing\n", "---\n", "retention_days: forever\n"])
    func whatIsNotSaidStaysAsItIs(_ text: String) throws {
        #expect(try read(text).listen == "127.0.0.1:4040")
    }

    @Test(arguments: [
        ("listn: x", "line 1", "\"listen\"?"),
        ("\n\nretention: 3", "line 3", "\"retention_days\"?"),
        ("limits:\n  push_byte: 1", "line 2", "\"limits.push_bytes\"?"),
        ("completely_unlike_anything_known: 1", "line 1", "one of listen, data"),
        ("retention_days: 0", "line 1", "want 1...36500 or forever"),
        ("retention_bytes: few", "line 1", "want bytes, such as 200GiB, or unlimited"),
        ("retention_rules: ['{a=} 3']", "line 1", "want a list of selectors and days"),
        ("retention_rules: ['{}']", "line 1", "want a list of selectors and days"),
        ("log_level: loud", "line 1", "want debug, info, warn or error"),
        ("limits:\n  push_bytes: many", "line 2", "want bytes"),
        ("insecure: perhaps", "line 1", "want true or false"),
        ("listen: a\nlisten: b", "line 2", "first in line 1"),
        ("- a\n- b", "line 1", "want key: value"), ("listen: [a", "line ", "malformed"),
        ("listen: {a: b}", "line 1", "unknown key \"listen.a\""),
        ("a: &x 1\nlisten: *x", "line 2", "alias"), ("\tlisten: a", "line 1", "malformed"),
        ("tenants:\n  night:\n    colors: 1", "line 3", "unknown key \"tenants.night.colors\""),
        ("tenants:\n  a b:\n    series: 1", "line 3", "unknown key"),
        ("tenants:\n  night:\n    series: 0", "line 3", "want 1..."),
        ("limits:\n  series: many", "line 2", "want 1..."),
        ("tenancy: 3", "line 1", "want true or false"),
        ("? [a]\n: b", "line 1", "key that is no text"),
    ])
    func whatIsWrongIsSaidWithItsLine(_ text: String, _ line: String, _ words: String) {
        let error = #expect(throws: ServerError.self) { try read(text) }
        #expect(error?.code == .badConfiguration)
        #expect(error?.message.contains(line) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test func aFileThatIsNotThereIsTold() {
        var configuration = ServerConfiguration(dataFolder: "/x")
        let error = #expect(throws: ServerError.self) {
            try ConfigurationFile.read("/nowhere/sonde.yaml", into: &configuration)
        }
        #expect(error?.message.contains("/nowhere/sonde.yaml") == true)
    }

    @Test func deepNestingIsRefused() {
        let text = (0..<1000).map { String(repeating: " ", count: $0) + "a:\n" }.joined()
        #expect(throws: ServerError.self) { try read(text) }
    }

    private func read(_ text: String) throws -> ServerConfiguration {
        let file = NSTemporaryDirectory() + "sonde-\(UUID().uuidString).yaml"
        defer { try? FileManager.default.removeItem(atPath: file) }
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        var configuration = ServerConfiguration(dataFolder: "/var/lib/sonde")
        try ConfigurationFile.read(file, into: &configuration)
        return configuration
    }
}
