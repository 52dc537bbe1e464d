import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SnapcatStorage
import SystemPackage

/// A snapshot, and the snap root that has it.
struct StoredSnapshot {
    var store: SnapshotStore
    var item: SnapshotStore.Item
}

/// Looks for contents in the folders that were snapshotted, under the names that snapshots have for them.
struct LiveFiles {
    private let roots: [[UInt8]]
    private let monitor: Monitor

    struct Candidate: Hashable {
        var root: [UInt8]
        var name: [UInt8]
        var size: Int64?
    }

    /// So many places are remembered for each content: a content that is everywhere is found at the first ones.
    private static let mostPerContent = 64

    init(roots: [[UInt8]], _ monitor: Monitor) {
        (self.roots, self.monitor) = (roots, monitor)
    }

    /// Where the contents may be, those of the newest snapshots first. Cost: reads each snapshot once.
    func candidates(_ wanted: Set<MD5Digest>, _ snapshots: [StoredSnapshot]) throws -> [MD5Digest: [Candidate]] {
        var result: [MD5Digest: [Candidate]] = [:]
        for md5 in wanted { result[md5] = [] }
        for snapshot in snapshots.reversed() {
            // Both are told already where they are damaged.
            let own = try snapshot.store.usableCompanion(of: snapshot.item.key) { _ in }?.facts.fileRoot ?? []
            let roots = roots + (own.isEmpty || roots.contains(own) ? [] : [own])
            do {
                try collect(snapshot, roots, into: &result)
            } catch let error as SnapcatError where error.code == .damage || error.code == .notFound { continue }
        }
        return result
    }

    private func collect(_ snapshot: StoredSnapshot, _ roots: [[UInt8]], into result: inout [MD5Digest: [Candidate]]) throws {
        let entries = try snapshot.store.entries(snapshot.item.key)
        var lines = 0
        while try entries.advance() {
            lines += 1
            if lines & 0xffff == 0 { try monitor.cancellation.check() }
            let fields = try entries.parse()
            guard let md5 = fields.md5, let known = result[md5], known.count < Self.mostPerContent else { continue }
            // Names that would lead out of the root are no names of files.
            guard EntryName(entries.entryName).restoreObjection == nil else { continue }
            for root in roots {
                let candidate = Candidate(root: root, name: entries.entryName, size: fields.has(.size) ? fields.size : nil)
                if !known.contains(candidate) { result[md5]?.append(candidate) }
            }
        }
    }

    /// Stores the content from the first place that has it, and returns that; without a session it is only looked for.
    /// `isNew`: false where the heap holds it after all.
    func find(_ md5: MD5Digest, _ candidates: [Candidate], _ session: HeapSession?) throws -> (place: String, isNew: Bool)? {
        let hasher = try ObjectWriter(nil, level: .standard)
        for candidate in candidates {
            try monitor.cancellation.check()
            guard let file = open(candidate) else { continue }
            var isNew = true
            do {
                guard try hasher.add(streaming: file, cancellation: monitor.cancellation).md5 == md5 else { continue }
                if let session {
                    try file.rewind()
                    // All of an object that is there is read: the disk may give its end, and not what is before that.
                    let writer = try ObjectWriter(session, level: .standard, comparesContents: true)
                    let stored = try writer.add(streaming: file, cancellation: monitor.cancellation)
                    // It may have changed in between: only what was stored counts.
                    guard stored.md5 == md5 else { continue }
                    isNew = stored.isNew
                }
            } catch is Errno {
                // A file that cannot be read helps nobody.
                continue
            }
            return (place: TerminalText.lossy(candidate.root + [UInt8(ascii: "/")] + candidate.name), isNew: isNew)
        }
        return nil
    }

    /// The regular file of that size, no symlink followed on the way.
    private func open(_ candidate: Candidate) -> Descriptor? {
        do throws(Errno) {
            let tree = TargetTree(try Descriptor.open(candidate.root, [.read, .folder]))
            let place = try tree.place(candidate.name, creates: false, replaces: false)
            let file = try Descriptor.open(place.name, in: place.folder.raw, [.read, .noFollow, .nonBlocking])
            let status = try file.status()
            return status.kind == .regular && candidate.size.map { $0 == status.size } ?? true ? file : nil
        } catch { return nil }
    }
}
