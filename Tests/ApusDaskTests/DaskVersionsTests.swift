import ApusDask
import ApusParallel
import ApusTestJobs
import ApusTestSupport
import Foundation
import Testing

/// Clusters of another version of Dask.
@Suite(.serialized, .timeLimit(.minutes(10))) struct DaskVersionsTests {
  @Test func anotherVersionOfDaskIsRefusedWithBoth() async throws {
    let cluster = try LocalDask(workers: 1, python: LocalDask.olderPython)
    await #expect { try await DaskBackend(cluster) } throws: {
      let message = "\($0)"
      return message.contains("does not speak as this version of Dask does")
        && message.contains("here       distributed 20") && message.contains("-m pip install 'distributed==")
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
