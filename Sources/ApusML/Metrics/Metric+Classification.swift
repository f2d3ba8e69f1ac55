import ApusParallel

extension Metric {
  /// The share of rows predicted right.
  public static let accuracy = classification("accuracy", "Share of rows predicted right.") {
    try $0.confusion().accuracy
  }
  /// The mean over the classes of the share predicted right.
  public static let balancedAccuracy = classification(
    "balanced_accuracy", "Mean over the classes of the share predicted right."
  ) { try $0.confusion().balancedAccuracy }
  /// Matthews' correlation coefficient.
  public static let matthewsCorrelation = classification(
    "matthews_corrcoef", "Matthews' correlation of truth and prediction."
  ) { try $0.confusion().matthewsCorrelation }
  /// Cohen's kappa.
  public static let cohenKappa = classification("cohen_kappa", "Agreement beyond chance, Cohen's kappa.") {
    try $0.confusion().cohenKappa
  }

  /// The harmonic mean of precision and recall of the last class of two.
  public static let f1 = averaged("f1", .binary)
  /// F1 averaged over the classes.
  public static let f1Macro = averaged("f1", .macro)
  /// F1 of all decisions together.
  public static let f1Micro = averaged("f1", .micro)
  /// F1 averaged over the classes by their share.
  public static let f1Weighted = averaged("f1", .weighted)
  /// Precision of the last class of two.
  public static let precision = averaged("precision", .binary)
  /// Precision averaged over the classes.
  public static let precisionMacro = averaged("precision", .macro)
  /// Precision of all decisions together.
  public static let precisionMicro = averaged("precision", .micro)
  /// Precision averaged over the classes by their share.
  public static let precisionWeighted = averaged("precision", .weighted)
  /// Recall of the last class of two.
  public static let recall = averaged("recall", .binary)
  /// Recall averaged over the classes.
  public static let recallMacro = averaged("recall", .macro)
  /// Recall of all decisions together.
  public static let recallMicro = averaged("recall", .micro)
  /// Recall averaged over the classes by their share.
  public static let recallWeighted = averaged("recall", .weighted)

  /// The negated log loss.
  public static let negLogLoss = classification(
    "neg_log_loss", "Mean of −log p of the true class, negated."
  ) {
    -(try ProbabilityScores.logLoss(
      truth: $0.trueClasses(), probabilities: $0.probabilities(), weights: $0.weights))
  }
  /// The negated Brier score.
  public static let negBrierScore = classification(
    "neg_brier_score", "Mean squared distance of the probabilities from the truth, negated."
  ) {
    -(try ProbabilityScores.brierScore(
      truth: $0.trueClasses(), probabilities: $0.probabilities(), weights: $0.weights))
  }
  /// The area under the ROC curve of the last class of two.
  public static let rocAUC = classification(
    "roc_auc", "Area under the ROC curve of the last of two classes.", needsTwoClasses: true
  ) {
    let (scores, isPositive) = try $0.positiveScores(instead: "roc_auc_ovr")
    return try ProbabilityScores.rocAUC(isPositive: isPositive, scores: scores, weights: $0.weights)
  }
  /// The area under the precision-recall curve of the last class of two.
  public static let averagePrecision = classification(
    "average_precision", "Area under the precision-recall curve of the last of two classes.",
    needsTwoClasses: true
  ) {
    let (scores, isPositive) = try $0.positiveScores(instead: "roc_auc_ovr")
    return try ProbabilityScores.averagePrecision(
      isPositive: isPositive, scores: scores, weights: $0.weights)
  }
  /// The area under the ROC curve, each class against the rest.
  public static let rocAUCOneVersusRest = multiclassAUC("roc_auc_ovr", .oneVersusRest, byShare: false)
  /// The area under the ROC curve, each class against the rest, averaged by the classes' shares.
  public static let rocAUCOneVersusRestWeighted = multiclassAUC(
    "roc_auc_ovr_weighted", .oneVersusRest, byShare: true)
  /// The area under the ROC curve, each pair of classes.
  public static let rocAUCOneVersusOne = multiclassAUC("roc_auc_ovo", .oneVersusOne, byShare: false)
  /// The area under the ROC curve, each pair of classes, averaged by the pairs' shares.
  public static let rocAUCOneVersusOneWeighted = multiclassAUC(
    "roc_auc_ovo_weighted", .oneVersusOne, byShare: true)

