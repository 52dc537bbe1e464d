import SnapcatFormat

/// Many md5s in 16 bytes each: a sorted array, and what was added since it was sorted.
struct DigestSet: Sendable {
    private var sorted: [MD5Digest] = []
    private var added: [MD5Digest] = []

    mutating func insert(_ md5: MD5Digest) {
        added.append(md5)
        // As many new ones as old ones: each is moved a few times only.
        if added.count >= max(1 << 16, sorted.count) { compact() }
    }

    /// To be called after the last `insert` and before the first `contains`.
    mutating func compact() {
        if added.isEmpty { return }
        sorted += added
        added = []
        sorted.sort()
        var kept = 0
        for md5 in sorted where kept == 0 || sorted[kept - 1] != md5 {
            sorted[kept] = md5
            kept += 1
        }
        sorted.removeLast(sorted.count - kept)
    }

    var count: Int { sorted.count }
    var all: [MD5Digest] { sorted }

    func contains(_ md5: MD5Digest) -> Bool {
        precondition(added.isEmpty, "compact() after the last insert()")
        var (low, high) = (0, sorted.count)
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle] < md5 { low = middle + 1 } else { high = middle }
        }
        return low < sorted.count && sorted[low] == md5
    }
}
