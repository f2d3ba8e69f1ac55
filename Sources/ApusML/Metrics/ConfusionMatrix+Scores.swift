import ApusParallel

/// How a score of single classes becomes one number.
public enum Averaging: Sendable, Hashable {
  /// The score of one class, given by its position; with two classes usually the second.
  case binary(positive: Int)
  /// The score of all decisions counted together; equals accuracy where every row has one class.
  case micro
  /// The mean over the classes that occur.
  case macro
  /// The mean over the classes that occur, weighted by their share of the truth.
  case weighted
}

extension ConfusionMatrix {
  /// The share of rows that were predicted right.
  public var accuracy: Double {
    var right = 0.0
    var all = 0.0
    for truth in 0..<classCount {
      right += self[truth, truth]
      all += trueTotal(truth)
    }
    return right / all
  }

  /// The mean over the true classes of the share predicted right, so that a rare class counts as much as a
  /// frequent one.
  public var balancedAccuracy: Double {
    var sum = 0.0
    var classes = 0.0
    for truth in 0..<classCount {
      let total = trueTotal(truth)
      guard total > 0 else { continue }
      sum += self[truth, truth] / total
      classes += 1
    }
    return sum / classes
  }

  /// Of what was predicted as a class, the share that is: `TP / (TP + FP)`; 0 where nothing was predicted.
  public func precision(averaging: Averaging) -> Double {
    average(averaging) { _, right, predicted in ratio(right, predicted) }
  }

  /// Of what is a class, the share predicted so: `TP / (TP + FN)`; 0 where nothing is.
  public func recall(averaging: Averaging) -> Double {
    average(averaging) { truth, right, _ in ratio(right, truth) }
  }

  /// The harmonic mean of precision and recall: `2 TP / (2 TP + FP + FN)`.
  public func f1(averaging: Averaging) -> Double { fBeta(1, averaging: averaging) }

  /// The weighted harmonic mean of precision and recall, recall counting `beta` times as much:
  /// `(1 + β²) TP / ((1 + β²) TP + FP + β² FN)`.
  public func fBeta(_ beta: Double, averaging: Averaging) -> Double {
    average(averaging) { truth, right, predicted in
      ratio((1 + beta * beta) * right, beta * beta * truth + predicted)
    }
  }

  /// Of what is a class or was predicted as it, the share that is both: `TP / (TP + FP + FN)`.
  public func jaccard(averaging: Averaging) -> Double {
    average(averaging) { truth, right, predicted in ratio(right, truth + predicted - right) }
  }

  /// Matthews' correlation coefficient of truth and prediction, for any number of classes (Gorodkin, 2004);
  /// 0 where either is constant.
  public var matthewsCorrelation: Double {
    let (observed, truths, predictions, total) = totals
    let dot = zip(truths, predictions).reduce(0) { $0 + $1.0 * $1.1 }
    let truthSpread = total * total - truths.reduce(0) { $0 + $1 * $1 }
    let predictionSpread = total * total - predictions.reduce(0) { $0 + $1 * $1 }
    guard truthSpread * predictionSpread > 0 else { return 0 }
    return (observed * total - dot) / (truthSpread * predictionSpread).squareRoot()
  }

  /// Cohen's kappa: the agreement beyond what chance would give.
  public var cohenKappa: Double {
    let (observed, truths, predictions, total) = totals
    let expected = zip(truths, predictions).reduce(0) { $0 + $1.0 * $1.1 } / total
    return 1 - (total - observed) / (total - expected)
  }

  private var totals: (observed: Double, truths: [Double], predictions: [Double], total: Double) {
    let truths = (0..<classCount).map(trueTotal)
    return (
      (0..<classCount).reduce(0) { $0 + self[$1, $1] }, truths, (0..<classCount).map(predictedTotal),
      truths.reduce(0, +)
    )
  }

  /// Averages a score that is computed from a class's true weight, rightly predicted weight and predicted
  /// weight.
  private func average(
    _ averaging: Averaging, _ score: (_ truth: Double, _ right: Double, _ predicted: Double) -> Double
  ) -> Double {
    func classScore(_ index: Int) -> Double {
      score(trueTotal(index), self[index, index], predictedTotal(index))
    }
    switch averaging {
    case .binary(let positive):
      return positive >= 0 && positive < classCount ? classScore(positive) : 0
    case .micro:
      let (observed, _, _, total) = totals
      return score(total, observed, total)
    case .macro:
      let classes = (0..<classCount).filter { occurs[$0] }
      return classes.reduce(0) { $0 + classScore($1) } / Double(classes.count)
    case .weighted:
      let total = totals.total
      guard total > 0 else { return 0 }
      return (0..<classCount).reduce(0) { $0 + trueTotal($1) * classScore($1) } / total
    }
  }
}

/// A share; 0 where there is nothing to take a share of, as scikit-learn counts it.
private func ratio(_ part: Double, _ whole: Double) -> Double { whole == 0 ? 0 : part / whole }
