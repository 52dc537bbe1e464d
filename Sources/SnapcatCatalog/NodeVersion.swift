import SnapcatFormat
import SnapcatPlatform

/// The columns of a version of a node.
package struct NodeVersion: TemporalContent {
    package var kind: String
    package var destination: [UInt8]?
    package var mode: Int64
    package var uid: Int64
    package var gid: Int64
    package var mtimeNs: Int64
    package var device: Int64?

    package static let table = "node_version"
    package static let columns = ["type", "destination", "mode", "uid", "gid", "mtime_ns", "device"]

    package init(_ node: Node) {
        kind = node.kind.rawValue
        destination = node.destination
        mode = node.mode
        uid = node.uid
        gid = node.gid
        mtimeNs = node.mtimeNanoseconds
        device = node.device
    }

    package init(_ row: Statement, at first: Int32) {
        kind = row.text(first)
        destination = row.optionalBytes(first + 1)
        mode = row.integer(first + 2)
        uid = row.integer(first + 3)
        gid = row.integer(first + 4)
        mtimeNs = row.integer(first + 5)
        device = row.optionalInteger(first + 6)
    }

    package func bind(to statement: Statement, at first: Int32) {
        statement.bind(first, text: kind).bind(first + 1, text: destination).bind(first + 2, mode)
            .bind(first + 3, uid).bind(first + 4, gid).bind(first + 5, mtimeNs).bind(first + 6, device)
    }

    package func isSame(as other: NodeVersion, name: [UInt8]) -> Bool {
        kind == other.kind && destination == other.destination && mode == other.mode && uid == other.uid
            && gid == other.gid && mtimeNs == other.mtimeNs && device == other.device
    }

    /// The node that the columns spell.
    package func node(name: [UInt8]) -> Node? {
        Node.Kind(rawValue: kind).map {
            Node(
                name: EntryName(name), kind: $0, destination: destination, mode: mode, uid: uid, gid: gid,
                mtimeNanoseconds: mtimeNs, device: device)
        }
    }
}
