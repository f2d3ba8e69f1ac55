import ApusTestSupport
import Testing

/// The bridge's own tests, in its own language.
@Suite struct BridgeTests {
  @Test(.blocking) func theTestsOfTheWorkersHalfPass() throws {
    let tests = repositoryRoot.appendingPathComponent("Tests/ApusDaskTests/Bridge/test_worker.py").path
    let sources = repositoryRoot.appendingPathComponent("Sources/CApusBridge").path
    let run = try runProgram(LocalDask.python, ["-B", tests, sources])
    #expect(run.exitCode == 0, "\(run.errors)")
    #expect(run.errors.contains("Ran 14 tests"), "\(run.errors)")
  }
}
