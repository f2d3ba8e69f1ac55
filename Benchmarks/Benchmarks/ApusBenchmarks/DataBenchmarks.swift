import Apus
import Benchmark

func dataBenchmarks() {
  Benchmark("Data: read the 20,000 × 16 letters") { _ in
    blackHole(try Dataset(bundled: "letter"))
  }

  Benchmark("Data: digest of the letters") { benchmark in
    let data = try Dataset(bundled: "letter")
    benchmark.startMeasurement()
    // Half the rows are another data set: the digest of the whole is kept after the first time.
    blackHole(data.gatheringRows(0..<10_000).digest)
  }
}
