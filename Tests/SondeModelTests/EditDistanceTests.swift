// SPDX-License-Identifier: Apache-2.0
// How far names are from each other.

import SondeModel
import Testing

struct EditDistanceTests {
    @Test(arguments: [
        ("", "", 0), ("", "abc", 3), ("flame", "flame", 0), ("flmae", "flame", 1),
        ("flam", "flame", 1), ("fleme", "flame", 1), ("kitten", "sitting", 3), ("ab", "ba", 1),
        ("Cart", "cart", 1), ("é", "e", 2),
    ])
    func oneOfTheFourChangesIsOne(left: String, right: String, distance: Int) {
        #expect(EditDistance.between(left, right) == distance)
        #expect(EditDistance.between(right, left) == distance)
    }

    @Test func theCaseOfLettersCanBeIgnored() {
        #expect(EditDistance.between("CartItem", "cartitem", ignoringCase: true) == 0)
        #expect(EditDistance.between("[", "{", ignoringCase: true) == 1)
    }

    @Test func whatIsTooLongIsCut() {
        let long = String(repeating: "a", count: EditDistance.longestName)
        #expect(EditDistance.between(long + "xyz", long + "123") == 0)
        #expect(EditDistance.between(long, "") == EditDistance.longestName)
    }
}
