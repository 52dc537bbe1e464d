import ArgumentParser
import Snapcat

struct CatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cat", abstract: "Print a content.",
        discussion: """
            The md5 is checked on the way: damage is told at the latest after the last byte (exit 5).

            \(ExitStatus.help)
            """)

    @Argument(help: ArgumentHelp("The file: REF:NAME.", valueName: "ref:name"))
    var file: String?
    @Option(help: ArgumentHelp("The content with this md5.", valueName: "md5"))
    var md5: String?
    @OptionGroup var roots: RootOptions
    @OptionGroup var talk: TalkOptions

    func validate() throws {
        if (file == nil) == (md5 == nil) { throw ValidationError("give REF:NAME or --md5") }
    }

    func run() async throws {
        let repository = try roots.existingRepository(needsHeap: true)
        let object = try objectOfOption()
        let argument = try file.map { try ReferenceArgument.parse($0) }
        try await talk.withMonitor(showsProgress: false) { monitor, _ in
            if let object { return try await repository.copyContent(object, monitor: monitor) { try Terminal.data($0) } }
            guard let argument, let name = argument.folder, !name.isEmpty else {
                throw SnapcatError(.usage, "No name", file ?? "", advice: "write REF:NAME, as in latest:docs/a.txt")
            }
            let entry = try await repository.entry(argument.reference, EntryName(name), monitor: monitor)
            guard let md5 = entry.md5 else {
                throw SnapcatError(.damage, "The entry has no md5", entry.name.description)
            }
            do {
                try await repository.copyContent(md5, monitor: monitor) { try Terminal.data($0) }
            } catch var error as SnapcatError where error.code == .notFound {
                // The snapshot names it: the heap should have it.
                error.code = .damage
                throw error
            }
        }
    }

    private func objectOfOption() throws -> MD5Digest? {
        guard let md5 else { return nil }
        guard let digest = MD5Digest(hex: md5.lowercased()) else {
            throw SnapcatError(.usage, "Not a md5", md5, advice: "give 32 hex digits")
        }
        return digest
    }
}
