import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import ApusTestSupport
import Testing

private struct TestGolden: Decodable {
  var scores: [Double]
  var pValues: [Double]
}

private struct PreprocessingGoldens: Decodable {
  var words: [[String]]
  var oneHot: [[Double]]
  var oneHotDropFirst: [[Double]]
  var oneHotDropBinary: [[Double]]
  var oneHotUnknown: [[Double]]
  var ordinal: [[Double]]
  var numbers: [[Double]]
  var holes: [[Double]]
  var imputed: [String: [[Double]]]
  var cubes: [[Double]]
  var cubeNames: [String]
  var interactions: [[Double]]
  var quantileBins: [[Double]]
  var uniformBins: [[Double]]
  var weights: [Double]
  var weightedQuantileBins: [[Double]]
  var weightedUniformBins: [[Double]]
  var gradedWeights: [Double]
  var gradedQuantileBins: [[Double]]
  var oneHotBins: [String: [[Double]]]
  var weightedOneHotBins: [[Double]]
  var imputedEmpty: [String: [[Double]]]
  var gaps: [String]
  var imputedGaps: [String]
  var thresholds: [String: [Int]]
  var variances: [Double]
  var ordered: [[Double]]
  var fClassif: TestGolden
  var fRegression: TestGolden
  var chi2: TestGolden
  var fisher: [[Double]]
  var chiSquared: [[Double]]
}

@Suite struct PreprocessingTests {
  private let golden: PreprocessingGoldens
  private let words: Dataset

  init() throws {
    golden = try Golden.load("preprocessing.json")
    let text = golden.words.map { $0.joined(separator: ",") }.joined(separator: "\n")
    words = try Dataset(csvText: "colour,size\n\(text)\n")
  }

  private func transform<Transformer: TransformerEstimator>(
    _ transformer: Transformer, _ data: Dataset, fittedOn training: Dataset? = nil
  ) throws -> [[Double]] {
    try transformer.fit(training ?? data).transform(data.features).rowArrays
  }

  private func difference(_ actual: [[Double]], _ expected: [[Double]]) -> Double {
    relativeDifference(actual.flatMap { $0 }, expected.flatMap { $0 })
  }

  @Test func oneHotEncodingEqualsScikitLearn() throws {
    var encoder = OneHotEncoder()
    #expect(try transform(encoder, words) == golden.oneHot)
    #expect(try transform(encoder, words, fittedOn: words.gatheringRows([0, 1, 2])) == golden.oneHotUnknown)
    encoder.drop = .first
    #expect(try transform(encoder, words) == golden.oneHotDropFirst)
    encoder.drop = .ifBinary
    #expect(try transform(encoder, words.gatheringRows([0, 1, 2])) == golden.oneHotDropBinary)
  }

