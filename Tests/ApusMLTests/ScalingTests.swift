import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import ApusTestSupport
import Foundation
import Testing

private struct TransformationGoldens: Decodable {
  struct Analysis: Decodable {
    var components: [[Double]]
    var variances: [Double]
    var ratios: [Double]
    var singularValues: [Double]
    var coordinates: [[Double]]
  }

  var features: [[Double]]
  var weights: [Double]
  var options: [String: [[Double]]]
  var present: [[Double]]
  var minMax: [[Double]]
  var maxAbs: [[Double]]
  var robust: [[Double]]
  var normalized: [String: [[Double]]]
  var pca: Analysis
  var pcaShare: Analysis
  var pcaWhite: Analysis
  var svd: Analysis
}

private let goldens = Result { try Golden.load("scaling.json", as: TransformationGoldens.self) }

/// Whether values are equal up to rounding, missing ones at the same places.
private func areClose(_ actual: Matrix<Double>, _ expected: [[Double]], _ tolerance: Double = 1e-9) -> Bool {
  let expected = expected.flatMap { $0 }
  guard actual.count == expected.count else { return false }
  return zip(actual.elements, expected).allSatisfy {
    ($0.isNaN && $1.isNaN) || abs($0 - $1) <= tolerance * max(1, abs($1))
  }
}

@Suite struct ScalerTests {
  private func transformed<Scaler: TransformerEstimator>(_ scaler: Scaler) throws -> Matrix<Double> {
    let data = try Dataset(features: Matrix(goldens.get().features))
    return try scaler.fit(data).transform(data.features)
  }

  @Test func scalersEqualScikitLearn() throws {
    let goldens = try goldens.get()
    let minMax = try MinMaxScaler().setting(["minimum": .integer(-1), "maximum": .integer(2)])
    #expect(areClose(try transformed(minMax), goldens.minMax))
    #expect(areClose(try transformed(MaxAbsScaler()), goldens.maxAbs))
    let robust = try RobustScaler().setting(["lowerQuantile": .integer(10), "upperQuantile": .integer(80)])
    #expect(areClose(try transformed(robust), goldens.robust, 1e-8))
  }

  /// Fitted on the even rows, applied to the odd ones, of which some lie beyond.
  @Test(arguments: [
    "standard, no mean", "standard, no std", "standard, neither", "standard, no mean, weights",
    "standard, no std, weights", "robust, no centering", "robust, no scaling", "robust, neither",
    "minmax, no clip", "minmax, clip", "maxabs",
  ]) func optionsEqualScikitLearn(name: String) throws {
    let goldens = try goldens.get()
    #expect(goldens.options.count == 11)
    let words = name.components(separatedBy: ", ")
    let isBare = words.contains("neither")
    let scaler: any TransformerEstimator
    switch words[0] {
    case "standard":
      var standard = StandardScaler()
      standard.withMean = !isBare && !words.contains("no mean")
      standard.withStd = !isBare && !words.contains("no std")
      scaler = standard
    case "robust":
      var robust = RobustScaler()
      robust.withCentering = !isBare && !words.contains("no centering")
      robust.withScaling = !isBare && !words.contains("no scaling")
      if !robust.withScaling && !isBare { (robust.lowerQuantile, robust.upperQuantile) = (10, 80) }
      scaler = robust
    case "minmax":
      scaler = try MinMaxScaler().setting([
        "minimum": .integer(-1), "maximum": .integer(2), "clip": .boolean(words.contains("clip")),
      ])
    default: scaler = MaxAbsScaler()
    }
    let (even, odd) = ((0..<20).map { 2 * $0 }, (0..<20).map { 2 * $0 + 1 })
    let all = try Dataset(
      features: Matrix(goldens.features), weights: words.contains("weights") ? goldens.weights : nil)
    let model = try scaler.fittedModel(all.gatheringRows(even), FitContext()) as? any TransformationModel
    let result = try #require(model).transform(all.gatheringRows(odd).features, .sequential)
    #expect(areClose(result, try #require(goldens.options[name]), 1e-9))
  }

