/// The Python scripts that build the interop tests' tree and edit it.
enum InteropTree {
    /// Builds the tree at `argv[0]`. Python, since it takes names as bytes and times as nanoseconds alike.
    static let script = #"""
        root = os.fsencode(argv[0])
        os.makedirs(root)
        def path(name):
            path = os.path.join(root, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            return path
        names = [
            # Not UTF-8: stray, truncated, surrogates, beyond Unicode, overlong.
            b"\xff", b"\xffafter", b"\x80", b"cut\xe2\x82", b"\xf0\x9f\x98", b"\xed\xa0\x80",
            b"\xed\xb3\xbf", b"\xf4\x90\x80\x80", b"\xc0\xaf", b"latin-\xe9",
            # Controls, quotes, and what shells, JSON, URLs, globs and options read in their own way.
            b"new\nline", b"\n", b"tab\tname", b"\r", b"\x01\x1f", b"\x7f", b'"double"', b"'single'",
            b"back\\slash", b"\\", b"\\u0041", b"%41", b"{brace}", b"*?[a]", b"$HOME", b"#hash", b"~",
            b"-dash", b"--file-root", b" lead", b"trail ", b" ", b"...", b"a.gz", b"x" * 255,
            # Composed and decomposed, both sides of the surrogates, line separators.
            "\u00e9".encode(), "e\u0301".encode(), "\uffff".encode(), "\ue000".encode(),
            "\U0001f600".encode(), "\u2028".encode(), "\x85".encode(), ("\u00e9" * 127).encode(),
            # Order of full paths: "-" and "." come before "/", "0" after it.
            b"a-b", b"a/b", b"a.b", b"a0", b"A", b"f\xff/\xfe/\nx", b"f\xff-",
            "f\U0001f600/x".encode(), b"deep" + b"/d" * 60 + b"/leaf",
        ]
        for number, name in enumerate(names):
            mtime_ns = 1_600_000_000_000_000_000 + number * 1_000_000_007
            write(path(name), b"content %d " % number * number, mtime_ns)
        write(path(b"plain"), b"plain")
        for name in [b"empty", b"empty-too"]:
            write(path(name), b"")
        write(path(b"large"), bytes(range(256)) * 40_000)
        times = [
            -1, 0, 1, 999_999_999, -999_999_999, -1_000_000_000, -1_500_000_001,
            -86_400_000_000_000 * 365 * 50 + 123, 1_000_000_000, 978_307_200_000_000_000,
            1_700_000_000_123_456_789, 1_700_000_000_999_999_999, 1_700_000_000_000_000_001,
            2_147_483_648_000_000_000, 4_102_444_800_987_654_321, 100, 100_000,
        ]
        for number, mtime_ns in enumerate(times):
            write(path(b"times/%d" % number), b"at %d" % mtime_ns, mtime_ns)
            assert os.lstat(path(b"times/%d" % number)).st_mtime_ns == mtime_ns
        for mode in [0o600, 0o444, 0o755, 0o640, 0o4755]:
            write(path(b"modes/%o" % mode), b"mode")
            os.chmod(path(b"modes/%o" % mode), mode)
        for number, destination in enumerate([
            b"plain", b"a", b"../nowhere", b"/etc/hostname", b"\xff", b"new\nline", b"links/loop", b".",
            b"\\\\\"",
        ]):
            os.symlink(destination, path(b"links/%d" % number))
            os.utime(path(b"links/%d" % number), ns=(0, -5_000_000_001 + number * 3), follow_symlinks=False)
        os.symlink(b"loop", path(b"links/loop"))
        os.symlink(b"dangling", path(b"\xfelink"))
        write(path(b"hard/one"), b"linked")
        for name in [b"hard/two", b"hard-three", b"a/hard\xff"]:
            os.link(path(b"hard/one"), path(name))
        write(path(b"hard/other"), b"linked")
        os.link(path(b"hard/other"), path(b"hard/other2"))
        for name in [b"hollow", b"hollow2/inner", b"hollow\xff", b"hollow\n"]:
            os.makedirs(path(name))
        os.chmod(path(b"hollow"), 0o700)
        os.chmod(path(b"hollow2"), 0o1777)
        os.chmod(path(b"modes"), 0o555)
        # Folders last, inner before outer, since their times change with what they hold.
        for number, (name, folder) in enumerate(sorted(nodes(argv[0]), reverse=True)):
            if stat.S_ISDIR(os.lstat(folder).st_mode):
                os.utime(folder, ns=(0, 1_234_567_890_000_000_003 - number * 1_000_000_001))
        """#

    /// Edits the tree at `argv[0]`, differently in each round `argv[1]`.
    static let editScript = #"""
        root, turn = os.fsencode(argv[0]) + b"/", int(argv[1])
        write(root + b"\xff", b"round %d" % turn)
        write(root + b"times/%d" % turn, b"same mtime, other size %d" % turn)
        write(root + b"new\xfe%d" % turn, b"new in %d" % turn)
        os.makedirs(root + b"grown/%d" % turn)
        write(root + b"grown/%d/back\\slash\n" % turn, b"shared by rounds")
        victims = [b"a0", b"\xffafter", b"hard/two", b"empty", b"deep" + b"/d" * 60 + b"/leaf"]
        os.remove(root + victims[turn - 1])
        os.rename(root + b"A", root + b"A2") if turn % 2 else os.rename(root + b"A2", root + b"A")
        os.chmod(root + b"a-b", 0o600 + turn)
        if turn % 2 == 0:  # snapcat's turn: snapshooter itself does not see these
            rewrite_keeping_mtime(root + b"plain", b"same%d" % turn)
            rewrite_keeping_mtime(root + b"times/11", b"other size and the old mtime %d" % turn)
        """#
}
