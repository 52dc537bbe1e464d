import SnapcatPlatform

/// A symlink, folder or special file: what a snapshot's companion holds (FORMAT.md, "Companion bytes").
public struct Node: Equatable, Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        case directory, link, fifo, socket
        case characterDevice = "character_device"
        case blockDevice = "block_device"

        package init?(mode: UInt32) {
            switch mode & 0o170000 {
            case 0o040000: self = .directory
            case 0o120000: self = .link
            case 0o010000: self = .fifo
            case 0o140000: self = .socket
            case 0o020000: self = .characterDevice
            case 0o060000: self = .blockDevice
            default: return nil
            }
        }
    }

    public var name: EntryName
    public var kind: Kind
    /// Of a symlink: where it points to.
    public var destination: [UInt8]?
    /// The full `st_mode`.
    public var mode: Int64
    public var uid: Int64
    public var gid: Int64
    public var mtimeNanoseconds: Int64
    /// Of a folder whose device is not that of the folder above it.
    public var device: Int64?

    package init(
        name: EntryName, kind: Kind, destination: [UInt8]? = nil, mode: Int64, uid: Int64, gid: Int64,
        mtimeNanoseconds: Int64, device: Int64? = nil
    ) {
        self.name = name
        self.kind = kind
        self.destination = destination
        self.mode = mode
        self.uid = uid
        self.gid = gid
        self.mtimeNanoseconds = mtimeNanoseconds
        self.device = device
    }

    /// The name of the file root's own node.
    package static let rootName = EntryName(".")

    package init(parsing line: UnsafeRawBufferPointer) throws(JSONScanner.Failure) {
        let value = try JSONValue(parsing: Array(line))
        func integer(_ key: String) -> Int64 { value[key]?.integerValue ?? 0 }
        guard let name = value["name"]?.stringBytes, let kind = value["type"]?.stringText.flatMap(Kind.init) else {
            throw JSONScanner.Failure(reason: "no name or no known type", offset: 0)
        }
        self.init(
            name: EntryName(name), kind: kind, destination: value["destination"]?.stringBytes,
            mode: integer("mode"), uid: integer("uid"), gid: integer("gid"),
            mtimeNanoseconds: integer("mtime_ns"), device: value["device"]?.integerValue)
        if kind == .link && destination == nil {
            throw JSONScanner.Failure(reason: "a link without a destination", offset: 0)
        }
    }

    package func append(to line: inout [UInt8]) {
        func integer(_ key: StaticString, _ value: Int64) {
            line.append(contentsOf: UnsafeRawBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount))
            PythonNumber.appendInteger(value, to: &line)
        }
        line.append(UInt8(ascii: "{"))
        if let destination {
            line.append(contentsOf: #""destination": "#.utf8)
            PythonString.appendQuoted(destination, to: &line)
            line.append(contentsOf: ", ".utf8)
        }
        if let device {
            integer(#""device": "#, device)
            line.append(contentsOf: ", ".utf8)
        }
        integer(#""gid": "#, gid)
        integer(#", "mode": "#, mode)
        integer(#", "mtime_ns": "#, mtimeNanoseconds)
        line.append(contentsOf: #", "name": "#.utf8)
        PythonString.appendQuoted(name.bytes, to: &line)
        line.append(contentsOf: #", "type": ""#.utf8)
        line.append(contentsOf: kind.rawValue.utf8)
        integer(#"", "uid": "#, uid)
        line.append(UInt8(ascii: "}"))
    }

    package var line: [UInt8] {
        var result: [UInt8] = []
        append(to: &result)
        return result
    }
}
