import Foundation
import Snapcat

/// The lines entered at earlier prompts: a file of the user's own, one line each.
struct PromptHistory {
    static let mostLines = 1000
    private static let mostLineBytes = 16 << 10

    private let path: [UInt8]

    /// `$XDG_STATE_HOME/snapcat/history`; nil without a home. A relative path there counts as none.
    init?(environment: [String: String] = ProcessInfo.processInfo.environment) {
        let state = environment["XDG_STATE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        let home = environment["HOME"].flatMap { $0.hasPrefix("/") ? $0 + "/.local/state" : nil }
        guard let folder = state ?? home else { return nil }
        path = Array((folder + "/snapcat/history").utf8)
    }

    /// The newest lines, oldest first. The file is cut to them once it has twice as many.
    func lines() throws -> [String] {
        try withSystemErrors("Cannot read the history", path) {
            guard try Descriptor.statusIfPresent(path, following: true)?.kind == .regular else { return [] }
            let lines = TerminalText.lossy(try Contents(path).readAll(limit: 64 << 20)).split(separator: "\n").map(String.init)
            let newest = lines.suffix(Self.mostLines)
            if lines.count > 2 * Self.mostLines { try replace(Array(newest)) }
            return Array(newest)
        }
    }

    func append(_ line: String) throws {
        guard line.utf8.count <= Self.mostLineBytes else { return }
        try withSystemErrors("Cannot write the history", path) {
            try FolderOperations.makeFolders(path.dropLast("/history".utf8.count))
            let file = try Descriptor.open(path, [.write, .create, .append], mode: 0o600)
            // SQL may name what others need not know.
            try FolderOperations.setMode(0o600, of: file)
            try Array((line + "\n").utf8).withUnsafeBytes { try file.writeAll($0) }
        }
    }

    private func replace(_ lines: [String]) throws {
        let beside = path + Array(".new-\(UInt32.random(in: .min ... .max))".utf8)
        let file = try Descriptor.open(beside, [.write, .createNew], mode: 0o600)
        try Array(lines.map { $0 + "\n" }.joined().utf8).withUnsafeBytes { try file.writeAll($0) }
        try FolderOperations.rename(beside, to: path)
    }

    private final class Contents: ByteSource {
        private let file: Descriptor
        init(_ path: [UInt8]) throws { file = try Descriptor.open(path, .read) }
        func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int { try file.read(into: buffer) }
    }
}
