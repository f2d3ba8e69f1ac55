import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import ApusTestSupport
import Foundation
import Testing

@Suite struct LogisticRegressionTests {
  static let cases = LinearModelCase.load("logistic_regression.json")

  @Test func goldensAreThere() { #expect(Self.cases.count == 20) }

  @Test(arguments: cases) func coefficientsAgreeWithScikitLearn(_ golden: LinearModelCase) throws {
    var estimator = try LogisticRegression().setting(golden.parameters)
    estimator.tolerance = 1e-10
    let model = try estimator.fit(golden.data())
    #expect(model.convergence?.converged == true)
    #expect(relativeDifference(model.coefficients.elements, golden.coefficients.flatMap(\.self)) < 1e-6)
    #expect(relativeDifference(model.intercepts, golden.intercepts) < 1e-6)
  }

  /// The largest component of the gradient of the mean loss with its penalty, from the model's own
  /// probabilities.
  private func gradientNorm(
    _ model: LogisticRegressionModel, _ data: Dataset, c: Double
  ) throws -> Double {
    let classes = try data.targetClasses()
    let weights = data.weights ?? [Double](repeating: 1, count: data.rowCount)
    let total = weights.reduce(0, +)
    let probabilities = try model.predictProbabilities(data.features)
    let k = model.intercepts.count
    let residuals = Matrix(rowCount: data.rowCount, columnCount: k) { r in
      for row in 0..<data.rowCount {
        for score in 0..<k {
          let label = k == 1 ? 1 : score
          let truth = Int(classes[row]) == label ? 1.0 : 0
          r[row * k + score] = weights[row] * (probabilities[row, label] - truth) / total
        }
      }
    }
    let slopes = try residuals.transposedMultiplied(by: data.features)
    var largest = (0..<k).map { abs(residuals.column($0).reduce(0, +)) }.max()!
    for score in 0..<k {
      for feature in 0..<data.featureCount {
        largest = max(
          largest, abs(slopes[score, feature] + model.coefficients[score, feature] / (c * total)))
      }
    }
    return largest
  }

  @Test(arguments: ["iris", "wine", "digits", "breast-cancer"], [1e-4, 1e-8])
  func gradientIsBelowTheTolerance(name: String, tolerance: Double) throws {
    let data = try Dataset(bundled: name)
    for c in [1e-3, 1, 1000] {
      let model = try LogisticRegression(c: c, tolerance: tolerance, maxIterations: 5000).fit(data)
      let convergence = try #require(model.convergence)
      #expect(convergence.converged, "\(name) c \(c): \(convergence)")
      #expect(try gradientNorm(model, data, c: c) <= 1.01 * tolerance)
    }
  }

  /// Most of the way is walked in single precision, in rows of whole vectors with gaps: the end is exact all the same,
  /// for numbers of classes around those of the vectors and beyond those that have such loops.
  @Test(arguments: [3, 8, 9, 17, 33, 48, 49], [false, true])
  func theEndIsExactForAnyNumberOfClasses(classCount: Int, isWeighted: Bool) throws {
    let (rowCount, featureCount) = (40 * classCount, 30)
    var random = Seed(11).derived("classes", classCount).randomSource()
    let labels = (0..<rowCount).map { "class \($0 % classCount)" }
    // Far from zero, and of different widths.
    let features = Matrix(rowCount: rowCount, columnCount: featureCount) { x in
      for row in 0..<rowCount {
        for column in 0..<featureCount {
          let isNear = column % classCount == row % classCount
          x[row * featureCount + column] =
            1000 + Double(1 + column % 3) * (random.uniform() + (isNear ? 0.5 : 0))
        }
      }
    }
    let weights = isWeighted ? (0..<rowCount).map { _ in 0.1 + random.uniform() } : nil
    let data = try Dataset(features: features, target: .classes(labels), weights: weights)
    for tolerance in [1e-3, 1e-7] {
      let model = try LogisticRegression(c: 1, tolerance: tolerance, maxIterations: 5000).fit(data)
      #expect(model.convergence?.converged == true, "\(String(describing: model.convergence))")
      #expect(try gradientNorm(model, data, c: 1) <= 1.01 * tolerance)
    }
  }

  @Test func manyRowsConvergeFromASample() throws {
    let data = try Dataset(bundled: "letter")
    let model = try LogisticRegression(c: 1).fit(data)
    #expect(try gradientNorm(model, data, c: 1) <= 1.001e-4)
    #expect(try #require(model.convergence).iterations < 60)
  }

  @Test func bitsAreTheSameAtEveryThreadCount() throws {
    for name in ["letter", "digits", "breast-cancer"] {
      let data = try Dataset(bundled: name)
      let estimator = LogisticRegression(c: 0.01, tolerance: 1e-3)
      let models = try [1, 2, 4].map {
        try estimator.fit(data, FitContext(compute: ComputeContext(threads: $0)))
      }
      #expect(models[1] == models[0])
      #expect(models[2] == models[0])
    }
  }

  @Test func weightsCountAsRepeatedRows() throws {
    let data = try Dataset(bundled: "iris")
    let weights = (0..<150).map { Double($0 % 3) }
    let repeated = data.gatheringRows((0..<150).flatMap { Array(repeating: $0, count: $0 % 3) })
    let estimator = LogisticRegression(tolerance: 1e-10)
    let weighted = try estimator.fit(data.replacingWeights(weights))
    let expected = try estimator.fit(repeated)
    #expect(relativeDifference(weighted.coefficients.elements, expected.coefficients.elements) < 1e-7)
  }

  @Test func probabilitiesSumToOneAndAgreeWithClasses() throws {
    for name in ["iris", "breast-cancer"] {
      let data = try Dataset(bundled: name)
      let model = try LogisticRegression().fit(data)
      let probabilities = try model.predictProbabilities(data.features)
      let classes = try model.predictClasses(data.features, .sequential)
      #expect(probabilities.columnCount == data.classLabels.count)
      for row in 0..<data.rowCount {
        let row_ = probabilities.row(row)
        #expect(abs(row_.reduce(0, +) - 1) < 1e-14)
        #expect(row_.firstIndex(of: row_.max()!) == Int(classes[row]))
      }
    }
  }

  @Test func separableClassesWithoutPenaltySayThatTheyDidNotConverge() throws {
    let data = try Dataset(
      features: Matrix([[0.0], [1], [2], [3]]), target: .classes(["a", "a", "b", "b"]))
    let model = try LogisticRegression(penalty: .none, tolerance: 1e-12, maxIterations: 20).fit(data)
    #expect(try model.predictLabels(data.features) == ["a", "a", "b", "b"])
    #expect(model.coefficients[0, 0].isFinite)
    #expect(try #require(model.convergence).converged == false)
  }

  @Test func degenerateDataGiveFiniteAnswers() throws {
    // More features than rows, a constant column, a column twice, and a class with one member.
    let base = try Dataset.linear(12, 40)
    var features = base.features
    for row in 0..<12 {
      features[row, 0] = 5
      features[row, 2] = features[row, 1]
    }
    let labels = (0..<12).map { $0 == 11 ? "rare" : $0 % 2 == 0 ? "even" : "odd" }
    let data = try Dataset(features: features, target: .classes(labels))
    for c in [1e-6, 1, 1e6] {
      let model = try LogisticRegression(c: c).fit(data)
      #expect(try #require(model.convergence).converged)
      #expect(abs(model.coefficients[0, 1] - model.coefficients[0, 2]) < 1e-9 * (1 + c))
      #expect(try gradientNorm(model, data, c: c) <= 1.001e-4)
    }
    let two = try Dataset(features: Matrix([[1.0], [2]]), target: .classes(["a", "b"]))
    #expect(try LogisticRegression().fit(two).predictLabels(two.features) == ["a", "b"])
    for factor in [1e-100, 1e100] {
      let scaled = Matrix(features.rowArrays.map { $0.map { $0 * factor } })
      let model = try LogisticRegression().fit(data.replacingFeatures(scaled, columns: data.columns))
      let areFinite = model.coefficients.elements.allSatisfy(\.isFinite)
      #expect(areFinite)
    }
  }

  @Test func badParametersAndDataAreRefused() throws {
    func kind(_ body: () throws -> Void) -> ApusError.Kind? {
      do { try body() } catch { return (error as? ApusError)?.kind }
      return nil
    }
    let iris = try Dataset(bundled: "iris")
    #expect(kind { _ = try LogisticRegression(c: 0).fit(iris) } == .invalidParameter)
    #expect(kind { _ = try LogisticRegression(tolerance: 0).fit(iris) } == .invalidParameter)
    #expect(kind { _ = try LogisticRegression(maxIterations: 0).fit(iris) } == .invalidParameter)
    #expect(
      kind { _ = try LogisticRegression().setting(["penalty": .string("l3")]) } == .invalidParameter)
    #expect(try LogisticRegression().setting(["penalty": .null]).penalty == .none)
    #expect(try LogisticRegression().setting(["C": .integer(3), "max_iter": .integer(5)]).c == 3)
    #expect(kind { _ = try LogisticRegression().fit(Dataset(bundled: "diabetes")) } == .data)
    #expect(kind { _ = try LogisticRegression().fit(iris.gatheringRows(Array(0..<50))) } == .data)
    let model = try LogisticRegression().fit(iris)
    #expect(kind { _ = try model.predictClasses(Matrix([[1.0]]), .sequential) } == .shape)
    #expect(kind { _ = try model.predictClasses(Matrix([[1, 2, 3, .nan]]), .sequential) } == .data)
  }
}
