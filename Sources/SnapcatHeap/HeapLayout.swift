import SnapcatFormat
import SnapcatStorage

/// Where objects are in a heap (FORMAT.md, "Places").
package enum HeapLayout {
    /// `ab/abcdef….gz`
    package static func key(_ md5: MD5Digest) -> StorageKey { StorageKey(path(md5)) }

    package static func path(_ md5: MD5Digest) -> [UInt8] {
        var path: [UInt8] = []
        path.reserveCapacity(38)
        let hex = md5.hexBytes
        path.append(contentsOf: hex[..<2])
        path.append(UInt8(ascii: "/"))
        path.append(contentsOf: hex)
        path.append(contentsOf: ".gz".utf8)
        return path
    }

    /// The two hex digits of a bucket, 0 to 255.
    package static func bucketName(_ bucket: Int) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        return [digits[bucket >> 4], digits[bucket & 15]]
    }

    /// The object that a file of a bucket is, nil where its name is none.
    package static func object(fileName: UnsafeRawBufferPointer, bucket: Int) -> MD5Digest? {
        guard fileName.count == 35, fileName.suffix(3).elementsEqual(".gz".utf8) else { return nil }
        let hex = UnsafeRawBufferPointer(rebasing: fileName.prefix(32))
        guard let md5 = MD5Digest(hex: hex), md5.bucket == bucket else { return nil }
        return md5
    }

    package static let temporaryFolder = Array("temp".utf8)
}
