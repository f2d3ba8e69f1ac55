import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import Testing

/// Answers that must not depend on the unit or the origin of the features.
@Suite struct ExtremeScaleTests {
  private func cloud(_ rows: Int, _ columns: Int, seed: UInt64 = 3) -> [[Double]] {
    var random = Seed(seed).randomSource()
    return (0..<rows).map { _ in (0..<columns).map { _ in random.normal() } }
  }

  private func moved(_ rows: [[Double]], by offset: Double) -> Matrix<Double> {
    Matrix(rows.map { $0.map { $0 + offset } })
  }

  @Test(arguments: [-1000, -600, -550, 550, 600, 1000]) func scalersUndoAnyPowerOfTwo(exponent: Int) throws {
    let rows = cloud(50, 3)
    let unit = Double(sign: .plus, exponent: exponent, significand: 1)
    let weights = (0..<50).map { Double($0 % 3) }
    let plain = try Dataset(features: Matrix(rows), weights: weights)
    let extreme = try Dataset(features: Matrix(rows.map { $0.map { $0 * unit } }), weights: weights)
    let expected = try StandardScaler().fit(plain).transform(plain.features)
    let scaled = try StandardScaler().fit(extreme).transform(extreme.features)
    for (value, wanted) in zip(scaled.elements, expected.elements) { #expect(abs(value - wanted) < 1e-12) }

    let selection = try VarianceThreshold().fit(extreme)
    #expect(selection.keptColumns == [0, 1, 2])

    for norm in [RowNorm.l1, .l2, .max] {
      var normalizer = Normalizer()
      normalizer.norm = norm
      let units = try normalizer.fit(plain).transform(plain.features)
      let extremeUnits = try normalizer.fit(extreme).transform(extreme.features)
      for (value, wanted) in zip(extremeUnits.elements, units.elements) {
        #expect(abs(value - wanted) < 1e-15, "\(norm)")
      }
    }
  }

  /// In the linear kernel an offset changes the bias alone.
  @Test(arguments: [1e3, 1e6]) func linearSupportVectorsDoNotMindAnOffset(offset: Double) throws {
    let rows = cloud(120, 3)
    let labels = rows.map { $0[0] + 0.5 * $0[1] > 0.3 ? "a" : $0[2] > 0 ? "b" : "c" }
    var classifier = SVC()
    (classifier.kernel, classifier.tolerance) = (.linear, 1e-6)
    let near = try classifier.fit(Dataset(features: Matrix(rows), target: .classes(labels)))
    let far = try classifier.fit(Dataset(features: moved(rows, by: offset), target: .classes(labels)))
    let expected = try near.decisionValues(Matrix(rows)).elements
    let values = try far.decisionValues(moved(rows, by: offset)).elements
    for (value, wanted) in zip(values, expected) { #expect(abs(value - wanted) < 1e-3) }

    var regressor = SVR()
    (regressor.kernel, regressor.tolerance) = (.linear, 1e-6)
    let target = rows.map { 2 * $0[0] - $0[1] }
    let nearLine = try regressor.fit(Dataset(features: Matrix(rows), target: .values(target)))
    let farLine = try regressor.fit(Dataset(features: moved(rows, by: offset), target: .values(target)))
    let line = try farLine.predict(moved(rows, by: offset))
    for (value, wanted) in zip(line, try nearLine.predict(Matrix(rows))) {
      #expect(abs(value - wanted) < 1e-3)
    }
  }

  @Test func aPolynomialKernelFarFromZeroIsRefused() throws {
    let rows = cloud(60, 2)
    let labels = rows.map { $0[0] > 0 ? "a" : "b" }
    var classifier = SVC()
    classifier.kernel = .polynomial
    _ = try classifier.fit(Dataset(features: moved(rows, by: 3), target: .classes(labels)))
    let error = #expect(throws: ApusError.self) {
      try classifier.fit(Dataset(features: moved(rows, by: 300), target: .classes(labels)))
    }
    #expect(error?.kind == .numerical)
    #expect(error?.hint?.contains("standard-scaler+svc") == true)
  }

  /// The variance of what is constant is zero, not the rounding of its mean.
  @Test(arguments: [3.0, 3.1, 1e-9]) func gammaOfConstantFeaturesIsOne(value: Double) throws {
    let data = try Dataset(
      features: Matrix(rowCount: 42, columnCount: 2, repeating: value),
      target: .classes((0..<42).map { $0 % 2 == 0 ? "a" : "b" }))
    #expect(try SVC().fit(data).gamma == 1)
  }

  /// With equal sums of weights on both sides every row is at its bound, and a whole interval of biases is best.
  @Test func theBiasIsTheMiddleOfItsInterval() throws {
    let rows = [[0.0], [1], [2], [3], [10], [11], [12]]
    var classifier = SVC()
    (classifier.kernel, classifier.c, classifier.classWeight) = (.linear, 1e-3, .balanced)
    classifier.tolerance = 1e-9
    let model = try classifier.fit(
      Dataset(features: Matrix(rows), target: .classes(["a", "a", "a", "a", "b", "b", "b"])))
    // All multipliers are at their bounds C·n/(k·n_c); the gradients of the two sides end at 1 ± w·x.
    let multipliers =
      [Double](repeating: 1e-3 * 7 / 8, count: 4) + [Double](repeating: 1e-3 * 7 / 6, count: 3)
    let slope = zip(rows, multipliers).enumerated().reduce(0.0) {
      $0 + ($1.offset < 4 ? 1 : -1) * $1.element.0[0] * $1.element.1
    }
    let sides = (rows[..<4].map { 1 - slope * $0[0] }, rows[4...].map { -1 - slope * $0[0] })
    let middle = (sides.0.min()! + sides.1.max()!) / 2
    let values = try model.decisionValues(Matrix(rows)).elements
    let sign = values[0] > values[6] ? 1.0 : -1
    for (value, row) in zip(values, rows) { #expect(abs(sign * value - (slope * row[0] + middle)) < 1e-6) }
  }
}
