import ApusTestSupport
import Foundation
import Testing

/// Builds a package outside this one that depends on Apus, with each Swift snippet of the guides as a program
/// of its own, and runs them all: so the package is usable as a dependency, and the snippets are right.
@Suite(.blocking) struct SwiftSnippetTests {
  @Test func everySnippetBuildsInAnOutsidePackageAndRuns() throws {
    let snippets = try Snippet.all(language: "swift")
    #expect(!snippets.isEmpty)
    try withTemporaryFolder { folder in
      let targets = try snippets.enumerated().map { index, snippet in
        let source = folder.appendingPathComponent("Sources/Snippet\(index)")
        try FileManager.default.createDirectory(at: source, withIntermediateDirectories: true)
        try Data(snippet.code.utf8).write(to: source.appendingPathComponent("main.swift"))
        return """
          .executableTarget(name: "Snippet\(index)", dependencies: [.product(name: "Apus", package: "apus")])
          """
      }
      let manifest = """
        // swift-tools-version: 6.0
        import PackageDescription
        let package = Package(
          name: "outside", platforms: [.macOS(.v15)],
          dependencies: [.package(name: "apus", path: "\(repositoryRoot.path)")],
          targets: [\(targets.joined(separator: ",\n"))])
        """
      try Data(manifest.utf8).write(to: folder.appendingPathComponent("Package.swift"))
      let build = try runProgram("swift", ["build", "--configuration", "release"], in: folder)
      #expect(build.exitCode == 0, "\(snippets)\n\(build.output)\(build.errors)")
      #expect(!build.output.contains("warning:"), "\(build.output)")
      guard build.exitCode == 0 else { return }
      for (index, snippet) in snippets.enumerated() {
        let run = try runProgram(
          folder.appendingPathComponent(".build/release/Snippet\(index)").path, in: folder)
        #expect(run.exitCode == 0, "\(snippet)\n\(run.output)\(run.errors)")
      }
      try runExample(scratch: folder.appendingPathComponent(".build"))
    }
  }

  /// Packages that name a version of Apus get stricter rules than those that name a path: products that they use must
  /// not pass flags of their own to the compiler or linker.
  @Test func theProductsCanBeUsedByVersion() throws {
    try withTemporaryFolder { folder in
      let copy = folder.appendingPathComponent("apus")
      try FileManager.default.createDirectory(at: copy, withIntermediateDirectories: true)
      let publish = """
        cp -R Package.swift Sources Tests Datasets "$0"
        mkdir "$0/Benchmarks"
        cp -R Benchmarks/Programs "$0/Benchmarks"
        cd "$0"
        git init --quiet
        git add .
        git -c user.name=Apus -c user.email=apus@localhost commit --quiet --message Release
        git tag 9.0.0
        """
      let published = try runProgram("/bin/bash", ["-euc", publish, copy.path], in: repositoryRoot)
      try #require(published.exitCode == 0, "\(published.errors)")
      let outside = folder.appendingPathComponent("outside")
      let source = outside.appendingPathComponent("Sources/outside")
      try FileManager.default.createDirectory(at: source, withIntermediateDirectories: true)
      try Data("import Apus\n".utf8).write(to: source.appendingPathComponent("main.swift"))
      let products = ["Apus", "ApusParallel", "ApusProcesses"]
        .map { ".product(name: \"\($0)\", package: \"apus\")" }.joined(separator: ", ")
      let manifest = """
        // swift-tools-version: 6.0
        import PackageDescription
        let package = Package(
          name: "outside", platforms: [.macOS(.v15)],
          dependencies: [.package(url: "file://\(copy.path)", from: "9.0.0")],
          targets: [.executableTarget(name: "outside", dependencies: [\(products)])])
        """
      try Data(manifest.utf8).write(to: outside.appendingPathComponent("Package.swift"))
      let run = try runProgram("swift", ["package", "show-executables"], in: outside)
      #expect(run.exitCode == 0 && run.output.contains("outside"), "\(run.output)\(run.errors)")
    }
  }

  /// Builds the example package, with what was built of Apus for the snippets, and runs it: an estimator of its
  /// own gives the same bits on threads and in worker processes.
  private func runExample(scratch: URL) throws {
    let example = repositoryRoot.appendingPathComponent("Examples/CustomEstimator")
    let build = try runProgram(
      "swift",
      [
        "build", "--configuration", "release", "--package-path", example.path, "--scratch-path", scratch.path,
      ])
    #expect(build.exitCode == 0, "\(build.output)\(build.errors)")
    #expect(!build.output.contains("warning:"), "\(build.output)")
    guard build.exitCode == 0 else { return }
    let environment = [
      "APUS_PYTHON": repositoryRoot.appendingPathComponent(".build/dask/bin/python").path,
      "XDG_STATE_HOME": scratch.appendingPathComponent("state").path,
    ]
    let apus = buildFolder.appendingPathComponent("apus").path
    let cluster = try runProgram(apus, ["cluster", "up", "--workers", "1"], environment: environment)
    #expect(cluster.exitCode == 0, "\(cluster.errors)")
    defer { _ = try? runProgram(apus, ["cluster", "down"], environment: environment) }
    let run = try runProgram(
      scratch.appendingPathComponent("release/CustomEstimator").path,
      [cluster.output.trimmingCharacters(in: .newlines)], environment: environment)
    #expect(run.exitCode == 0, "\(run.errors)")
    #expect(run.output.contains("the same bits on threads and on Dask: true"), "\(run.output)")
    #expect(run.output.contains("shrinkage 0.5: "))
    #expect(run.output.contains("the same bits on threads and on processes: true"))
  }
}
