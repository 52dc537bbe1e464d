import SnapcatFormat
import SnapcatPlatform

/// `REF:FOLDER` and `REF:NAME`, where references hold colons too.
extension SnapshotReference {
    /// Reads `REF`, `REF:FOLDER` or `REF:NAME`: the reference, and the bytes after its colon, nil without one.
    package static func parse(
        argument: [UInt8], clock: any WallClock
    ) throws(SnapcatError) -> (reference: SnapshotReference, rest: [UInt8]?) {
        guard let split = split(argument, isReference: { parses($0, clock: clock) }) else {
            return (try parse(String(decoding: argument, as: UTF8.self), clock: clock), nil)
        }
        return (try parse(split.reference, clock: clock), split.rest)
    }

    /// Splits `REF:FOLDER` or `REF:NAME`: the whole argument is tried as a reference first, else the longest
    /// prefix before a colon that is one. nil where there is none.
    ///
    /// What is not UTF-8 is no reference: with its bytes replaced it would name another file.
    package static func split(
        _ argument: [UInt8], isReference: (String) -> Bool
    ) -> (reference: String, rest: [UInt8]?)? {
        if let whole = String(validating: argument, as: UTF8.self), isReference(whole) { return (whole, nil) }
        for colon in argument.indices.reversed() where argument[colon] == UInt8(ascii: ":") {
            guard let prefix = String(validating: argument[..<colon], as: UTF8.self) else { continue }
            if isReference(prefix) { return (prefix, Array(argument[(colon + 1)...])) }
        }
        return nil
    }

    /// Whether `text` is a reference where a folder or a name may follow it: for `split`.
    ///
    /// A time that `parse` refuses for its value is one, so that its error is told instead of a shorter time
    /// being taken and the rest for a name. A path is one unless it begins with a reference and a colon:
    /// `latest:old.jsonl.gz` is a name in a snapshot, a file of that name is written `./latest:old.jsonl.gz`.
    package static func parses(_ text: String, clock: any WallClock) -> Bool {
        if TimeText.isTime(text) { return true }
        do throws(SnapcatError) {
            guard case .file = try parse(text, clock: clock) else { return true }
        } catch { return false }
        return !text.utf8.indices.contains {
            text.utf8[$0] == UInt8(ascii: ":") && parses(String(text[..<$0]), clock: clock)
        }
    }
}
