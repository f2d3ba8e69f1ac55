/// How k-means chooses the centres it starts from.
public enum CentreInitialization: Sendable, Hashable, Codable {
  /// Rows drawn one after the other with probability proportional to the squared distance to the centres
  /// chosen so far; of `2 + ⌊ln k⌋` draws the best is kept (greedy k-means++; Arthur and Vassilvitskii, 2007).
  case kMeansPlusPlus
  /// Different rows drawn at random, in proportion to their weights.
  case random
  /// The given centres: `k` rows of `p` numbers.
  case centres([[Double]])
}

extension CentreInitialization: ParameterConvertible {
  /// `"k-means++", "random" or a list of centres`.
  public static var parameterType: String { "\"k-means++\", \"random\" or a list of centres" }

  /// Takes `k-means++`, `random`, or a list of lists of numbers.
  public init?(parameterValue: ParameterValue) {
    switch parameterValue {
    case .string("k-means++"), .string("kMeans++"): self = .kMeansPlusPlus
    case .string("random"): self = .random
    case .list(let rows):
      var centres: [[Double]] = []
      for row in rows {
        guard case .list(let values) = row else { return nil }
        let numbers = values.compactMap(\.number)
        guard numbers.count == values.count else { return nil }
        centres.append(numbers)
      }
      self = .centres(centres)
    default: return nil
    }
  }

  /// The word, or the centres as a list of lists.
  public var parameterValue: ParameterValue {
    switch self {
    case .kMeansPlusPlus: .string("k-means++")
    case .random: .string("random")
    case .centres(let rows): .list(rows.map { .list($0.map { .real($0) }) })
    }
  }
}
