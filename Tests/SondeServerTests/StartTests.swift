// SPDX-License-Identifier: Apache-2.0
// A controller that cannot start says in one sentence why, and what to do.

import Foundation
import SondeAPI
import SondeHTTPClient
import SondeServer
import Testing

extension ListenerSuites {
    @Suite struct StartTests {
        @Test func aTakenPortIsToldWithWhoHasIt() throws {
            let first = try RunningServer()
            let folder = NSTemporaryDirectory() + "sonde-server-\(UUID().uuidString)"
            defer { try? FileManager.default.removeItem(atPath: folder) }
            var configuration = ServerConfiguration(dataFolder: folder)
            configuration.listen = "127.0.0.1:\(first.address.port)"
            let second = try ControllerServer(configuration, log: Log(level: .error) { _ in })
            let error = #expect(throws: ServerError.self) { try second.start() }
            #expect(error?.code == .cannotListen)
            #expect(
                error?.message.contains("pid \(ProcessInfo.processInfo.processIdentifier)") == true)
        }

        @Test func aDataFolderOfSomebodyElseIsTold() throws {
            let first = try RunningServer()
            let error = #expect(throws: ServerError.self) {
                var configuration = ServerConfiguration(dataFolder: first.folder)
                configuration.listen = "127.0.0.1:0"
                _ = try ControllerServer(configuration, log: Log(level: .error) { _ in })
            }
            #expect(error?.code == .dataFolder)
            #expect(error?.message.contains(first.folder) == true)
            let nowhere = #expect(throws: ServerError.self) {
                _ = try ControllerServer(ServerConfiguration(dataFolder: "/proc/nowhere"))
            }
            #expect(nowhere?.code == .dataFolder)
        }

        @Test func anOpenAddressNeedsTokensOrTheWord() throws {
            let refused = #expect(throws: ServerError.self) {
                _ = try RunningServer { $0.listen = "0.0.0.0:0" }
            }
            #expect(refused?.message.contains("sonde token create") == true)
            let open = #expect(throws: ServerError.self) {
                _ = try RunningServer {
                    $0.listen = "[::]:0"
                    $0.requiresToken = false
                }
            }
            #expect(open?.message.contains("--insecure") == true)
            let insecure = try RunningServer {
                $0.listen = "0.0.0.0:0"
                $0.isInsecure = true
            }
            #expect(try insecure.answers())
            #expect(insecure.log.text.contains("no TLS"))
        }

        @Test func certificatesThatCannotBeUsedAreTold() throws {
            let folder = NSTemporaryDirectory() + "sonde-tls-\(UUID().uuidString)"
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let text = folder + "/text.pem"
            try "hello".write(toFile: text, atomically: true, encoding: .utf8)
            let broken = folder + "/broken.pem"
            try "-----BEGIN CERTIFICATE-----\nAAAA\n-----BEGIN PRIVATE KEY-----\n".write(
                toFile: broken, atomically: true, encoding: .utf8)
            for (certificate, key, code) in [
                (folder + "/none.pem", text, ServerError.Code.badCertificate),
                (text, text, .badCertificate), (broken, broken, .badCertificate),
                (text, nil, .badConfiguration),
            ] as [(String, String?, ServerError.Code)] {
                let error = #expect(throws: ServerError.self) {
                    _ = try RunningServer {
                        $0.tlsCertificate = certificate
                        $0.tlsKey = key
                    }
                }
                #expect(error?.code == code, "\(error?.message ?? "")")
            }
        }

        @Test(
            .enabled(
                if: FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl"),
                "needs openssl"))
        func httpsIsServedWithACertificateOfOnesOwn() throws {
            let folder = NSTemporaryDirectory() + "sonde-tls-\(UUID().uuidString)"
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let openssl = Process()
            openssl.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
            openssl.arguments = [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-keyout", folder + "/key.pem", "-out", folder + "/cert.pem", "-days", "2", "-subj",
                "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
            ]
            openssl.standardError = FileHandle.nullDevice
            try openssl.run()
            openssl.waitUntilExit()
            let server = try RunningServer {
                $0.tlsCertificate = folder + "/cert.pem"
                $0.tlsKey = folder + "/key.pem"
            }
            #expect(server.address.url.hasPrefix("https://127.0.0.1:"))
            let trusting = try HTTPClient(
                HTTPClientConfiguration(
                    baseURL: server.address.url, certificateAuthorityFile: folder + "/cert.pem",
                    userAgent: "sonde-tests"))
            for _ in 0..<3 {
                #expect(try trusting.send(HTTPClientRequest(target: "/ready")).status == 200)
            }
            let doubting = try HTTPClient(
                HTTPClientConfiguration(baseURL: server.address.url, userAgent: "sonde-tests"))
            #expect(throws: HTTPClientError.self) {
                try doubting.send(HTTPClientRequest(target: "/ready"))
            }
            let plain = try server.connect()
            plain.send("GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(plain.isClosed())
            #expect(try trusting.send(HTTPClientRequest(target: "/ready")).status == 200)
        }
    }
}
