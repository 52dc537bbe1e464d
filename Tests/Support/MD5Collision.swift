/// Two contents with one md5.
package enum MD5Collision {
    /// Wang, Feng, Lai, Yu: "Collisions for Hash Functions MD4, MD5, HAVAL-128 and RIPEMD", 2004.
    package static let pair = [
        """
        d131dd02c5e6eec4693d9a0698aff95c2fcab58712467eab4004583eb8fb7f8955ad340609f4b30283e488832571415a\
        085125e8f7cdc99fd91dbdf280373c5bd8823e3156348f5bae6dacd436c919c6dd53e2b487da03fd02396306d248cda0\
        e99f33420f577ee8ce54b67080a80d1ec69821bcb6a8839396f9652b6ff72a70
        """,
        """
        d131dd02c5e6eec4693d9a0698aff95c2fcab50712467eab4004583eb8fb7f8955ad340609f4b30283e4888325f1415a\
        085125e8f7cdc99fd91dbd7280373c5bd8823e3156348f5bae6dacd436c919c6dd53e23487da03fd02396306d248cda0\
        e99f33420f577ee8ce54b67080280d1ec69821bcb6a8839396f965ab6ff72a70
        """,
    ].map { hex in
        stride(from: 0, to: hex.utf8.count, by: 2).compactMap { UInt8(hex.dropFirst($0).prefix(2), radix: 16) }
    }
}
