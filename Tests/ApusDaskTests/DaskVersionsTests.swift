import ApusDask
import ApusParallel
import ApusTestJobs
import ApusTestSupport
import Foundation
import Testing

/// Clusters of another version of Dask.
@Suite(.serialized, .timeLimit(.minutes(10))) struct DaskVersionsTests {
  @Test(arguments: [(LocalDask.python, LocalDask.olderPython), (LocalDask.olderPython, LocalDask.python)])
  func anotherVersionOfDaskIsRefusedWithBoth(here: String, there: String) async throws {
    let cluster = try LocalDask(workers: 1, python: there)
    func version(_ python: String) throws -> String {
      try runProgram(python, ["-c", "import distributed; print(distributed.__version__, end='')"]).output
    }
    let (mine, theirs) = (try version(here), try version(there))
    await #expect { try await DaskBackend(cluster) { $0.python = here } } throws: {
      let message = "\($0)"
      return message.contains(
        "it has another version of Dask\n  here       distributed \(mine), of \(here)\n")
        && message.contains("\n  scheduler  distributed \(theirs)\n")
        && message.contains("\(here) -m pip install 'distributed==\(theirs)'")
    }
  }

  @Test func anOlderDaskGivesTheSameBits() async throws {
    let python = LocalDask.olderPython
    let cluster = try LocalDask(python: python)
    let backend = try await DaskBackend(cluster, { $0.python = python })
    #expect(backend.status.daskVersion == "2024.2.0")
    let jobs = (0..<100).map { _ in RandomSum(microseconds: 100) }
    let numbers = SharedNumbers(count: 1000)
    let reference = try await backend.put(numbers)
    for await result in backend.run([SumShared(numbers: reference)]) {
      #expect(try result.outcome.get().sum == 999 * 500)
    }
    var found = [Int: Double]()
    for await result in backend.run(jobs, options: RunOptions(seed: Seed(9))) {
      found[result.index] = try result.outcome.get()
    }
    var expected = [Int: Double]()
    for await result in SequentialBackend().run(jobs, options: RunOptions(seed: Seed(9))) {
      expected[result.index] = try result.outcome.get()
    }
    #expect(found == expected)
    await backend.close()
  }

  @Test(.blocking) func anOlderDaskServesAWholeSearch() throws {
    let cluster = try LocalDask(python: LocalDask.olderPython)
    let apus = buildFolder.appendingPathComponent("apus").path
    var tables: [[Substring]] = []
    for backend in [["threads"], ["dask", "--scheduler", cluster.address, "--connect-timeout", "120"]] {
      let results = cluster.folder.appendingPathComponent("\(backend[0]).csv").path
      let run = try runProgram(
        apus,
        [
          "search", "iris", "--estimator", "k-neighbours-classifier", "--estimator", "logistic-regression",
          "--param",
          "neighbourCount=1,3,5", "--param", "c=0.1,1,10", "--seed", "3", "--results", results, "--backend",
        ] + backend, environment: ["APUS_PYTHON": LocalDask.olderPython])
      #expect(run.exitCode == 0, "\(run.errors)")
      let lines = try String(contentsOfFile: results, encoding: .utf8).split(separator: "\n")
      // Without the columns that say how long it took.
      let columns = lines[0].split(separator: ",", omittingEmptySubsequences: false)
      let kept = columns.indices.filter { !columns[$0].contains("time") }
      tables.append(
        lines.flatMap { line in
          let fields = line.split(separator: ",", omittingEmptySubsequences: false)
          return kept.map { fields[$0] }
        })
    }
    #expect(tables[0].count > 7 && tables[0] == tables[1])
  }
}
