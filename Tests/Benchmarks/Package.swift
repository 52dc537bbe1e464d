// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that what measures never enters snapcat's own dependencies. Its sources are snapcat's,
// by symlink: one package, so that what is `package` there can be measured here. Scripts/microbench runs it.

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")

let package = Package(
    name: "snapcat-benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
    ],
    targets: [
        .target(name: "CPlatform"),
        .target(name: "CMD5"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib"),
        .systemLibrary(name: "CISAL", pkgConfig: "libisal"),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3"),
        .target(name: "SnapcatPlatform", dependencies: ["CPlatform", system], swiftSettings: settings),
        .target(
            name: "SnapcatFormat", dependencies: ["CPlatform", "SnapcatPlatform", "CZlib", "CISAL"],
            swiftSettings: settings),
        .target(name: "SnapcatStorage", dependencies: ["SnapcatPlatform", system], swiftSettings: settings),
        .target(
            name: "SnapcatHeap",
            dependencies: [
                "CMD5", "SnapcatPlatform", "SnapcatFormat", "SnapcatStorage", system,
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: settings),
        .target(
            name: "SnapcatSchema", path: "Schema",
            resources: [.embedInCode("m001_catalog.sql"), .embedInCode("views.sql"), .embedInCode("queries")],
            swiftSettings: settings),
        .target(
            name: "SnapcatCatalog",
            dependencies: ["CPlatform", "CSQLite", "SnapcatPlatform", "SnapcatFormat", "SnapcatSchema", system, grdb, sqlite],
            swiftSettings: settings),
        .target(
            name: "Snapcat",
            dependencies: [
                "CPlatform", "SnapcatPlatform", "SnapcatFormat", "SnapcatStorage", "SnapcatHeap", "SnapcatCatalog",
                "SnapcatSchema", grdb, system,
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "HotParts",
            dependencies: [
                "CMD5", "SnapcatPlatform", "SnapcatFormat", "SnapcatStorage", "SnapcatHeap", "SnapcatCatalog", "Snapcat",
                .product(name: "Benchmark", package: "benchmark"),
            ],
            path: "Benchmarks/HotParts", swiftSettings: settings,
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),
    ]
)
