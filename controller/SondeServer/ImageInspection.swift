// SPDX-License-Identifier: Apache-2.0
// What SondeSymbols finds in an uploaded file, in the API's words.

internal import SondeAPI
internal import SondeModel

struct AddressNames: SymbolResolver {
    func frames(image: ImageID, offset: FileOffset) -> [Frame] {
        [
            Frame(
                name: "\(image.name)+0x\(String(offset.rawValue, radix: 16))", module: image.name,
                kind: .unresolved)
        ]
    }
}

enum ImageInspection {
    @Sendable static func facts(_ path: String) throws(APIError) -> ImageFacts {
        throw APIError(.unimplemented, "cannot take images yet")
    }
}
