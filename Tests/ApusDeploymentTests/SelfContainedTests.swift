import ApusTestSupport
import Foundation
import Testing

/// `apus` as one file for hosts that have nothing of what it is built with.
@Suite(.blocking) struct SelfContainedTests {
  @Test(
    .enabled(
      if: ProcessInfo.processInfo.environment["APUS_TEST_BUILDS"] == "1",
      "building it takes some ten minutes: APUS_TEST_BUILDS=1 does"),
    .timeLimit(.minutes(60)))
  func itSearchesWhereNothingIsAndIsBroughtToACluster() throws {
    let build = try runProgram(
      repositoryRoot.appendingPathComponent("Scripts/build-self-contained").path, in: repositoryRoot)
    try #require(build.exitCode == 0, "\(build.errors.suffix(3000))")
    let program = repositoryRoot.appendingPathComponent(".build/self-contained/release/apus")
    let libraries = try runProgram("ldd", [program.path])
    #expect(
      libraries.errors.contains("not a dynamic executable") || libraries.output.contains("statically linked"),
      "\(libraries)")

    try withTemporaryFolder { folder in
      func table(_ name: String) throws -> ResultsTable {
        ResultsTable(try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8))
      }
      let search = TestedSearch.arguments(steps: 3)
      let here = try runProgram(
        buildFolder.appendingPathComponent("apus").path,
        search + ["--results", folder.appendingPathComponent("here.csv").path])
      #expect(here.exitCode == 0, "\(here.errors)")

      // A root folder that has the file and /proc, and nothing else.
      try FileManager.default.copyItem(at: program, to: folder.appendingPathComponent("apus"))
      try FileManager.default.createDirectory(
        at: folder.appendingPathComponent("proc"), withIntermediateDirectories: false)
      let enter = #"mount --rbind /proc "$0/proc" && exec chroot "$0" /apus "$@""#
      let alone = try runProgram(
        "unshare",
        ["--map-root-user", "--mount", "sh", "-c", enter, folder.path] + search
          + ["--results", "/alone.csv"])
      #expect(alone.exitCode == 0, "\(alone.errors)")
      #expect(try table("alone.csv") == table("here.csv"))

      let environment = [
        "APUS_PYTHON": repositoryRoot.appendingPathComponent(".build/dask/bin/python").path,
        "XDG_STATE_HOME": folder.appendingPathComponent("state").path,
      ]
      func apus(_ arguments: [String]) throws -> ProgramResult {
        try runProgram(program.path, arguments, environment: environment)
      }
      let up = try apus(["cluster", "up", "--workers", "2"])
      #expect(up.exitCode == 0, "\(up.errors)")
      defer { _ = try? apus(["cluster", "down"]) }
      let cluster = try apus(
        search + ["--backend", "dask", "--results", folder.appendingPathComponent("cluster.csv").path])
      #expect(cluster.exitCode == 0, "\(cluster.errors)")
      #expect(try table("cluster.csv") == table("here.csv"))
    }
  }
}
