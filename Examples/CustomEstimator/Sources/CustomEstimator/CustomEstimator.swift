import Apus
import Foundation

/// Searches the shrinkage of an estimator of our own, on threads and in worker processes, and compares; with the
/// address of a Dask scheduler as its argument, on that cluster too (`APUS_CERTIFICATES` is the folder of its
/// certificates, where it speaks TLS).
@main enum CustomEstimator {
  static func main() async throws {
    EstimatorRegistry.shared.register(NearestCentroid.self)
    // The one line that lets this program be its own worker.
    WorkerHook.runIfWorker(.modelSelection)

    let data = try Dataset(bundled: "digits")
    let grid = ParameterGrid(NearestCentroid())
      .varying(\.shrinkage, [0, 0.1, 0.2, 0.3, 0.5, 0.8])
    let search = GridSearch(grid, SearchOptions(seed: Seed(7)))

    let threads = try await search.run(on: data, backend: ThreadBackend(workers: 2))
    let pool = try ProcessBackend(registry: .modelSelection, workers: 2)
    let processes = try await search.run(on: data, backend: pool)
    await pool.close()

    for candidate in threads.results.ranked {
      let score = candidate.scores[0]
      print("shrinkage \(candidate.parameters["shrinkage"]!): \(score.mean) ± \(score.standardDeviation)")
    }
    if let scheduler = CommandLine.arguments.dropFirst().first {
      var settings = ClusterSettings()
      if let folder = ProcessInfo.processInfo.environment["APUS_CERTIFICATES"] {
        settings.security = ClusterCertificates(folder: folder).security
      }
      let cluster = try await DaskBackend(scheduler, registry: .modelSelection, settings: settings)
      let dask = try await search.run(on: data, backend: cluster)
      await cluster.close()
      let same = threads.results.candidates.map(\.scores) == dask.results.candidates.map(\.scores)
      print("the same bits on threads and on Dask: \(same)")
    }
    let same = threads.results.candidates.map(\.scores) == processes.results.candidates.map(\.scores)
    print("the same bits on threads and on processes: \(same)")
  }
}
