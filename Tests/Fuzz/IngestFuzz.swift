// SPDX-License-Identifier: Apache-2.0
// Fuzzes what /ingest is asked with: names, times, forms.

import SondeAPI
import SondeModel

/// Reads a text as an application's name and as a time.
enum IngestNameFuzz {
    static let target = FuzzTarget(
        test: { data, size in
            check(String(decoding: bytes(data, size), as: UTF8.self))
            return 0
        },
        seeds: {
            [
                #"shop.api{region=eu,host="a, b"}"#, "app.cpu{__session_id__=ab, k = v }", "app{}",
                "now-1h30min", "1769871600123456789", "20240229", "midnight+2w3d",
            ].map { Array($0.utf8) }
        })

    static func check(_ text: String) {
        do throws(APIError) {
            let name = try ApplicationName(text)
            precondition(!name.application.isEmpty, "BUG: an application without a name")
            let names = Set(name.labels.map(\.name))
            precondition(names.count == name.labels.count, "BUG: a label stands twice")
        } catch {
            precondition(error.message.hasPrefix("cannot "), "BUG: \(error.message)")
        }
        let now = Timestamp(unixNanoseconds: 1_769_871_600_000_000_000)
        let time = AttimeExpression.time(text, now: now)
        precondition(time == AttimeExpression.time(text, now: now), "BUG: a time that changes")
        _ = TenantScope.names(in: text)
    }
}

/// Takes a form apart, whose boundary is the input's first line.
enum MultipartFuzz {
    static let target = FuzzTarget(
        test: { data, size in
            check(bytes(data, size))
            return 0
        },
        seeds: {
            [
                "boundary=xyz\n--xyz\r\nContent-Disposition: form-data; name=\"profile\"; "
                    + "filename=\"p\"\r\n\r\none\r\n--xyz\r\n\r\n\r\n--xyz--\r\n",
                "boundary=\"a b\"\n--a b\ncontent-disposition:x;name=y\n\nz\n--a b--",
            ].map { Array($0.utf8) }
        })

    static func check(_ input: [UInt8]) {
        let line = input.prefix { $0 != 10 }
        let body = Array(input.dropFirst(line.count + 1))
        let type = "multipart/form-data; " + String(decoding: line, as: UTF8.self)
        do throws(MultipartError) {
            let form = try MultipartForm(body, contentType: type)
            precondition(form.parts.count <= MultipartForm.partLimit, "BUG: too many parts")
            let bytes = form.parts.reduce(0) { $0 + $1.content.count }
            precondition(bytes <= body.count, "BUG: more came out than went in")
        } catch {
            precondition(error.description.hasPrefix("cannot "), "BUG: \(error.description)")
        }
    }
}
