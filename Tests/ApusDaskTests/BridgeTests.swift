import ApusTestSupport
import Testing

/// The bridge's own tests, in its own language.
@Suite(.blocking, .serialized, .timeLimit(.minutes(20))) struct BridgeTests {
  private static let folder = repositoryRoot.appendingPathComponent("Tests/ApusDaskTests/Bridge").path
  private static let sources = repositoryRoot.appendingPathComponent("Sources/CApusBridge").path

  @Test func theTestsOfTheWorkersHalfPass() throws {
    let run = try runProgram(LocalDask.python, ["-B", "\(Self.folder)/test_worker.py", Self.sources])
    #expect(run.exitCode == 0, "\(run.errors)")
    #expect(run.errors.contains("Ran 21 tests"), "\(run.errors)")
  }

  @Test(arguments: ["dask", "dask-older"]) func theTestsOfTheBridgesPartsPass(version: String) throws {
    let run = try runProgram(python(version), ["-B", "\(Self.folder)/test_bridge.py", Self.sources])
    #expect(run.exitCode == 0, "\(run.errors)")
    #expect(run.errors.contains("Ran 26 tests"), "\(run.errors)")
  }

  @Test(arguments: ["dask", "dask-older"]) func theTestsOnRealClustersPass(version: String) throws {
    let run = try runProgram(
      python(version), ["-B", "\(Self.folder)/test_cluster.py", Self.sources, LocalDask.program])
    #expect(run.exitCode == 0, "\(run.errors)")
    #expect(run.errors.contains("Ran 18 tests"), "\(run.errors)")
  }

  @Test(arguments: ["dask", "dask-older"]) func theTestsOfWhatHostsGetPass(version: String) throws {
    let run = try runProgram(
      python(version), ["-B", "\(Self.folder)/test_placement.py", Self.sources, LocalDask.program])
    #expect(run.exitCode == 0, "\(run.errors)")
    #expect(run.errors.contains("Ran 4 tests"), "\(run.errors)")
  }

  private func python(_ version: String) -> String {
    repositoryRoot.appendingPathComponent(".build/\(version)/bin/python").path
  }
}
