/// The estimators that come with Apus; a new one is added to this list.
enum BuiltInEstimators {
  static let all: [any Estimator.Type] = [
    KBinsDiscretizer.self,
    KMeans.self,
    LogisticRegression.self,
    OneHotEncoder.self,
    OrdinalEncoder.self,
    Passthrough.self,
    PolynomialFeatures.self,
    Ridge.self,
    SelectKBest.self,
    SimpleImputer.self,
    StandardScaler.self,
    VarianceThreshold.self,
  ]
}
