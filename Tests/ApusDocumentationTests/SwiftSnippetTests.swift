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
    let run = try runProgram(scratch.appendingPathComponent("release/CustomEstimator").path)
    #expect(run.exitCode == 0, "\(run.errors)")
    #expect(run.output.contains("shrinkage 0.5: "))
    #expect(run.output.contains("the same bits on threads and on processes: true"))
  }
}
