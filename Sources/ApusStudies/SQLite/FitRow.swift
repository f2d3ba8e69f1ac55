import ApusML
import ApusParallel
import Foundation
import GRDB

/// A finished fit as a row of the file.
enum FitRow {
  /// The columns that ``fit(_:)`` reads, in its order.
  static let columns = """
    fit.candidate, fold, worker, test, train, fit_seconds, score_seconds, iterations, converged, residual, reason,
    message, finished
    """
  static let columnCount = 13

  /// Adds a fit; one that is there stays as it is.
  static let insertion = """
    INSERT OR IGNORE INTO fit(
      candidate, fold, worker, test, train, fit_seconds, score_seconds, iterations, converged, residual, reason,
      message, session, finished) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    """

  /// The values of ``insertion``.
  static func arguments(_ finished: FinishedFit, session: Int) -> StatementArguments {
    let scores = finished.fit.scores
    return [
      finished.key.candidate, finished.key.fold, finished.fit.worker, bytes(scores.test), bytes(scores.train),
      scores.fitSeconds, scores.scoreSeconds, scores.convergence?.iterations, scores.convergence?.converged,
      scores.convergence?.residual, finished.fit.reason?.rawValue, scores.failure, session,
      finished.fit.finished,
    ]
  }

  /// The fit of a row; nil for a row without one.
  static func fit(_ row: Row) -> FinishedFit? {
    guard let candidate: Int = row[0] else { return nil }
    var scores = FitScores(
      test: numbers(row, 3), train: numbers(row, 4), fitSeconds: row[5] ?? .nan, scoreSeconds: row[6] ?? .nan,
      failure: row[11])
    if let iterations: Int = row[7] {
      scores.convergence = Convergence(
        iterations: iterations, converged: row[8] ?? false, residual: row[9] ?? .nan)
    }
    let reason: String? = row[10]
    return FinishedFit(
      key: FitKey(candidate: candidate, fold: row[1]),
      fit: TriedFit(
        scores: scores, reason: reason.map { JobFailure.Reason(rawValue: $0) ?? .threw }, worker: row[2],
        finished: row[12]))
  }

  private static func bytes(_ numbers: [Double]) -> Data? {
    numbers.isEmpty ? nil : numbers.withUnsafeBytes { Data($0) }
  }

  private static func numbers(_ row: Row, _ column: Int) -> [Double] {
    // Read where SQLite holds them; whole numbers of bytes only, whatever a damaged row holds.
    (try? row.withUnsafeData(atIndex: column) { data -> [Double] in
      guard let data else { return [] }
      return Array(unsafeUninitializedCapacity: data.count / 8) { buffer, count in
        count = data.copyBytes(to: buffer) / 8
      }
    }) ?? []
  }
}
