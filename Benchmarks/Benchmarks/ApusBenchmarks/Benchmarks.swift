import Apus
import Benchmark

let benchmarks: @Sendable () -> Void = {
  Benchmark.defaultConfiguration = .init(
    metrics: [.wallClock, .instructions], scalingFactor: .one, maxDuration: .seconds(2))
  seedBenchmarks()
  jobBenchmarks()
  dataBenchmarks()
  fitBenchmarks()
}
