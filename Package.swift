// swift-tools-version: 6.0
import PackageDescription

// Scripts/build-self-contained asks for a program that needs no library beside it. The archive of OpenBLAS brings
// Fortran's with it; the web server of `apus study serve` would bring some twenty more and is left out.
let isSelfContained = Context.environment["APUS_SELF_CONTAINED"] == "1"

let package = Package(
  name: "apus",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "Apus", targets: ["Apus"]),
    .library(name: "ApusParallel", targets: ["ApusParallel"]),
    .library(name: "ApusProcesses", targets: ["ApusParallel", "ApusProcesses"]),
    .executable(name: "apus", targets: ["ApusCommandLine"]),
    .executable(name: "apus-notebook", targets: ["ApusNotebookHost"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/swhitty/FlyingFox", from: "0.27.0"),
  ],
  targets: [
    // Floor 0: C libraries of the system, and C of our own where Swift cannot reach a call or a speed.
    .target(
      name: "COpenBLAS",
      linkerSettings: (["openblas"] + (isSelfContained ? ["gfortran", "quadmath", "m"] : [])).map {
        .linkedLibrary($0)
      }),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CLibcrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .target(name: "CApusSystem"),
    .target(name: "CKernels"),
    .target(
      name: "CApusDatasets", path: "Datasets",
      exclude: [
        "README.md", "make_datasets.py", "breast-cancer.csv", "diabetes.csv", "digits.csv.gz", "iris.csv",
        "letter.csv.gz", "wine.csv",
      ]),
    .target(
      name: "CApusReport",
      exclude: ["LICENSE-plotly.txt", "README.md", "page.css", "page.html", "page.js", "plotly.min.js.gz"]),

    // Floor 1: jobs and the backends that run them; knows nothing of machine learning.
    .target(name: "ApusParallel", dependencies: ["CApusSystem", "CLibcrypto"]),

    // Floor 2: worker processes.
    .target(name: "ApusProcesses", dependencies: ["ApusParallel", "CApusSystem"]),

    // Floor 3: Dask clusters, whose workers run worker processes.
    .target(name: "CApusBridge", exclude: ["apus_bridge.py", "apus_client", "apus_fetch.py", "apus_worker"]),
    .target(name: "ApusDask", dependencies: ["ApusProcesses", "CApusBridge"]),

    // Floor 2: matrices, then data sets and their readers.
    .target(name: "ApusLinearAlgebra", dependencies: ["ApusParallel", "COpenBLAS", "CKernels"]),
    .target(name: "ApusData", dependencies: ["ApusLinearAlgebra", "CApusDatasets", "CKernels", "CZlib"]),

    // Floor 3: estimators, metrics and model selection.
    .target(name: "ApusML", dependencies: ["ApusData", "CKernels"]),

    // Floor 4: searches that decide as they go, and searches that last.
    .target(name: "ApusSearch", dependencies: ["ApusML"]),
    .target(
      name: "ApusStudies",
      dependencies: [
        "ApusML", "ApusSearch", "CApusReport", .product(name: "GRDB", package: "GRDB.swift"),
      ]),

    // Floor 5: what a user imports, and what a user runs.
    .target(
      name: "Apus", dependencies: ["ApusDask", "ApusML", "ApusProcesses", "ApusSearch", "ApusStudies"]),
    .executableTarget(
      name: "ApusCommandLine",
      dependencies: [
        "Apus", "CApusSystem",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Yams", package: "Yams"),
      ] + (isSelfContained ? [] : [.product(name: "FlyingFox", package: "FlyingFox")]),
      exclude: isSelfContained ? ["Serving", "Commands/Studies/StudyServeCommand.swift"] : [],
      swiftSettings: isSelfContained ? [.define("WITHOUT_SERVER")] : []),

    // What cells of notebooks import, and the process that loads them.
    .target(name: "CApusNotebook"),
    .target(name: "ApusNotebook", dependencies: ["Apus"]),
    .executableTarget(
      name: "ApusNotebookHost", dependencies: ["ApusNotebook", "CApusNotebook"],
      // Cells are libraries that find Apus in the program that loads them.
      linkerSettings: [.unsafeFlags(["-Xlinker", "--export-dynamic"])]),

    // Times one backend for Benchmarks/compare-backends.
    .executableTarget(
      name: "BackendComparison", dependencies: ["Apus"], path: "Benchmarks/Programs/BackendComparison"),
    // Times the path of the lasso for Benchmarks/compare.
    .executableTarget(name: "LassoPath", dependencies: ["Apus"], path: "Benchmarks/Programs/LassoPath"),

    .target(name: "ApusTestSupport", path: "Tests/ApusTestSupport", exclude: ["stores.py"]),
    .testTarget(name: "ApusParallelTests", dependencies: ["ApusParallel", "ApusTestSupport"]),
    .target(
      name: "ApusTestJobs", dependencies: ["ApusParallel", "ApusProcesses"], path: "Tests/ApusTestJobs"),
    .executableTarget(
      name: "ApusTestWorker", dependencies: ["ApusProcesses", "ApusTestJobs"], path: "Tests/ApusTestWorker"),
    .testTarget(
      name: "ApusProcessesTests",
      dependencies: ["ApusParallel", "ApusProcesses", "ApusTestJobs", "ApusTestSupport", "ApusTestWorker"]),
    .testTarget(
      name: "ApusDaskTests",
      dependencies: ["ApusDask", "ApusProcesses", "ApusTestJobs", "ApusTestSupport", "ApusTestWorker"],
      exclude: ["Bridge", "Requirements"]),
    .testTarget(name: "ApusLinearAlgebraTests", dependencies: ["ApusLinearAlgebra", "ApusTestSupport"]),
    .testTarget(name: "ApusDataTests", dependencies: ["ApusData", "ApusTestSupport"]),
    .testTarget(name: "ApusMLTests", dependencies: ["ApusML", "ApusTestSupport", "CKernels"]),
    // The image, compose.yaml and kubernetes/: files are read everywhere, clusters run where there is an engine.
    .testTarget(
      name: "ApusDeploymentTests",
      dependencies: ["ApusTestSupport", .product(name: "Yams", package: "Yams")],
      exclude: ["Support/layers.py"]),
    // Nothing of Apus is imported here: these tests build a package that does, and drive the program.
    .testTarget(name: "ApusDocumentationTests", dependencies: ["ApusCommandLine", "ApusTestSupport"]),
    .testTarget(
      name: "ApusNotebookTests",
      dependencies: ["ApusCommandLine", "ApusML", "ApusNotebook", "ApusNotebookHost", "ApusTestSupport"],
      exclude: ["Requirements", "Support/run_cells.py", "Support/use_lab.py"]),
    .testTarget(
      name: "ApusSearchTests", dependencies: ["ApusSearch", "ApusStudies", "ApusTestSupport"]),
    .testTarget(
      name: "ApusStudiesTests",
      dependencies: [
        "ApusSearch", "ApusStudies", "ApusTestSupport", .product(name: "GRDB", package: "GRDB.swift"),
      ]),
    .testTarget(
      name: "ApusCommandLineTests",
      dependencies: [
        "Apus", "ApusCommandLine", "ApusTestSupport", .product(name: "GRDB", package: "GRDB.swift"),
      ]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c11
)