  /// scikit-learn's has no weights. With unequal ones a quantile is the lowest value with the wanted share of the
  /// weight at or below it: of so many copies of each row, the one at that place.
  @Test func robustScalersCountWeightsAsRepeatedRows() throws {
    let plain = try Dataset(features: Matrix(goldens.get().features))
    let counts = (0..<40).map { $0 * 7 % 5 }
    let weighted = try plain.replacingWeights(counts.map(Double.init))
    let copies = plain.gatheringRows(counts.indices.flatMap { [Int](repeating: $0, count: counts[$0]) })
    func quantile(_ column: Int, _ percent: Int) -> Double {
      let sorted = copies.features.column(column).filter { !$0.isNaN }.sorted()
      return sorted[(percent * sorted.count + 99) / 100 - 1]
    }
    for (centering, scaling) in [(true, true), (false, true), (true, false)] {
      var scaler = RobustScaler()
      (scaler.withCentering, scaler.withScaling) = (centering, scaling)
      (scaler.lowerQuantile, scaler.upperQuantile) = (25, 80)
      let model = try scaler.fit(weighted)
      #expect((model.offset != nil) == centering && (model.scale != nil) == scaling)
      for column in 0..<5 {
        if let offset = model.offset { #expect(offset[column] == quantile(column, 50)) }
        let range = quantile(column, 80) - quantile(column, 25)
        if let scale = model.scale { #expect(scale[column] == (range == 0 ? 1 : range)) }
      }
    }
    // Equal weights are no weights, to the bit.
    let equal = try RobustScaler().fit(plain.replacingWeights([Double](repeating: 2.5, count: 40)))
    let bare = try RobustScaler().fit(plain)
    #expect(equal.offset == bare.offset && equal.scale == bare.scale)
  }

  @Test func standardScalersCountWeightsAsRepeatedRows() throws {
    let plain = try Dataset(features: Matrix(goldens.get().features))
    let counts = (0..<40).map { $0 * 7 % 4 }
    let repeated = plain.gatheringRows(counts.indices.flatMap { [Int](repeating: $0, count: counts[$0]) })
    let weighted = try plain.replacingWeights(counts.map(Double.init))
    for (mean, deviation) in [(true, false), (false, true), (true, true)] {
      var scaler = StandardScaler()
      (scaler.withMean, scaler.withStd) = (mean, deviation)
      let (own, expected) = (try scaler.fit(weighted), try scaler.fit(repeated))
      #expect(
        areClose(
          try own.transform(plain.features), try expected.transform(plain.features).rowArrays, 1e-9))
    }
  }

  @Test(arguments: ["l1", "l2", "max"]) func normsEqualScikitLearn(norm: String) throws {
    let goldens = try goldens.get()
    let data = try Dataset(features: Matrix(goldens.present))
    let model = try Normalizer().setting(["norm": .string(norm)]).fit(data)
    #expect(areClose(try model.transform(data.features), goldens.normalized[norm]!, 1e-14))
    #expect(try model.transform(Matrix(rowCount: 1, columnCount: 13)).elements.allSatisfy { $0 == 0 })
  }

  @Test func clippingKeepsLaterValuesInside() throws {
    var scaler = MinMaxScaler()
    scaler.clip = true
    let model = try scaler.fit(Dataset(features: Matrix([[0.0], [10]])))
    let result = try model.transform(Matrix([[-5.0], [5], [50], [.nan]])).elements
    #expect(Array(result[..<3]) == [0, 0.5, 1] && result[3].isNaN)
  }

  @Test func rowsOfWeightZeroDoNotCount() throws {
    let data = try Dataset(features: Matrix([[0.0], [10], [99]]), weights: [1, 1, 0])
    #expect(try MinMaxScaler().fit(data).scale == [10])
    #expect(try MaxAbsScaler().fit(data).scale == [10])
    #expect(try RobustScaler().fit(data).scale == [10])
    var bare = StandardScaler()
    (bare.withMean, bare.withStd) = (false, false)
    #expect(try bare.fit(data).transform(data.features) == data.features)
  }

  @Test func badInputIsRefused() throws {
    let data = try Dataset(features: Matrix([[0.0], [10]]))
    #expect { try MinMaxScaler().setting(["maximum": .integer(-1)]).fit(data) } throws: {
      ($0 as? ApusError)?.kind == .invalidParameter
    }
    #expect { try RobustScaler().setting(["lowerQuantile": .integer(80)]).fit(data) } throws: {
      ($0 as? ApusError)?.kind == .invalidParameter
    }
    #expect { try Normalizer().fit(Dataset(features: Matrix([[Double.nan]]))) } throws: {
      ($0 as? ApusError)?.kind == .data
    }
  }
}

