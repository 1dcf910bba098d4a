// SPDX-License-Identifier: Apache-2.0
// How a store's failure is told to whoever asked.

package import SondeStore

extension APIError {
    /// The error that tells of a store's failure.
    package init(_ error: StoreError) {
        let code: Code =
            switch error.code {
            case .diskFull, .inputOutput, .cannotOpen: .unavailable
            case .corrupt: .internalError
            case .notFound: .notFound
            case .alreadyExists: .alreadyExists
            case .rejected: .invalidArgument
            case .tooLarge: .tooLarge
            case .exhausted: .resourceExhausted
            case .cancelled: .canceled
            }
        self.init(code, error.message)
    }

    /// Asks a store, whose failure becomes the request's.
    ///
    /// - Parameter body: What to ask.
    /// - Throws: ``APIError`` that tells of the store's failure.
    /// - Returns: The store's answer.
    static func ofStore<Answer>(
        _ body: () throws(StoreError) -> Answer
    ) throws(APIError) -> Answer {
        do throws(StoreError) { return try body() } catch { throw APIError(error) }
    }
}
