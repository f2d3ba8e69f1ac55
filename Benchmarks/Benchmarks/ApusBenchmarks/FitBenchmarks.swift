import Apus
import Benchmark

func fitBenchmarks() {
  // A sweep fits tiny models millions of times: what counts is the cost around the arithmetic.
  Benchmark("Fits: ridge on 150 × 4") { benchmark in
    let iris = try Dataset(bundled: "iris")
    let data = try Dataset(features: iris.features, target: .values(iris.features.column(0)))
    let context = FitContext(compute: .sequential)
    benchmark.startMeasurement()
    blackHole(try Ridge().fit(data, context))
  }

  Benchmark("Fits: logistic regression on iris") { benchmark in
    let data = try Dataset(bundled: "iris")
    let context = FitContext(compute: .sequential)
    benchmark.startMeasurement()
    blackHole(try LogisticRegression().fit(data, context))
  }

  Benchmark("Fits: k-means with 50 centres on the letters") { benchmark in
    var estimator = KMeans()
    estimator.clusterCount = 50
    let data = try Dataset(bundled: "letter")
    benchmark.startMeasurement()
    blackHole(try estimator.fit(data))
  }

  Benchmark("Searches: 400 tiny ridge fits by cross-validation") { benchmark in
    let iris = try Dataset(bundled: "iris")
    let data = try Dataset(features: iris.features, target: .values(iris.features.column(0)))
    let grid = ParameterGrid(Ridge()).varying(\.alpha, (1...80).map(Double.init))
    let search = GridSearch(grid, SearchOptions(splitter: KFold(folds: 5), refits: false))
    benchmark.startMeasurement()
    blackHole(try await search.run(on: data, backend: ThreadBackend()))
  }
}