@Suite struct PCATests {
  private func data() throws -> Dataset { try Dataset(features: Matrix(goldens.get().present)) }

  private func check(
    _ model: PCAModel, _ golden: TransformationGoldens.Analysis, _ data: Dataset, _ tolerance: Double
  ) throws {
    #expect(areClose(model.components, golden.components, tolerance))
    #expect(relativeDifference(model.explainedVariances, golden.variances) < tolerance)
    #expect(relativeDifference(model.explainedVarianceRatios, golden.ratios) < tolerance)
    #expect(relativeDifference(model.singularValues, golden.singularValues) < tolerance)
    #expect(areClose(try model.transform(data.features), golden.coordinates, 100 * tolerance))
  }

  @Test func equalsScikitLearn() throws {
    let (data, goldens) = (try data(), try goldens.get())
    try check(PCA().fit(data), goldens.pca, data, 1e-9)
    try check(PCA().setting(["n_components": .real(0.9999)]).fit(data), goldens.pcaShare, data, 1e-9)
    let white = try PCA().setting(["componentCount": .integer(3), "whiten": .boolean(true)])
    try check(white.fit(data), goldens.pcaWhite, data, 1e-9)
    let svd = try TruncatedSVD().setting(["n_components": .integer(3)])
    try check(svd.fit(data), goldens.svd, data, 1e-9)
  }

  @Test func manyRowsGiveTheSameAsFew() throws {
    // Eight copies of the rows take the way through the covariance.
    let data = try data()
    let copies = data.gatheringRows((0..<480).map { $0 % 60 })
    let weighted = try PCA().fit(data.replacingWeights([Double](repeating: 8, count: 60)))
    let model = try PCA().fit(copies)
    #expect(areClose(model.components, weighted.components.rowArrays, 1e-6))
    #expect(relativeDifference(model.explainedVariances, weighted.explainedVariances) < 1e-9)
  }

  /// A row of weight two is two rows, one of weight zero none.
  @Test(arguments: [false, true]) func weightsCountAsRepeatedRows(whitens: Bool) throws {
    let data = try data()
    let counts = (0..<60).map { $0 * 5 % 4 }
    let weighted = try data.replacingWeights(counts.map(Double.init))
    let repeated = data.gatheringRows(counts.indices.flatMap { [Int](repeating: $0, count: counts[$0]) })
    let pca = try PCA().setting(["n_components": .integer(4), "whiten": .boolean(whitens)])
    let svd = try TruncatedSVD().setting(["n_components": .integer(4)])
    for (own, expected) in [
      (try pca.fit(weighted), try pca.fit(repeated)), (try svd.fit(weighted), try svd.fit(repeated)),
    ] {
      #expect(areClose(own.components, expected.components.rowArrays, 1e-8))
      #expect(relativeDifference(own.explainedVariances, expected.explainedVariances) < 1e-9)
      #expect(relativeDifference(own.explainedVarianceRatios, expected.explainedVarianceRatios) < 1e-9)
      #expect(relativeDifference(own.singularValues, expected.singularValues) < 1e-9)
      let rows = try expected.transform(data.features).rowArrays
      #expect(areClose(try own.transform(data.features), rows, 1e-7))
    }
  }

  @Test func allComponentsLoseNothing() throws {
    let data = try data()
    let model = try PCA().setting(["whiten": .boolean(true)]).fit(data)
    let back = try model.inverseTransform(model.transform(data.features))
    #expect(areClose(back, data.features.rowArrays, 1e-9))
    #expect(model.transformedColumns(data.columns).map(\.name).first == "component0")
  }

  @Test func badInputIsRefused() throws {
    let data = try data()
    #expect { try PCA().setting(["componentCount": .integer(14)]).fit(data) } throws: {
      ($0 as? ApusError)?.kind == .data
    }
    #expect { try PCA().setting(["componentCount": .real(1.5)]) } throws: {
      ($0 as? ApusError)?.kind == .invalidParameter
    }
    let constant = try Dataset(features: Matrix([[1.0, 2], [1, 2]]))
    #expect(try PCA().fit(constant).transform(constant.features).elements.allSatisfy { $0 == 0 })
  }
}
