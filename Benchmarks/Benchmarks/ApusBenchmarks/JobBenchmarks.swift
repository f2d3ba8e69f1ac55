import Apus
import Benchmark

/// A job that does nothing: what is left is the cost of running one.
private struct Nothing: Job {
  static let wireName = "benchmark.nothing"
  let number: Int
  func run(in context: JobContext) throws -> Int { number }
}

func jobBenchmarks() {
  Benchmark("Jobs: 10,000 empty ones on threads") { _ in
    let backend = try ThreadBackend()
    for await result in backend.run((0..<10_000).lazy.map(Nothing.init)) { blackHole(result.index) }
  }

  Benchmark("Jobs: 10,000 empty ones in a plain loop") { _ in
    let backend = try ThreadBackend(workers: 1)
    for await result in backend.run((0..<10_000).lazy.map(Nothing.init)) { blackHole(result.index) }
  }

  Benchmark("Parallel: map over 10,000 numbers") { _ in
    blackHole(try Parallel().map(0..<10_000) { $0 &* 3 })
  }
}
