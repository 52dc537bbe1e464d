import SnapcatFormat
import SnapcatTestSupport
import Testing

@testable import SnapcatCatalog

@Suite struct EntryVersionTests {
    @Test func `The columns of a version spell its line, byte for byte`() throws {
        var random = SeededRandom()
        var (quick, others) = (0, 0)
        for round in 0..<8000 {
            let line = random.snapshotLine(round)
            line.withUnsafeBytes { bytes in
                guard let fields = try? EntryFields(bytes) else { return }
                var scratch: [UInt8] = []
                guard let name = fields.withName(of: bytes, scratch: &scratch, { Array($0) }) else { return }
                let version = EntryVersion(line: bytes, fields: fields, name: name, scratch: &scratch)
                #expect(version.line(name: name) == line, "\(String(decoding: line, as: UTF8.self)), \(random.label)")
                if fields.hasOwnSpelling { quick += 1 } else { others += 1 }
            }
        }
        #expect(quick > 1000 && others > 1000, "\(quick) and \(others), \(random.label)")
    }
}