  static let classificationMetrics: [Metric] =
    [
      accuracy, balancedAccuracy, matthewsCorrelation, cohenKappa, negLogLoss, negBrierScore, rocAUC,
      averagePrecision, rocAUCOneVersusRest, rocAUCOneVersusRestWeighted, rocAUCOneVersusOne,
      rocAUCOneVersusOneWeighted,
    ]
    + ["f1", "precision", "recall", "jaccard"].flatMap { name in
      [AveragingName.binary, .macro, .micro, .weighted].map { averaged(name, $0) }
    }

  private static func classification(
    _ name: String, _ summary: String, needsTwoClasses: Bool = false,
    _ score: @escaping @Sendable (Evaluation) throws -> Double
  ) -> Metric {
    Metric(name, task: .classification, summary, needsTwoClasses: needsTwoClasses, compute: score)
  }

  private enum AveragingName: String { case binary, macro, micro, weighted }

  private static func averaged(_ score: String, _ averaging: AveragingName) -> Metric {
    let name = averaging == .binary ? score : "\(score)_\(averaging.rawValue)"
    let summary =
      switch averaging {
      case .binary: "\(score.capitalized) of the last of two classes."
      case .macro: "\(score.capitalized), the mean over the classes."
      case .micro: "\(score.capitalized) of all decisions counted together."
      case .weighted: "\(score.capitalized), the mean over the classes by their share."
      }
    return classification(name, summary, needsTwoClasses: averaging == .binary) { evaluation in
      let confusion = try evaluation.confusion()
      let how: Averaging
      switch averaging {
      case .binary:
        guard confusion.classCount == 2 else {
          throw ApusError(
            .invalidParameter, "it is for two classes, but there are \(confusion.classCount)",
            hint: "use \(score)_macro, \(score)_micro or \(score)_weighted")
        }
        how = .binary(positive: 1)
      case .macro: how = .macro
      case .micro: how = .micro
      case .weighted: how = .weighted
      }
      return switch score {
      case "precision": confusion.precision(averaging: how)
      case "recall": confusion.recall(averaging: how)
      case "jaccard": confusion.jaccard(averaging: how)
      default: confusion.f1(averaging: how)
      }
    }
  }

  private static func multiclassAUC(
    _ name: String, _ ranking: ProbabilityScores.MulticlassRanking, byShare: Bool
  ) -> Metric {
    let how = ranking == .oneVersusRest ? "each class against the rest" : "each pair of classes"
    return classification(
      name, "Area under the ROC curve, \(how)\(byShare ? ", averaged by their share" : "")."
    ) { evaluation in
      let probabilities = try evaluation.probabilities()
      if probabilities.columnCount == 2 { return try rocAUC.score(evaluation) }
      return try ProbabilityScores.rocAUC(
        truth: evaluation.trueClasses(), scores: probabilities, ranking: ranking, weightedByShare: byShare,
        weights: evaluation.weights)
    }
  }
}

extension Evaluation {
  /// How much each row looks like the last of two classes, by decision values or else probabilities, and which
  /// rows are of that class.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` unless there are two classes.
  fileprivate func positiveScores(instead: String) throws -> (scores: [Double], isPositive: [Bool]) {
    let labels = try labels()
    guard labels.count == 2 else {
      throw ApusError(
        .invalidParameter, "it is for two classes, but there are \(labels.count)", hint: "use \(instead)")
    }
    let isPositive = try trueClasses().map { $0 == 1 }
    guard let model = model as? any DecisionModel, model.classLabels == labels else {
      return (try probabilities().column(1), isPositive)
    }
    return (try model.secondClassScores(data.features, compute), isPositive)
  }
}