  @Test func encodedColumnsAreNamedAfterCategoriesAndNumbersStay() throws {
    let data = try Dataset(csvText: "carat,cut,depth\n1,Ideal,2\n3,Fair,4\n5,,6\n")
    let model = try OneHotEncoder().fit(data)
    #expect(
      model.transformedColumns(data.columns).map(\.name) == ["carat", "cut=Fair", "cut=Ideal", "depth"])
    #expect(try model.transform(data.features) == Matrix([[1, 0, 1, 2], [3, 1, 0, 4], [5, 0, 0, 6]]))
  }

  @Test func unknownCategoriesCanBeRefused() throws {
    var oneHot = OneHotEncoder()
    oneHot.handleUnknown = .error
    oneHot.drop = .first
    let model = try oneHot.fit(words.gatheringRows([0, 1, 2]))
    // The dropped category is known; "m" in row 4 is not.
    #expect(try model.transform(words.features.rows(0..<3)).rowCount == 3)
    #expect { try model.transform(words.features) } throws: { "\($0)".contains("row 4, column 2") }
    var ordinal = OrdinalEncoder()
    ordinal.handleUnknown = .error
    let ordinalModel = try ordinal.fit(words.gatheringRows([0, 1, 2]))
    #expect { try ordinalModel.transform(words.features) } throws: { "\($0)".contains("row 4, column 2") }
  }

  @Test func ordinalEncodingEqualsScikitLearnAndTakesOrders() throws {
    var encoder = OrdinalEncoder()
    #expect(try transform(encoder, words) == golden.ordinal)
    encoder.orders = CategoryOrders(["colour": ["green", "red", "blue"], "size": ["s", "m", "l", "xl"]])
    #expect(try transform(encoder, words) == golden.ordered)
    encoder.orders = CategoryOrders(["size": ["s", "m", "l", "xl"]])
    let model = try encoder.fit(words)
    #expect(try model.transform(words.features).column(1) == [0, 2, 0, 1, 2, 2])
    #expect(!model.transformedColumns(words.columns).contains { $0.isCategorical })
    encoder.orders = CategoryOrders(["size": ["s", "l"]])
    #expect { try encoder.fit(words) } throws: { "\($0)".contains("leaves out the category 'm'") }
    encoder.orders = CategoryOrders(["weight": ["a"]])
    #expect { try encoder.fit(words) } throws: { "\($0)".contains("no categorical column 'weight'") }
    let set = try OrdinalEncoder().setting(["orders": .object(["size": .list([.string("s")])])])
    #expect(set.orders.byColumn == ["size": ["s"]])
  }

  @Test(arguments: ["mean", "median", "most_frequent", "constant"])
  func imputationEqualsScikitLearn(strategy: String) throws {
    let data = try Dataset(features: Matrix(golden.holes))
    let imputer = try SimpleImputer().setting([
      "strategy": .string(strategy), "fill_value": .real(-1.5), "add_indicator": .boolean(true),
    ])
    let model = try imputer.fit(data)
    let result = try model.transform(data.features).rowArrays
    #expect(difference(result, try #require(golden.imputed[strategy])) < 1e-14)
    #expect(model.transformedColumns(data.columns).last?.name == "missingindicator_x3")
  }

  /// A column without any value gets the constant, 0 unless set, where scikit-learn keeps such columns.
  @Test(arguments: ["mean", "median", "most_frequent", "constant"])
  func imputationOfAnEmptyColumnEqualsScikitLearn(strategy: String) throws {
    var features = Matrix(golden.holes).rows(0..<8)
    for row in 0..<8 { features[row, 1] = .nan }
    var imputer = try SimpleImputer().setting(["strategy": .string(strategy)])
    if imputer.strategy == .constant { imputer.fillValue = -1.5 }
    let result = try transform(imputer, Dataset(features: features))
    #expect(difference(result, try #require(golden.imputedEmpty[strategy])) < 1e-14)
  }

  @Test func imputationOfCategoriesEqualsScikitLearn() throws {
    let lines = golden.gaps.enumerated().map { "\($0.offset),\($0.element)" }.joined(separator: "\n")
    let data = try Dataset(csvText: "row,colour\n\(lines)\n")
    let categories = try #require(data.columns[1].categories)
    for strategy in ImputationStrategy.allCases {
      var imputer = SimpleImputer()
      imputer.strategy = strategy
      let filled = try imputer.fit(data).transform(data.features).column(1).map { categories[Int($0)] }
      #expect(filled == golden.imputedGaps, "\(strategy)")
    }
  }

  @Test func missingCategoriesBecomeTheMostFrequent() throws {
    let data = try Dataset(csvText: "colour,x\nred,1\n?,\nblue,3\nred,5\n")
    #expect(try SimpleImputer().fit(data).transform(data.features).rowArrays[1] == [1, 3])
  }

  @Test func polynomialsEqualScikitLearn() throws {
    let numbers = Matrix(golden.numbers).rows(0..<3)
    let three = try Dataset(features: Matrix(numbers.rowArrays.map { Array($0.prefix(3)) }))
    var polynomial = PolynomialFeatures()
    polynomial.degree = 3
    let model = try polynomial.fit(three)
    #expect(difference(try model.transform(three.features).rowArrays, golden.cubes) < 1e-14)
    #expect(model.transformedColumns(three.columns).map(\.name) == golden.cubeNames)
    polynomial.interactionOnly = true
    polynomial.includeBias = false
    let four = try Dataset(features: numbers)
    #expect(difference(try transform(polynomial, four), golden.interactions) < 1e-14)
    polynomial.degree = 0
    #expect(throws: ApusError.self) { try polynomial.fit(four) }
  }

  @Test func tooManyProductsAreRefused() throws {
    var polynomial = PolynomialFeatures()
    polynomial.degree = 9
    let data = try Dataset(features: Matrix(rowCount: 2, columnCount: 60))
    #expect { try polynomial.fit(data) } throws: { "\($0)".contains("more than a million columns") }
  }

  @Test func binsEqualScikitLearn() throws {
    let data = try Dataset(features: Matrix(golden.numbers))
    var discretizer = KBinsDiscretizer()
    discretizer.binCount = 4
    discretizer.encode = .ordinal
    #expect(try transform(discretizer, data) == golden.quantileBins)
    discretizer.strategy = .uniform
    #expect(try transform(discretizer, data) == golden.uniformBins)
    discretizer.encode = .onehot
    let model = try discretizer.fit(data)
    let result = try model.transform(data.features)
    #expect(result.columnCount == model.transformedColumns(data.columns).count)
    #expect(result.rowArrays.allSatisfy { $0.reduce(0, +) == 4 })
  }

  @Test func binsOfAColumnEachEqualScikitLearn() throws {
    let numbers = Matrix(golden.numbers)
    var discretizer = KBinsDiscretizer()
    discretizer.binCount = 3
    let training = try Dataset(features: numbers.rows(0..<12))
    for strategy in BinStrategy.allCases {
      discretizer.strategy = strategy
      let model = try discretizer.fit(training)
      let result = try model.transform(numbers.rows(8..<16)).rowArrays
      #expect(try result == #require(golden.oneHotBins[strategy.rawValue]))
    }
    discretizer.strategy = .quantile
    let weighted = try Dataset(features: numbers.rows(0..<10), weights: Array(golden.gradedWeights[..<10]))
    #expect(try transform(discretizer, weighted) == golden.weightedOneHotBins)
  }

  @Test func weightedBinsEqualScikitLearn() throws {
    let data = try Dataset(features: Matrix(golden.numbers), weights: golden.weights)
    let graded = try Dataset(features: Matrix(golden.numbers), weights: golden.gradedWeights)
    let plain = try Dataset(features: Matrix(golden.numbers))
    var discretizer = KBinsDiscretizer()
    (discretizer.binCount, discretizer.encode) = (4, .ordinal)
    #expect(try transform(discretizer, data) == golden.weightedQuantileBins)
    #expect(golden.weightedQuantileBins != golden.quantileBins)
    // Equal weights are no weights.
    let equal = try plain.replacingWeights([Double](repeating: 0.3, count: 25))
    #expect(try transform(discretizer, equal) == golden.quantileBins)
    // A whole weight counts as so many rows.
    let repeated = plain.gatheringRows(
      golden.weights.indices.flatMap { [Int](repeating: $0, count: Int(golden.weights[$0])) })
    #expect(try transform(discretizer, plain, fittedOn: repeated) == golden.weightedQuantileBins)
    discretizer.strategy = .uniform
    #expect(try transform(discretizer, data) == golden.weightedUniformBins)
    (discretizer.binCount, discretizer.strategy) = (6, .quantile)
    #expect(try transform(discretizer, graded) == golden.gradedQuantileBins)
  }

  @Test func thresholdsOfVarianceEqualScikitLearn() throws {
    let data = try Dataset(features: Matrix(golden.holes))
    #expect(golden.thresholds.count == 4)
    for (threshold, kept) in golden.thresholds {
      var selection = VarianceThreshold()
      selection.threshold = try #require(Double(threshold))
      let model = try selection.fit(data)
      #expect(model.keptColumns == kept)
      #expect(relativeDifference(model.scores.elements, golden.variances) < 1e-13)
      // A row of weight two is two rows.
      let counts = (0..<25).map { $0 * 3 % 4 }
      let rows = counts.indices.flatMap { [Int](repeating: $0, count: counts[$0]) }
      let weighted = try selection.fit(data.replacingWeights(counts.map(Double.init)))
      let repeated = try selection.fit(data.gatheringRows(rows))
      #expect(weighted.keptColumns == repeated.keptColumns)
      #expect(relativeDifference(weighted.scores.elements, repeated.scores.elements) < 1e-13)
    }
  }

  @Test func variancesBelowTheThresholdGo() throws {
    let data = try Dataset(features: Matrix([[0.1, 0, 2], [0.1, 1, 4], [0.1, 0, 9]]))
    var threshold = VarianceThreshold()
    #expect(try threshold.fit(data).keptColumns == [1, 2])
    threshold.threshold = 0.3
    let model = try threshold.fit(data)
    #expect(model.keptColumns == [2])
    #expect(model.transformedColumns(data.columns).map(\.name) == ["x2"])
    threshold.threshold = 100
    #expect { try threshold.fit(data) } throws: { "\($0)".contains("no column has a variance above 100") }
  }

  private func expectTest(_ model: ColumnSelectionModel, _ golden: TestGolden) throws {
    let pValues = try #require(model.pValues).elements
    for column in golden.scores.indices {
      #expect(abs(model.scores.elements[column] / golden.scores[column] - 1) < 1e-10)
      #expect(abs(pValues[column] / golden.pValues[column] - 1) < 1e-9)
    }
  }

  @Test func testsEqualScikitLearn() throws {
    var selection = SelectKBest()
    selection.k = 2
    let iris = try Dataset(bundled: "iris")
    let anova = try selection.fit(iris)
    try expectTest(anova, golden.fClassif)
    #expect(anova.keptColumns == [2, 3])
    try expectTest(try selection.fit(Dataset(bundled: "diabetes")), golden.fRegression)
    selection = try selection.setting(["score_func": .string("chi2")])
    try expectTest(try selection.fit(iris), golden.chi2)
  }

  @Test func constantColumnsAreSelectedLast() throws {
    let data = try Dataset(
      features: Matrix([[1, 5], [2, 5], [1, 5], [2.5, 5]]), target: .classes(["a", "b", "a", "b"]))
    var selection = SelectKBest()
    selection.k = 1
    #expect(try selection.fit(data).keptColumns == [0])
    selection.score = .chi2
    let negative = try Dataset(features: Matrix([[1.0], [-1]]), target: .classes(["a", "b"]))
    #expect { try selection.fit(negative) } throws: { "\($0)".contains("row 2 of column 'x0' is -1.0") }
  }

  @Test func tailsOfDistributionsEqualSciPy() {
    for row in golden.fisher {
      #expect(abs(Distributions.fisherSurvival(row[0], row[1], row[2]) / row[3] - 1) < 1e-11, "\(row)")
    }
    for row in golden.chiSquared {
      #expect(abs(Distributions.chiSquaredSurvival(row[0], row[1]) / row[2] - 1) < 1e-11, "\(row)")
    }
  }
}
