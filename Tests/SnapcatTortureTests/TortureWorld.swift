import Foundation
import Snapcat
import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SnapcatTestSupport

/// A source with a history of three snapshots and a present, and its repository in the states that commands meet.
struct TortureWorld: Sendable {
    /// A state of the repository, prepared once and copied for each case.
    enum Sound: String, CaseIterable {
        /// Nothing at all.
        case empty
        /// Three snapshots; `target` is as the source is now.
        case history
        /// Two of them forgotten.
        case forgotten
        /// The same, with what only they name in the heap's trash.
        case trashed
        /// An object damaged, another one in the trash.
        case hurt
        /// The catalog knows the first snapshot only.
        case foreign
        /// No catalog.
        case bare
        /// Half a catalog.
        case spoiled
    }

    let folder: TempFolder
    /// What was snapshotted, by time.
    private(set) var states: [TreeState] = []
    private(set) var stems: [String] = []
    /// The source as it is now.
    private(set) var live = TreeState()

    var source: String { folder.path + "/source" }
    /// The contents of every snapshot, by its name.
    var history: [String: TreeState] { Dictionary(uniqueKeysWithValues: zip(stems, states)) }

    init() async throws {
        folder = try TempFolder()
        let repo = path(.history) + "/repo"
        for version in 0..<3 {
            try edit(version)
            states.append(try TreeState(source))
            let made = try await Repository(folder: repo).make(source)
            guard let name = made.snapshot, !made.hasProblems else { throw SnapcatProcess.Failure(description: "no snapshot: \(made)") }
            stems.append(name.stem)
            if version == 0 { try FileManager.default.copyItem(atPath: repo + "/catalog.sqlite", toPath: folder.path + "/first.sqlite") }
        }
        try edit(3)
        live = try TreeState(source)
        try await Self.copy(source, to: path(.history) + "/target")
        try FileManager.default.createDirectory(atPath: path(.empty), withIntermediateDirectories: true)
        for sound in Sound.allCases.dropFirst(2) {
            try await Self.copy(path(.history), to: path(sound))
            try await change(sound, path(sound) + "/repo")
        }
    }

    func path(_ sound: Sound) -> String { folder.path + "/sound-" + sound.rawValue }

    /// `cp -a`: links stay links, and times what they are.
    static func copy(_ from: String, to: String) async throws {
        let result = try await SnapcatProcess.start("/bin/cp", ["-a", from, to], environment: [:])
        guard result.status == 0 else { throw SnapcatProcess.Failure(description: "cp: \(result.stderr)") }
    }

    private func edit(_ version: Int) throws {
        let manager = FileManager.default
        func write(_ name: String, _ text: String) throws { try folder.write("source/" + name, Array(text.utf8)) }
        func remove(_ name: String) throws { try manager.removeItem(atPath: source + "/" + name) }
        func link(_ name: String, _ destination: String) throws {
            try manager.createSymbolicLink(atPath: source + "/" + name, withDestinationPath: destination)
        }
        try write("edited", "edit \(version)\n")
        switch version {
        case 0:
            for (name, text) in ["always": "always\n", "gone": "gone\n", "twin1": "twin\n", "d/twin2": "twin\n", "empty": "", "d/e/deep": "deep\n", "kind": "a file\n"] {
                try write(name, text)
            }
            try folder.write(Array("source/d/odd ".utf8) + [0xff, 0x0a], [0, 1, 2])
            var random = SeededRandom(seed: 1)
            try folder.write("source/big", random.text(200_000))
            try manager.createDirectory(atPath: source + "/hollow", withIntermediateDirectories: false)
            try manager.linkItem(atPath: source + "/always", toPath: source + "/d/hard")
            try link("link", "always")
        case 1:
            try write("brief", "brief\n")
            try manager.setAttributes([.posixPermissions: 0o600], ofItemAtPath: source + "/d/twin2")
            for name in ["kind", "link"] { try remove(name) }
            try write("kind/inner", "now a folder\n")
            try link("link", "d")
        case 2:
            for name in ["gone", "brief", "kind", "hollow"] { try remove(name) }
            try link("kind", "nowhere")
            try write("late", "late\n")
        default:
            for name in ["kind", "d/e"] { try remove(name) }
            try write("kind", "a file again\n")
            try write("new/one", "new\n")
            try write("new/two", "new\n")
        }
    }

    private func change(_ sound: Sound, _ repo: String) async throws {
        let catalog = repo + "/catalog.sqlite"
        switch sound {
        case .empty, .history: break
        case .forgotten, .trashed:
            var options = ForgetOptions()
            options.policy.last = 1
            _ = try await Repository(folder: repo).forget(options) { _ in }
            if sound == .trashed { for text in ["gone\n", "edit 0\n", "edit 1\n"] { try trash(text, repo) } }
        case .hurt:
            try trash("late\n", repo)
            let object = repo + "/heap/" + Self.object("always\n")
            var bytes = try Data(contentsOf: URL(fileURLWithPath: object))
            bytes[bytes.count / 2] ^= 1
            try bytes.write(to: URL(fileURLWithPath: object))
        case .foreign:
            try FileManager.default.removeItem(atPath: catalog)
            try FileManager.default.copyItem(atPath: folder.path + "/first.sqlite", toPath: catalog)
        case .bare: try FileManager.default.removeItem(atPath: catalog)
        case .spoiled:
            let bytes = try Data(contentsOf: URL(fileURLWithPath: catalog))
            try bytes.prefix(bytes.count / 2).write(to: URL(fileURLWithPath: catalog))
        }
    }

    private static func object(_ text: String) -> String {
        let md5 = Array(text.utf8).withUnsafeBytes { MD5Hasher.digest($0) }.description
        return "\(md5.prefix(2))/\(md5).gz"
    }

    private func trash(_ text: String, _ repo: String) throws {
        let run = repo + "/heap/trash/2020-01-01_00-00-00_000000Z"
        try FileManager.default.createDirectory(atPath: run, withIntermediateDirectories: true)
        let object = Self.object(text)
        try FileManager.default.moveItem(atPath: repo + "/heap/" + object, toPath: run + "/unused-" + object.dropFirst(3))
    }
}
