// swift-tools-version: 6.2
import PackageDescription

/// One settings array for every Swift target: Swift 6 mode, explicit existentials, explicit imports.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "snapcat",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "Snapcat", targets: ["Snapcat"]),
        .executable(name: "snapcat", targets: ["SnapcatCLI"]),
        .library(name: "snapcat_sqlite", type: .dynamic, targets: ["SnapcatSQLite"]),
    ],
    dependencies: [
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    ],
    targets: [
        // Bottom: the operating system and the C libraries.
        .target(name: "CPlatform"),
        .target(name: "CMD5"),
        // Loads libedit while it runs: nothing to link.
        .target(name: "CEdit"),
        .systemLibrary(
            name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
        .systemLibrary(
            name: "CISAL", pkgConfig: "libisal", providers: [.apt(["libisal-dev"]), .brew(["isa-l"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .target(
            name: "SnapcatPlatform",
            dependencies: [
                "CPlatform",
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: settings),

        // Format and storage: bytes on disk, keys to bytes. Neither knows the other.
        .target(
            name: "SnapcatFormat", dependencies: ["CPlatform", "SnapcatPlatform", "CZlib", "CISAL"],
            swiftSettings: settings),
        .target(
            name: "SnapcatStorage",
            dependencies: ["SnapcatPlatform", .product(name: "SystemPackage", package: "swift-system")],
            swiftSettings: settings),

        // Heap and catalog.
        .target(
            name: "SnapcatHeap",
            dependencies: [
                "CMD5", "SnapcatPlatform", "SnapcatFormat", "SnapcatStorage",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: settings),
        .target(
            name: "SnapcatSchema", path: "Schema",
            resources: [.embedInCode("m001_catalog.sql"), .embedInCode("views.sql"), .embedInCode("queries")],
            swiftSettings: settings),
        .target(
            name: "SnapcatCatalog",
            dependencies: [
                "CPlatform", "CSQLite", "SnapcatPlatform", "SnapcatFormat", "SnapcatSchema",
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            swiftSettings: settings),

        // The engine is the public library.
        .target(
            name: "Snapcat",
            dependencies: [
                "CPlatform", "SnapcatPlatform", "SnapcatFormat", "SnapcatStorage", "SnapcatHeap",
                "SnapcatCatalog", "SnapcatSchema",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: settings),

        // snapcat's functions for any SQLite client, as an extension to load.
        .target(
            name: "SnapcatSQLite",
            dependencies: ["Snapcat", .product(name: "GRDBSQLite", package: "GRDB.swift")],
            swiftSettings: settings),

        // The command line: the only code that prints.
        .target(
            name: "SnapcatCommands",
            dependencies: [
                "CPlatform", "CEdit", "Snapcat",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "SnapcatCLI", dependencies: ["SnapcatCommands"], swiftSettings: settings),

        // Tests.
        .target(
            name: "SnapcatTestSupport",
            dependencies: [
                "Snapcat",
                .product(name: "Subprocess", package: "swift-subprocess"),
            ],
            path: "Tests/Support", swiftSettings: settings),
        // What `Scripts/fuzz` feeds, and the test command a little of it.
        .target(
            name: "SnapcatFuzzing",
            dependencies: ["CZlib", "SnapcatPlatform", "SnapcatFormat", "SnapcatCatalog", "Snapcat", "SnapcatTestSupport"],
            path: "Tests/Fuzzing", swiftSettings: settings),
        .executableTarget(
            name: "snapcat-fuzz", dependencies: ["SnapcatFuzzing"], path: "Tests/FuzzCommand", swiftSettings: settings),
        .testTarget(
            name: "SnapcatFormatTests", dependencies: ["SnapcatPlatform", "SnapcatFormat", "SnapcatTestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "SnapcatStorageTests", dependencies: ["SnapcatPlatform", "SnapcatStorage", "SnapcatTestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "SnapcatHeapTests", dependencies: ["CMD5", "SnapcatPlatform", "SnapcatFormat", "SnapcatStorage", "SnapcatHeap", "SnapcatTestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "SnapcatCatalogTests", dependencies: ["SnapcatPlatform", "SnapcatFormat", "SnapcatCatalog", "SnapcatTestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "SnapcatEngineTests", dependencies: ["SnapcatPlatform", "SnapcatFormat", "SnapcatStorage", "SnapcatHeap", "SnapcatCatalog", "Snapcat", "SnapcatFuzzing", "SnapcatTestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "SnapcatCommandsTests", dependencies: ["SnapcatPlatform", "SnapcatStorage", "Snapcat", "SnapcatCommands", "SnapcatTestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "SnapcatTortureTests", dependencies: ["SnapcatPlatform", "SnapcatFormat", "SnapcatStorage", "SnapcatHeap", "Snapcat", "SnapcatTestSupport"],
            swiftSettings: settings),
    ]
)
