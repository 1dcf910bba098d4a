// SPDX-License-Identifier: Apache-2.0
// Reading the address to listen on.

import SondeServer
import Testing

@Suite struct ListenAddressTests {
    @Test(
        arguments: [
            ("127.0.0.1:4040", "127.0.0.1", 4040), ("localhost", "localhost", 4040),
            ("[::1]:9", "::1", 9), ("[::]", "::", 4040), (":80", "", 80),
            ("0.0.0.0:0", "0.0.0.0", 0),
        ] as [(String, String, UInt16)])
    func addressesAreRead(_ text: String, _ host: String, _ port: UInt16) throws {
        #expect(try ListenAddress(parsing: text) == ListenAddress(host: host, port: port))
    }

    @Test(arguments: ["", "a:b", "1.2.3.4:99999", "[::1", "[::1]9", "::1", "http://a:1", "a b:1"])
    func whatIsNoAddressIsRefused(_ text: String) {
        let error = #expect(throws: ServerError.self) { try ListenAddress(parsing: text) }
        #expect(error?.code == .badConfiguration)
    }
}
