import ApusData
import ApusLinearAlgebra
import ApusParallel

/// A test of whether one column, taken alone, has to do with the target.
public enum UnivariateTest: String, ParameterChoice {
  /// Analysis of variance for classes, correlation for numbers.
  case automatic
  /// The F test of a one-way analysis of variance: do the classes' means differ?
  case fClassif
  /// The F test of a linear regression on the column.
  case fRegression
  /// The chi-squared test of counts against the classes; columns must not be negative.
  case chi2
}

extension UnivariateTest {
  /// The statistic of every column, and its p-value.
  ///
  /// - Throws: ``ApusError`` of kind `data` for a target or features that the test cannot take.
  func results(_ all: Dataset, selection: String) throws -> [(score: Double, pValue: Double)] {
    let data = all.withoutRowsOfNoWeight
    switch self {
    case .automatic:
      if case .values = data.target {
        return try UnivariateTest.fRegression.results(data, selection: selection)
      }
      return try UnivariateTest.fClassif.results(data, selection: selection)
    case .fRegression:
      return try regression(data.features, data.regressionTarget(for: "\(selection) by fRegression"))
    case .fClassif:
      return try varianceAnalysis(
        data.features, ClassificationInput(data, estimator: "\(selection) by fClassif"))
    case .chi2:
      return try chiSquared(data, ClassificationInput(data, estimator: "\(selection) by chi2"))
    }
  }

  private func regression(_ features: Matrix<Double>, _ target: [Double]) throws -> [(
    score: Double, pValue: Double
  )] {
    let n = Double(target.count)
    guard n > 2 else { throw ApusError(.data, "an F test of a regression needs at least three rows") }
    let centred = Self.centred(target)
    let targetSquares = centred.reduce(0) { $0 + $1 * $1 }
    return (0..<features.columnCount).map { column in
      let values = Self.centred(features.column(column))
      let squares = values.reduce(0) { $0 + $1 * $1 }
      let product = zip(values, centred).reduce(0) { $0 + $1.0 * $1.1 }
      let correlation = product / (squares * targetSquares).squareRoot()
      let explained = min(1, correlation * correlation)
      let score = explained / (1 - explained) * (n - 2)
      return (score, Distributions.fisherSurvival(score, 1, n - 2))
    }
  }

  private static func centred(_ values: [Double]) -> [Double] {
    let mean = values.reduce(0, +) / Double(values.count)
    return values.map { $0 - mean }
  }

  private func varianceAnalysis(
    _ features: Matrix<Double>, _ input: ClassificationInput
  ) throws -> [(score: Double, pValue: Double)] {
    let k = input.labels.count
    let n = Double(features.rowCount)
    guard features.rowCount > k else {
      throw ApusError(.data, "an analysis of variance of \(k) classes needs more than \(k) rows")
    }
    var counts = [Double](repeating: 0, count: k)
    for label in input.classes { counts[Int(label)] += 1 }
    return (0..<features.columnCount).map { column in
      let values = features.column(column)
      let mean = values.reduce(0, +) / n
      var means = [Double](repeating: 0, count: k)
      for (value, label) in zip(values, input.classes) { means[Int(label)] += value - mean }
      for label in 0..<k { means[label] /= counts[label] }
      let between = (0..<k).reduce(0) { $0 + counts[$1] * means[$1] * means[$1] }
      let within = zip(values, input.classes).reduce(0) { sum, pair in
        let deviation = pair.0 - mean - means[Int(pair.1)]
        return sum + deviation * deviation
      }
      let score = (between / Double(k - 1)) / (within / (n - Double(k)))
      return (score, Distributions.fisherSurvival(score, Double(k - 1), n - Double(k)))
    }
  }

  private func chiSquared(
    _ data: Dataset, _ input: ClassificationInput
  ) throws -> [(score: Double, pValue: Double)] {
    let k = input.labels.count
    var shares = [Double](repeating: 0, count: k)
    for label in input.classes { shares[Int(label)] += 1 / Double(data.rowCount) }
    return try (0..<data.featureCount).map { column in
      let values = data.features.column(column)
      if let row = values.firstIndex(where: { $0 < 0 }) {
        throw ApusError(
          .data,
          "chi2 needs counts, but row \(row + 1) of column '\(data.columns[column].name)' is \(values[row])",
          hint: "choose fClassif for columns that can be negative")
      }
      var observed = [Double](repeating: 0, count: k)
      for (value, label) in zip(values, input.classes) { observed[Int(label)] += value }
      let total = values.reduce(0, +)
      let score = (0..<k).reduce(0) { sum, label in
        let expected = shares[label] * total
        return sum + (observed[label] - expected) * (observed[label] - expected) / expected
      }
      return (score, Distributions.chiSquaredSurvival(score, Double(k - 1)))
    }
  }
}

extension Dataset {
  /// The rows whose weight is not zero; tests count each of them as one.
  fileprivate var withoutRowsOfNoWeight: Dataset {
    guard let weights, weights.contains(0) else { return self }
    return gatheringRows(weights.indices.filter { weights[$0] > 0 })
  }
}
