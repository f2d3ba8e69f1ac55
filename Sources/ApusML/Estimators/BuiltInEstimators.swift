/// The estimators that come with Apus; a new one is added to this list.
enum BuiltInEstimators {
  static let all: [any Estimator.Type] = [
    DecisionTreeClassifier.self,
    DecisionTreeRegressor.self,
    DummyClassifier.self,
    DummyRegressor.self,
    ExtraTreesClassifier.self,
    ExtraTreesRegressor.self,
    GaussianNaiveBayes.self,
    KMeans.self,
    KNeighboursClassifier.self,
    KNeighboursRegressor.self,
    LogisticRegression.self,
    MaxAbsScaler.self,
    MinMaxScaler.self,
    Normalizer.self,
    PCA.self,
    RandomForestClassifier.self,
    RandomForestRegressor.self,
    Ridge.self,
    RobustScaler.self,
    SVC.self,
    SVR.self,
    StandardScaler.self,
    TruncatedSVD.self,
  ]
}
