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

    private struct Claim: Equatable {
        var group: Key?
        var mode: Int64?
        var mtime: Double?
        var uid: Int64?
        var gid: Int64?

        init(_ item: SideItem, of group: Key? = nil) {
            self.group = group
            (mode, mtime, uid, gid) = (item.mode, item.mtime, item.uid, item.gid)
        }
    }

    private var firsts: [Key: First] = [:]
    /// What is wanted of the inodes that stay in the target and have several names.
    private var claims: [Int64: Claim] = [:]
    /// The device of the file root; without it nothing is linked.
    private let rootDevice: Int64?
    /// Folders on another device than the one above them.
    private let devices: [(folder: [UInt8], device: Int64)]

    init(rootDevice: Int64?, devices: [(folder: [UInt8], device: Int64)]) {
        self.rootDevice = rootDevice
        self.devices = devices
    }

    /// `isTaken`: what stands there is the file of other names too, of another group or with other facts: this one may not
    /// share it.
    enum Role: Equatable {
        case alone(isTaken: Bool)
        case first(isTaken: Bool)
        /// To be a link of this name.
        case next([UInt8])
        /// It is one already.
        case linked
    }

    /// `current`: what is there, where it may stay.
    mutating func role(of name: [UInt8], _ item: SideItem, current: SideItem?) -> Role {
        let currentInode = current?.entry?.linkCount ?? 1 > 1 ? current?.entry?.inode : nil
        guard let key = key(of: name, item) else { return .alone(isTaken: !claim(currentInode, Claim(item))) }
        if let known = firsts[key] {
            return currentInode != nil && known.currentInode == currentInode ? .linked : .next(known.name)
        }
        let isTaken = !claim(currentInode, Claim(item, of: key))
        firsts[key] = First(name: name, currentInode: isTaken ? nil : currentInode)
        return .first(isTaken: isTaken)
    }

    /// The first who wants an inode has it. False where somebody else does.
    private mutating func claim(_ inode: Int64?, _ claim: Claim) -> Bool {
        guard let inode else { return true }
        if let other = claims[inode] { return other == claim }
        claims[inode] = claim
        return true
    }

    private func key(of name: [UInt8], _ item: SideItem) -> Key? {
        guard let rootDevice, let entry = item.entry, let links = entry.linkCount, links > 1, let inode = entry.inode,
            let md5 = entry.md5, let size = entry.size, let mode = entry.mode, let mtime = entry.mtimeNanoseconds,
            let ctime = entry.ctimeNanoseconds
        else { return nil }
        return Key(
            device: device(of: name) ?? rootDevice, inode: inode, md5: md5, size: size, mode: mode, mtime: mtime,
            ctime: ctime)
    }

    /// Of the deepest folder that is known to be a device's.
    private func device(of name: [UInt8]) -> Int64? {
        devices.last { name.starts(with: $0.folder) && name.dropFirst($0.folder.count).first == UInt8(ascii: "/") }?.device
    }
}
