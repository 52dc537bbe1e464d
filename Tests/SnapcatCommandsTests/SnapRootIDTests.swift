import Foundation
import SnapcatTestSupport
import Testing

/// Snap roots of one heap that have had one place: gc takes nothing that any of them names.
@Suite struct SnapRootIDTests {
    private let folder: TempFolder
    private var heap: String { folder.path + "/heap" }
    private var place: String { folder.path + "/disk" }
    private let manager = FileManager.default

    init() throws { folder = try TempFolder() }

    private func make(_ text: String, at root: String) async throws {
        try folder.write("source/a", Array(text.utf8))
        _ = try await SnapcatProcess.succeed(["make", folder.path + "/source", "--snap-root", root, "--heap-root", heap])
    }

    private func gc(_ root: String, _ arguments: String...) async throws -> SnapcatProcess.Result {
        try await SnapcatProcess.run(["gc", "--grace", "0s", "--heap-root", heap, "--snap-root", root] + arguments)
    }

    private func holds(_ text: String) -> Bool {
        let md5 = RetentionSandbox.md5(text)
        return manager.fileExists(atPath: "\(heap)/\(md5.prefix(2))/\(md5).gz")
    }

    private func id(_ root: String) throws -> String { try String(contentsOfFile: root + "/.snapcat-root", encoding: .utf8) }

    private func notes() throws -> [String] {
        try manager.contentsOfDirectory(atPath: heap).filter { $0.hasPrefix(".snap-root-") }.map { heap + "/" + $0 }
    }

    /// Two disks that are mounted in turn, or the same folder of two machines.
    private func twoInOnePlace() async throws -> (away: String, id: String) {
        let away = folder.path + "/away"
        try await make("first\n", at: place)
        let first = try id(place)
        try manager.moveItem(atPath: place, toPath: away)
        try await make("second\n", at: place)
        return (away, first)
    }

    @Test func anotherSnapRootInThePlaceOfOneIsNotTakenForIt() async throws {
        let (away, first) = try await twoInOnePlace()
        for options in [[], ["--allow-empty"], ["--dry-run"]] {
            let result = try await SnapcatProcess.run(["gc", "--grace", "0s", "--heap-root", heap, "--snap-root", place] + options)
            #expect(result.status == 2 && result.lines("error").count == 1, "\(result.stderr)")
            #expect(result.stderr.contains("'\(place)'") && result.stderr.contains(first) && result.stderr.contains(ProcessInfo.processInfo.hostName))
        }
        #expect(holds("first\n") && holds("second\n"))
        // It need not be there for what takes no objects away.
        try await make("third\n", at: place)
        #expect(try await SnapcatProcess.run(["forget", "oldest", "--snap-root", place, "--heap-root", heap]).status == 0)
        let repair = try await SnapcatProcess.run(["repair", "--snap-root", place, "--heap-root", heap])
        #expect(repair.status == 0 && repair.stderr.contains("'\(place)'"), "\(repair.stderr)")
        // Wherever it is mounted, in either order; and from there it is not noted.
        for (one, other) in [(place, away), (away, place)] {
            let result = try await gc(one, "--snap-root", other)
            #expect(result.status == 0, "\(result.stderr)")
            #expect(holds("first\n") && holds("third\n") && !holds("second\n"))
        }
        #expect(try await gc(place).status == 2)
    }

    @Test func theOneThatIsGoneIsDroppedByItsPlaceOrItsID_andTheOtherStays() async throws {
        for byID in [false, true] {
            let other = try Self()
            let (away, first) = try await other.twoInOnePlace()
            try other.manager.removeItem(atPath: away)
            #expect(try await other.gc(other.place, "--drop-snap-root", try other.id(other.place)).status == 2)
            let result = try await other.gc(other.place, "--drop-snap-root", byID ? first : other.place)
            #expect(result.status == 0, "\(result.stderr)")
            #expect(!other.holds("first\n") && other.holds("second\n"))
            #expect(try await other.gc(other.place).status == 0)
            #expect(try other.notes().count == 1)
        }
    }

    @Test func whereSeveralHadThePlaceTheOneMustBeNamed() async throws {
        let (_, first) = try await twoInOnePlace()
        try manager.moveItem(atPath: place, toPath: folder.path + "/away-too")
        try await make("third\n", at: place)
        let result = try await gc(place, "--drop-snap-root", place)
        #expect(result.status == 64 && result.stderr.contains(first), "\(result.stderr)")
        #expect(holds("first\n") && holds("second\n"))
    }

    @Test func aCopyOfAWholeSnapRootDoesNotStandForIt() async throws {
        try await make("first\n", at: place)
        let copy = folder.path + "/copy"
        try manager.copyItem(atPath: place, toPath: copy)
        try await make("of the copy\n", at: copy)
        try await make("of the first\n", at: place)
        #expect(try id(place) == id(copy))
        #expect(try await gc(place).status == 0)
        #expect(holds("of the copy\n") && holds("of the first\n"))
        // Neither where the place of one of them is empty, or another's.
        let away = folder.path + "/away"
        try manager.moveItem(atPath: place, toPath: away)
        #expect(try await gc(copy).status == 2)
        try await make("another\n", at: place)
        for root in [copy, place] { #expect(try await gc(root).status == 2) }
        #expect(holds("of the copy\n") && holds("of the first\n"))
    }

    @Test func aSnapRootWithoutAnIDIsKnownByItsPlace() async throws {
        // A folder where the file must be, as where nothing can be written.
        try manager.createDirectory(atPath: place + "/.snapcat-root", withIntermediateDirectories: true)
        try await make("first\n", at: place)
        #expect(try await gc(place).status == 0)
        #expect(try notes().count == 1 && String(contentsOfFile: notes()[0], encoding: .utf8).contains("id") == false)
        let other = folder.path + "/other"
        try await make("other\n", at: other)
        #expect(try await gc(other).status == 0)
        #expect(holds("first\n"))
        try manager.moveItem(atPath: place, toPath: place + "-away")
        #expect(try await gc(other).status == 2)
    }

    @Test func aDamagedIDTakesNothing() async throws {
        try await make("first\n", at: place)
        let first = try id(place)
        for bytes in ["", "junk", String(repeating: "x", count: 32)] {
            try bytes.write(toFile: place + "/.snapcat-root", atomically: false, encoding: .utf8)
            let result = try await gc(place)
            #expect(result.status == 2 && holds("first\n"), "\(result.stderr)")
        }
        // The next make gives it another one; then the old one can be dropped.
        try await make("second\n", at: place)
        #expect(try await gc(place).status == 2)
        #expect(try await gc(place, "--drop-snap-root", first).status == 0)
        #expect(holds("first\n") && holds("second\n"))
    }
}
