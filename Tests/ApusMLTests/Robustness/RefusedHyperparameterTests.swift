import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import Testing

/// Hyperparameters that no fit can use are refused before the data is looked at: here it has no target, which
/// would otherwise be the first complaint.
@Suite struct RefusedHyperparameterTests {
  private static func changed<E: Estimator>(_ change: (inout E) -> Void) -> any Estimator {
    var estimator = E()
    change(&estimator)
    return estimator
  }

  private static let refused: [any Estimator] = [
    changed { (e: inout Ridge) in e.alpha = -1 }, changed { (e: inout Ridge) in e.alpha = .nan },
    changed { (e: inout Ridge) in e.alpha = .infinity },
    changed { (e: inout Lasso) in e.alpha = -1 }, changed { (e: inout Lasso) in e.maxIterations = 0 },
    changed { (e: inout Lasso) in e.tolerance = -1 },
    changed { (e: inout ElasticNet) in e.l1Ratio = 1.5 }, changed { (e: inout ElasticNet) in e.alpha = -1 },
    changed { (e: inout ElasticNet) in e.tolerance = .nan },
    changed { (e: inout LogisticRegression) in e.c = 0 },
    changed { (e: inout LogisticRegression) in e.tolerance = 0 },
    changed { (e: inout LogisticRegression) in e.l1Ratio = -0.1 },
    changed { (e: inout LogisticRegression) in e.maxIterations = 0 },
    changed { (e: inout LinearSVC) in e.c = -1 }, changed { (e: inout LinearSVC) in e.tolerance = 0 },
    changed { (e: inout LinearSVC) in e.maxIterations = -5 },
    changed { (e: inout SGDClassifier) in e.alpha = 0 },
    changed { (e: inout SGDClassifier) in e.maxIterations = 0 },
    changed { (e: inout SGDRegressor) in e.alpha = -1 },
    changed { (e: inout SGDRegressor) in e.tolerance = -1 },
    changed { (e: inout SVC) in e.c = 0 }, changed { (e: inout SVC) in e.gamma = .value(0) },
    changed { (e: inout SVC) in e.tolerance = 0 }, changed { (e: inout SVC) in e.degree = -1 },
    changed { (e: inout SVC) in e.cacheSize = 0 },
    changed { (e: inout SVR) in e.epsilon = -0.1 }, changed { (e: inout SVR) in e.c = .nan },
    changed { (e: inout SVR) in e.gamma = .value(-1) },
    changed { (e: inout KNeighboursClassifier) in e.neighbourCount = 0 },
    changed { (e: inout KNeighboursRegressor) in e.neighbourCount = -1 },
    changed { (e: inout GaussianNaiveBayes) in e.varSmoothing = -1 },
    changed { (e: inout GaussianNaiveBayes) in e.priors = .explicit(["a": -1, "b": 2]) },
    changed { (e: inout GaussianNaiveBayes) in e.priors = .explicit(["a": 0.5, "b": 0.25]) },
    changed { (e: inout GaussianNaiveBayes) in e.priors = .explicit(["a": .nan, "b": 1]) },
    changed { (e: inout LogisticRegression) in e.classWeight = .explicit(["a": -1]) },
    changed { (e: inout LinearSVC) in e.classWeight = .explicit(["a": .nan]) },
    changed { (e: inout SGDClassifier) in e.classWeight = .explicit(["a": .infinity]) },
    changed { (e: inout SVC) in e.classWeight = .explicit(["a": 1, "b": -0.5]) },
    changed { (e: inout DecisionTreeClassifier) in e.classWeight = .explicit(["a": -1]) },
    changed { (e: inout RandomForestClassifier) in e.classWeight = .explicit(["a": .nan]) },
    changed { (e: inout ExtraTreesClassifier) in e.classWeight = .explicit(["a": -2]) },
    changed { (e: inout SGDClassifier) in e.batchSize = 0 },
    changed { (e: inout SGDRegressor) in e.batchSize = -1 },
    changed { (e: inout DummyRegressor) in e.quantile = 1.5 },
    changed { (e: inout KMeans) in e.clusterCount = 0 }, changed { (e: inout KMeans) in e.initCount = 0 },
    changed { (e: inout KMeans) in e.maxIterations = 0 }, changed { (e: inout KMeans) in e.tolerance = -1 },
    changed { (e: inout KMeans) in e.initialization = .centres([[1], [2]]) },
    changed { (e: inout MiniBatchKMeans) in e.batchSize = 0 },
    changed { (e: inout MiniBatchKMeans) in e.clusterCount = 0 },
    changed { (e: inout DecisionTreeClassifier) in e.maxDepth = 0 },
    changed { (e: inout DecisionTreeRegressor) in e.minSamplesLeaf = .count(0) },
    changed { (e: inout RandomForestClassifier) in e.treeCount = 0 },
    changed { (e: inout RandomForestRegressor) in e.maxFeatures = .fraction(0) },
    changed { (e: inout ExtraTreesClassifier) in e.minWeightFractionLeaf = 0.7 },
    changed { (e: inout ExtraTreesRegressor) in e.minImpurityDecrease = -1 },
    changed { (e: inout KBinsDiscretizer) in e.binCount = 1 },
    changed { (e: inout PCA) in e.componentCount = .count(0) },
    changed { (e: inout PCA) in e.componentCount = .varianceShare(-0.5) },
    changed { (e: inout PCA) in e.componentCount = .varianceShare(1.5) },
    changed { (e: inout RandomForestClassifier) in e.treeCount = .max },
    changed { (e: inout RandomForestRegressor) in e.minSamplesLeaf = .fraction(2) },
    changed { (e: inout TruncatedSVD) in e.componentCount = 0 },
    changed { (e: inout PolynomialFeatures) in e.degree = -1 },
    changed { (e: inout RobustScaler) in (e.lowerQuantile, e.upperQuantile) = (75, 25) },
    changed { (e: inout MinMaxScaler) in (e.minimum, e.maximum) = (1, 0) },
    changed { (e: inout SelectKBest) in e.k = 0 },
    changed { (e: inout VarianceThreshold) in e.threshold = -1 },
  ]

  @Test(arguments: RefusedHyperparameterTests.refused.indices) func refusedBeforeDataIsTouched(index: Int)
    throws
  {
    func fit<E: Estimator>(_ estimator: E) throws {
      let data = try Dataset(features: Matrix(rowCount: 0, columnCount: 2), target: .none)
      #expect("\(E.name)") {
        _ = try estimator.fit(data)
      } throws: { error in
        (error as? ApusError)?.kind == .invalidParameter && "\(error)".contains(E.name)
      }
    }
    try fit(Self.refused[index])
  }

  @Test func pipelinesCheckTheirLastStepBeforeTheirFirstIsFitted() throws {
    var pipeline = Pipeline(StandardScaler(), LogisticRegression())
    pipeline.last.classWeight = .explicit(["a": -1])
    let data = try Dataset(features: Matrix(rowCount: 0, columnCount: 2), target: .none)
    #expect {
      _ = try pipeline.fit(data)
    } throws: { error in
      (error as? ApusError)?.kind == .invalidParameter && "\(error)".contains("classWeight")
    }
  }
}
