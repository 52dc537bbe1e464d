import ArgumentParser
import Snapcat

struct ForgetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget", abstract: "Forget snapshots: by name, or all that no rule keeps.",
        discussion: """
            What one of the --keep rules keeps, stays. Hours, days, weeks, months and years are those of the local zone \
            (TZ), and the newest snapshot of each stays. The folders that were snapshotted are judged apart, and so are \
            the hosts that did it; --group-by folder is for a host whose name changes, as a container's. A \
            forgotten snapshot lies in the trash until 'gc' removes it; 'undelete' brings it back. Not all can be \
            forgotten. freed_bytes are of contents that no snapshot names any more, stored_bytes what they take in the \
            heap; the sum over all rows is exact. They are not known (null) without a heap root, where another snap root \
            of the heap cannot be read, or where a damaged snapshot stays or a file that is none.

            \(ExitStatus.help)
            """)

    @Argument(help: ArgumentHelp("Snapshots to forget: a time, a name, a path, latest~N, oldest.", valueName: "ref"))
    var references: [String] = []
    @Option(help: ArgumentHelp("Keep the newest ones.", valueName: "n"))
    var keepLast: Int?
    @Option(help: ArgumentHelp("Keep the newest one of each of the last hours that have one.", valueName: "n"))
    var keepHourly: Int?
    @Option(help: ArgumentHelp("The same for days.", valueName: "n"))
    var keepDaily: Int?
    @Option(help: ArgumentHelp("The same for weeks, from Monday.", valueName: "n"))
    var keepWeekly: Int?
    @Option(help: ArgumentHelp("The same for months.", valueName: "n"))
    var keepMonthly: Int?
    @Option(help: ArgumentHelp("The same for years.", valueName: "n"))
    var keepYearly: Int?
    @Option(help: ArgumentHelp("Keep those at most so much older than the newest one: 90s, 30m, 12h, 30d, 8w.", valueName: "time"))
    var keepWithin: String?
    @Option(help: ArgumentHelp("Keep those with this tag; may be repeated.", valueName: "tag"))
    var keepTag: [String] = []
    @Option(help: ArgumentHelp("What the --keep rules judge apart: host,folder (default), folder, host.", valueName: "what"))
    var groupBy: String?
    @Flag(name: [.customShort("n"), .long], help: "Forget nothing; tell what would be.")
    var dryRun = false
    @OptionGroup var rows: RowOptions
    @OptionGroup var roots: RootOptions
    @OptionGroup var talk: TalkOptions
    @OptionGroup var lock: LockOptions

    private var counts: [(option: String, value: Int?)] {
        [
            ("--keep-last", keepLast), ("--keep-hourly", keepHourly), ("--keep-daily", keepDaily),
            ("--keep-weekly", keepWeekly), ("--keep-monthly", keepMonthly), ("--keep-yearly", keepYearly),
        ]
    }

    func validate() throws {
        for (option, value) in counts {
            if let value, value < 0 { throw ValidationError("\(option) must not be negative") }
        }
        let hasRule = counts.contains { $0.value != nil } || keepWithin != nil || !keepTag.isEmpty
        if hasRule && !references.isEmpty { throw ValidationError("give either snapshots or --keep rules") }
        if !hasRule && references.isEmpty {
            throw ValidationError("name the snapshots to forget, or give rules: --keep-last, --keep-daily, ...")
        }
        if groupBy != nil && !hasRule { throw ValidationError("--group-by goes with --keep rules") }
        _ = try (within(), groups())
    }

    private func groups() throws -> Set<String> {
        guard let groupBy else { return ["host", "folder"] }
        let given = groupBy.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard given.allSatisfy({ ["host", "folder"].contains($0) }) else {
            throw ValidationError("--group-by takes host, folder, or both: host,folder")
        }
        return Set(given)
    }

    private func within() throws -> Int64? {
        try keepWithin.map { try TimeArgument.microseconds($0, "--keep-within") }
    }

    func run() async throws {
        try rows.refuseSQL()
        let repository = try roots.existingRepository(waitSeconds: lock.seconds)
        let options = try options()
        let printer = RowPrinter<ForgetDecision>(rows.writer(ForgetDecision.columns), limit: rows.limit, isReport: !dryRun) { $0.cells }
        let summary = try await printer.during {
            try await talk.withMonitor { monitor, _ in
                try await repository.forget(options, monitor: monitor) { try printer.print($0) }
            }
        }
        talk.say(summary.sentence(isDryRun: dryRun))
    }

    private func options() throws -> ForgetOptions {
        var options = ForgetOptions()
        options.references = try references.map { try SnapshotReference.parse($0, clock: SystemClock()) }
        options.policy.last = keepLast ?? 0
        options.policy.hourly = keepHourly ?? 0
        options.policy.daily = keepDaily ?? 0
        options.policy.weekly = keepWeekly ?? 0
        options.policy.monthly = keepMonthly ?? 0
        options.policy.yearly = keepYearly ?? 0
        options.policy.withinMicroseconds = try within()
        options.policy.tags = keepTag
        options.policy.groupsByHost = try groups().contains("host")
        options.policy.groupsByFolder = try groups().contains("folder")
        options.isDryRun = dryRun
        return options
    }
}

extension ForgetSummary {
    fileprivate func sentence(isDryRun: Bool) -> String {
        let what = freed.map {
            "\(HumanText.count($0.objects)) contents of \(HumanText.bytes($0.bytes)) are named no more "
                + "(\(HumanText.bytes($0.storedBytes)) in the heap, which 'snapcat gc' frees)"
        }
        return "snapcat: \(isDryRun ? "dry run: " : "")\(HumanText.count(kept)) snapshots kept, "
            + "\(HumanText.count(forgotten)) forgotten; \(what ?? "how much that frees is not known")"
    }
}

extension ForgetDecision {
    fileprivate static let columns = [
        "action", "taken_at", "path", "reasons", "files", "bytes", "freed_objects", "freed_bytes", "stored_bytes",
    ].map { styledColumn($0) }

    fileprivate var cells: [Cell] {
        [
            .string(isKept ? "keep" : "forget"), .string(name.time.iso8601), .string(path),
            .string(reasons.joined(separator: ", ")), .integer(files), .integer(bytes), .integer(freed?.objects),
            .integer(freed?.bytes), .integer(freed?.storedBytes),
        ]
    }
}
