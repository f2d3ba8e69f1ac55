import Apus
import Benchmark

func seedBenchmarks() {
  Benchmark("Seeds: derive a child and draw a number", configuration: .init(scalingFactor: .kilo)) {
    benchmark in
    let root = Seed(7)
    for index in benchmark.scaledIterations {
      var random = root.derived("tree", index).randomSource()
      blackHole(random.next())
    }
  }
}
