import ArgumentParser
import Snapcat

struct WhereisCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "whereis", abstract: "Where the history has the contents of files.",
        discussion: """
            The files are read and found by md5, whatever their names. present tells whether the heap has the content. \
            A content that no snapshot names has no row.

            \(ExitStatus.help)
            """)

    @Argument(help: "Files on this machine.")
    var file: [String] = []
    @Option(help: ArgumentHelp("A content by its md5; may be repeated.", valueName: "md5"))
    var md5: [String] = []
    @OptionGroup var catalog: QuestionOptions

    func validate() throws {
        if file.isEmpty && md5.isEmpty { throw ValidationError("give a file or --md5") }
    }

    func run() async throws {
        var contents: [(label: String, md5: MD5Digest)] = []
        for text in md5 {
            guard let digest = MD5Digest(hex: text.lowercased()) else {
                throw SnapcatError(.usage, "Not a md5", text, advice: "give 32 hex digits")
            }
            contents.append((text, digest))
        }
        let files = file
        contents += try await catalog.talk.withMonitor { monitor, _ in
            var digests: [(label: String, md5: MD5Digest)] = []
            for path in files { digests.append((path, try await LocalContent.md5(path, monitor: monitor))) }
            return digests
        }
        try await catalog.ask(Question.whereis(contents))
    }
}
