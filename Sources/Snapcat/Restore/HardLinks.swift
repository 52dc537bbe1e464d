import SnapcatFormat
import SnapcatPlatform

/// Which restored files are hard links of each other (FORMAT.md, "Companion bytes"): device, inode, md5, size, mode
/// and both times must agree. Only files with more than one link are remembered.
struct HardLinks {
    private struct Key: Hashable {
        var device: Int64
        var inode: Int64
        var md5: MD5Digest
        var size: Int64
        var mode: Int64
        var mtime: Int64
        var ctime: Int64
    }

    private struct First {
        var name: [UInt8]
        var currentInode: Int64?
    }

    private var firsts: [Key: First] = [:]
    /// Of the inodes that stay in the target, the group that each was given to.
    private var owners: [Int64: Key] = [:]
    /// The device of the file root; without it nothing is linked.
    private let rootDevice: Int64?
    /// Folders on another device than the one above them.
    private let devices: [(folder: [UInt8], device: Int64)]

    init(rootDevice: Int64?, devices: [(folder: [UInt8], device: Int64)]) {
        self.rootDevice = rootDevice
        self.devices = devices
    }

    enum Role: Equatable {
        case alone
        /// `isTaken`: what stands there is another group's file, which this one may not share.
        case first(isTaken: Bool)
        /// To be a link of this name.
        case next([UInt8])
        /// It is one already.
        case linked
    }

    /// `current`: what is there, where it may stay.
    mutating func role(of name: [UInt8], _ item: SideItem, current: SideItem?) -> Role {
        guard let rootDevice, let entry = item.entry, let links = entry.linkCount, links > 1, let inode = entry.inode,
            let md5 = entry.md5, let size = entry.size, let mode = entry.mode, let mtime = entry.mtimeNanoseconds,
            let ctime = entry.ctimeNanoseconds
        else { return .alone }
        let key = Key(
            device: device(of: name) ?? rootDevice, inode: inode, md5: md5, size: size, mode: mode, mtime: mtime,
            ctime: ctime)
        let currentInode = current?.entry?.inode
        if let known = firsts[key] {
            return currentInode != nil && known.currentInode == currentInode ? .linked : .next(known.name)
        }
        let isTaken = currentInode.map { owners[$0] != nil } ?? false
        firsts[key] = First(name: name, currentInode: isTaken ? nil : currentInode)
        if let currentInode, !isTaken { owners[currentInode] = key }
        return .first(isTaken: isTaken)
    }

    /// Of the deepest folder that is known to be a device's.
    private func device(of name: [UInt8]) -> Int64? {
        devices.last { name.starts(with: $0.folder) && name.dropFirst($0.folder.count).first == UInt8(ascii: "/") }?.device
    }
}
