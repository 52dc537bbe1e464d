import SnapcatPlatform
import SnapcatTestSupport
import SystemPackage
import Testing

/// Trees that are deeper or wider than the limits of a process: all is in the snapshot, and nothing is told.
@Suite struct LargeTreeTests {
    /// A file on the way down and one on the way up of each folder, so that closed folders are needed again.
    @Test func aTreeDeeperThanTheLimitOfOpenFilesIsSnapshotted() async throws {
        let folder = try TempFolder()
        let depth = 300
        var path = "source"
        for level in 0..<depth {
            try folder.write(path + "/a", Array("down \(level)".utf8))
            try folder.write(path + "/z", Array("up \(level)".utf8))
            path += "/d"
        }
        let make = ["make", folder.path + "/source", "--repo", folder.path + "/repo", "--format", "json"]
        let first = try await SnapcatProcess.run(make, mostOpenFiles: 256)
        #expect(first.status == 0 && first.stderr.contains("warning") == false, "\(first.stderr)")
        #expect(first.text.contains(#""files": \#(2 * depth)"#), "\(first.text)")
        let second = try await SnapcatProcess.run(make, mostOpenFiles: 256)
        #expect(second.status == 0 && second.text.contains(#""is_unchanged": true"#), "\(second.text)")
    }

    /// Each of them holds its folder open until it has been read.
    @Test func aNewFileInEachOfManyFoldersIsReadWithFewOpenFiles() async throws {
        let folder = try TempFolder()
        for number in 0..<400 { try folder.write("source/\(number)/file", Array("\(number)".utf8)) }
        let result = try await SnapcatProcess.run(
            ["make", folder.path + "/source", "--repo", folder.path + "/repo", "--format", "json"], mostOpenFiles: 256)
        #expect(result.status == 0 && result.text.contains(#""new_objects": 400"#), "\(result.text) \(result.stderr)")
    }
}
