import Apus
import Foundation

/// A job that does nothing: what is left is the cost of having it done elsewhere.
struct Nothing: Job {
  static let wireName = "comparison.nothing"
  let number: Int
  func run(in context: JobContext) throws -> Int { number }
}

/// Ridge regression that shares no work with its neighbours in a grid: every fit is a job of its own.
struct LoneRidge: Estimator {
  static let name = "lone-ridge"
  static let summary = "Ridge regression, one fit a job."
  static let task = LearningTask.regression
  static let hyperparameters = [Hyperparameter("alpha", \LoneRidge.alpha, "Strength of the penalty.")]
  var alpha = 1.0

  func fit(_ data: Dataset, _ context: FitContext) throws -> LinearRegressionModel {
    try Ridge(alpha: alpha).fit(data, context)
  }
}

/// Times one backend and prints the seconds of each case as JSON.
///
/// Usage: `BackendComparison threads|processes WORKERS`, `BackendComparison dask SCHEDULER`, or
/// `BackendComparison many SCHEDULER JOBS WORKERS`, which waits for so many workers, lets each do something, says so by a
/// line, and runs so many jobs once.
@main enum BackendComparison {
  static let jobs = 10_000
  static let alphas = (1...400).map { 0.01 * Double($0) }

  static let registry: JobRegistry = {
    var registry = JobRegistry.modelSelection
    registry.register(Nothing.self)
    return registry
  }()

  static func main() async throws {
    EstimatorRegistry.shared.register(LoneRidge.self)
    WorkerHook.runIfWorker(registry)
    let place = CommandLine.arguments[2]
    let workers = Int(place) ?? -1
    let seconds =
      switch CommandLine.arguments[1] {
      case "threads": try await measure { try ThreadBackend(workers: workers, threadsPerWorker: 1) }
      case "dask": try await measure { try await DaskBackend(place, registry: registry) }
      case "many":
        try await many(
          Int(CommandLine.arguments[3]) ?? 1, on: place, workers: Int(CommandLine.arguments[4]) ?? 1)
      default:
        try await measure { try ProcessBackend(registry: registry, workers: workers, threadsPerWorker: 1) }
      }
    print(String(decoding: try JSONEncoder().encode(seconds), as: UTF8.self))
  }

  static func many(_ count: Int, on scheduler: String, workers: Int) async throws -> [String: Double] {
    let backend = try await DaskBackend(scheduler, registry: registry)
    while backend.status.workers.count < workers { try await Task.sleep(for: .milliseconds(50)) }
    var seen = Set<String>()
    while seen.count < workers {
      for await result in backend.run((0..<4 * workers).map(Nothing.init)) {
        if case .success(_, let execution) = result.outcome { seen.insert(execution.worker) }
      }
    }
    print("warm")
    fflush(nil)
    let start = ContinuousClock.now
    var sum = 0
    for await result in backend.run((0..<count).lazy.map(Nothing.init)) { sum += try result.outcome.get() }
    precondition(sum == count * (count - 1) / 2)
    let seconds = ["seconds": elapsed(since: start), "retries": Double(backend.status.retries)]
    await backend.close()
    return seconds
  }

  static func measure(
    _ make: @Sendable () async throws -> some ParallelBackend
  ) async throws -> [String: Double] {
    let iris = try Dataset(bundled: "iris")
    let data = try Dataset(features: iris.features, target: .values(iris.features.column(0)))
    let options = SearchOptions(splitter: KFold(folds: 5), refits: false)
    let grid = GridSearch(ParameterGrid(Ridge()).varying(\.alpha, alphas), options)
    let lone = GridSearch(ParameterGrid(LoneRidge()).varying(\.alpha, alphas), options)

    var start = ContinuousClock.now
    let backend = try await make()
    let slots = backend.capacity.slots
    _ = try await backend.outputs(of: (0..<slots).map(Nothing.init))
    var seconds = ["start": elapsed(since: start)]
    func time(_ name: String, _ body: () async throws -> Void) async throws {
      for _ in 0..<3 {
        start = .now
        try await body()
        seconds[name] = min(seconds[name] ?? .infinity, elapsed(since: start))
      }
    }
    try await time("reuse") { _ = try await backend.outputs(of: (0..<slots).map(Nothing.init)) }
    try await time("jobs") {
      let outputs = try await backend.outputs(of: (0..<jobs).lazy.map(Nothing.init))
      precondition(outputs.count == jobs)
    }
    try await time("fits") { try check(await lone.run(on: data, backend: backend)) }
    try await time("grid") { try check(await grid.run(on: data, backend: backend)) }
    if let dask = backend as? DaskBackend { await dask.close() }
    return seconds
  }

  static func check(_ outcome: SearchOutcome) throws {
    precondition(outcome.results.candidates.count == alphas.count && outcome.results.failures.isEmpty)
  }

  static func elapsed(since start: ContinuousClock.Instant) -> Double {
    (ContinuousClock.now - start) / .seconds(1)
  }
}
