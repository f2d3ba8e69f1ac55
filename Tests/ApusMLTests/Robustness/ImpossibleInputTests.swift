import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import Testing

/// Input that no caller should give is refused with words, not with a trap or an infinite answer.
@Suite struct ImpossibleInputTests {
  private func error(_ body: () throws -> Void) -> ApusError? {
    #expect(throws: ApusError.self, performing: body)
  }

  private let rows = Matrix([[1.0, 2], [3, 5], [2, 2], [7, 1], [4, 4], [6, 0]])
  private let labels = ["a", "b", "a", "b", "a", "b"]

  @Test func weightsOfClassesThatThereAreNot() throws {
    let data = try Dataset(features: rows, target: .classes(labels))
    var estimator = LogisticRegression()
    estimator.classWeight = .explicit(["a": 2, "bb": 3])
    let refusal = error { _ = try estimator.fit(data) }
    #expect(refusal?.kind == .data)
    #expect(
      refusal?.message
        == "logistic-regression: classWeight names the class 'bb', which the target does not have")
    #expect(refusal?.hint == "its classes are a, b")
    // A fold that lacks a class is no reason: the target knows it.
    estimator.classWeight = .explicit(["a": 2, "c": 3])
    let fold = try Dataset(
      features: rows, target: .classes(indices: [0, 1, 0, 1, 0, 1], labels: ["a", "b", "c"]))
    #expect(try estimator.fit(fold).classLabels == ["a", "b"])
  }

  @Test(arguments: [1e308, -1.7e308]) func targetsWhoseSumsAreInfinite(value: Double) throws {
    let data = try Dataset(features: rows, target: .values([1, 2, 3, value, 5, 6]))
    for refusal in [
      error { _ = try Ridge().fit(data) }, error { _ = try RandomForestRegressor().fit(data) },
      error { _ = try KNeighboursRegressor().fit(data) }, error { _ = try DummyRegressor().fit(data) },
    ] {
      #expect(refusal?.kind == .data)
      #expect(refusal?.message.contains("the target of row 4 is \(value)") == true)
    }
  }

  @Test func weightsWhoseSumIsInfinite() {
    let refusal = error { _ = try Dataset(features: rows, weights: [Double](repeating: 1e308, count: 6)) }
    #expect(refusal?.message == "the sum of the weights is too large for a Double")
  }

  @Test func labelsAndCategoriesTwice() {
    let twice = error {
      _ = try Dataset(features: rows, target: .classes(indices: [0, 1, 0, 1, 0, 1], labels: ["a", "a"]))
    }
    #expect(twice?.message == "the target has the label 'a' twice")
    let columns = [Feature(name: "x"), Feature(name: "colour", categories: ["red", "red"])]
    let category = error { _ = try Dataset(features: rows, columns: columns) }
    #expect(category?.message == "column 'colour' has the category 'red' twice")
  }

  @Test(arguments: [5, -1, 0.5, .infinity, 1e300]) func numbersOfCategoriesThatThereAreNot(value: Double)
    throws
  {
    let columns = [Feature(name: "x"), Feature(name: "colour", categories: ["green", "red"])]
    let refusal = error {
      _ = try Dataset(features: Matrix([[1, 0], [2, value], [3, .nan]]), columns: columns)
    }
    #expect(refusal?.kind == .data)
    #expect(refusal?.message.hasPrefix("row 2 of column 'colour' is \(value)") == true)
    #expect(try Dataset(features: Matrix([[1, 0], [2, 1], [3, .nan]]), columns: columns).rowCount == 3)
  }

  @Test(arguments: [(Int.max, 2), (-1, -6), (3, 3), (Int.max, Int.max)]) func shapesThatDoNotFit(
    rows: Int, columns: Int
  ) throws {
    let few = error { _ = try Matrix(rowCount: rows, columnCount: columns, elements: [1.0, 2, 3, 4, 5, 6]) }
    #expect(few?.kind == .shape)
    let bytes = SharedBytes(count: 48) { $0.copyBytes(from: [UInt8](repeating: 0, count: 48)) }
    let shared = error { _ = try Matrix<Double>(rowCount: rows, columnCount: columns, sharing: bytes) }
    #expect(shared?.kind == .shape)
  }

  @Test func supportVectorsOfNoFeaturesInOneGo() throws {
    let empty = try Dataset(
      features: Matrix(rowCount: 6, columnCount: 0), target: .values([1, 2, 3, 4, 5, 6]))
    let fits = try SVR.fitJointly([SVR(), SVR()], on: empty, FitContext(seed: Seed(1), compute: .sequential))
    for fit in fits { #expect(error { _ = try fit.get() }?.message == "svr was given no features") }
  }

  /// A test counts each row once, unless it has no weight: then it is not there.
  @Test(arguments: [UnivariateTest.fClassif, .chi2]) func rowsWithoutWeightAreNotTested(test: UnivariateTest)
    throws
  {
    var selector = SelectKBest()
    (selector.k, selector.score) = (1, test)
    let target = Target.classes(["a", "b", "c", "b", "a", "c"])
    let weighted = try selector.fit(Dataset(features: rows, target: target, weights: [1, 1, 0, 2, 1, 0]))
    let fewer = try selector.fit(
      Dataset(features: rows.gatheringRows([0, 1, 3, 4]), target: .classes(["a", "b", "b", "a"])))
    #expect(weighted.scores == fewer.scores)
    #expect(weighted.keptColumns == fewer.keptColumns)
  }
}
