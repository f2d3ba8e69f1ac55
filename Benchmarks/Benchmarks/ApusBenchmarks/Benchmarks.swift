import Apus
import Benchmark

let benchmarks: @Sendable () -> Void = {
  Benchmark.defaultConfiguration = .init(
    metrics: [.wallClock, .instructions], scalingFactor: .kilo, maxDuration: .seconds(2))

  Benchmark("Seeds: derive a child and draw a number") { benchmark in
    let root = Seed(7)
    for index in benchmark.scaledIterations {
      var random = root.derived("tree", index).randomSource()
      blackHole(random.next())
    }
  }
}
