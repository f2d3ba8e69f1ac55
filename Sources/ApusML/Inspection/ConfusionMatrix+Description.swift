import ApusParallel
import Foundation

extension ConfusionMatrix {
  /// What the counts of a confusion matrix are divided by.
  public enum Normalization: Sendable, Hashable {
    /// The total of the true class: the diagonal holds recalls.
    case truth
    /// The total of the predicted class: the diagonal holds precisions.
    case predictions
    /// The total of all rows.
    case all
  }

  /// The counts as shares, row by row; 0 where there is nothing to take a share of.
  public func normalized(by normalization: Normalization) -> [[Double]] {
    let total = counts.reduce(0, +)
    let truths = (0..<classCount).map(trueTotal)
    let predictions = (0..<classCount).map(predictedTotal)
    return (0..<classCount).map { truth in
      (0..<classCount).map { predicted in
        let whole =
          switch normalization {
          case .truth: truths[truth]
          case .predictions: predictions[predicted]
          case .all: total
          }
        return whole == 0 ? 0 : self[truth, predicted] / whole
      }
    }
  }
}

extension ConfusionMatrix: CustomStringConvertible {
  /// A table with a row for each true class and a column for each predicted one.
  public var description: String {
    func text(_ count: Double) -> String { Int(exactly: count).map(String.init) ?? count.fixed(2) }
    let header = ["true \\ predicted"] + labels
    let rows = (0..<classCount).map { truth in
      [labels[truth]] + (0..<classCount).map { text(self[truth, $0]) }
    }
    return alignedTable([header] + rows)
  }
}

/// Rows of cells in columns that are as wide as their widest cell, the first aligned left and the others right.
func alignedTable(_ rows: [[String]]) -> String {
  let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
  return rows.map { row in
    row.indices.map { column in
      let space = String(repeating: " ", count: widths[column] - row[column].count)
      return column == 0 ? row[column] + space : space + row[column]
    }.joined(separator: "  ")
  }.joined(separator: "\n")
}

extension Double {
  /// The number with a fixed count of decimals.
  func fixed(_ decimals: Int) -> String {
    formatted(
      .number.precision(.fractionLength(decimals)).grouping(.never).locale(Locale(identifier: "en_US_POSIX")))
  }
}
