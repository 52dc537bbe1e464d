import SnapcatCatalog
import SnapcatFormat
import SnapcatTestSupport
import Testing

@testable import Snapcat

/// What a run notes of the objects that it has stored.
struct StoredObjectsTests {
    @Test(arguments: [0, 1, 2, 99, 100, 101, 5000])
    func allComeBackInTheOrderOfTheirNamesHoweverMany(_ count: Int) throws {
        var random = SeededRandom()
        let expected = (0..<count).map { number in
            // Twice the same is no other: two threads may have stored one content.
            let high = number % 7 == 3 ? UInt64.max : UInt64.random(in: .min ... .max, using: &random)
            return StoredObject(md5: MD5Digest(high: high, low: UInt64(number)), storedBytes: Int64(number) << 33)
        }
        let stored = StoredObjects(mostInMemory: 1000, mostInPart: 100)
        for object in expected { stored.append(object) }
        #expect(stored.isComplete, "\(random.label)")
        var found: [StoredObject] = []
        var parts = 0
        try stored.forEachPart { part in
            found += part
            parts += 1
        }
        #expect(parts == count / 100 + 1)
        let order = expected.sorted { $0.md5 < $1.md5 }
        #expect(found.map(\.md5) == order.map(\.md5), "\(random.label)")
        #expect(found.map(\.storedBytes) == order.map(\.storedBytes), "\(random.label)")
    }
}
