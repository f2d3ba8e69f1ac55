import ApusML
import Synchronization

/// Stands in for a journal where none is wanted: everything is granted and nothing is kept.
final class UnkeptSession: FitSession {
  private let numbers = Mutex<[AnyEstimator: Int]>([:])

  let candidateNumbers: [Int] = []

  func add(_ candidates: [(estimator: AnyEstimator, varied: [String])]) -> [Int] {
    numbers.withLock { numbers in
      candidates.map { candidate in
        let number = numbers[candidate.estimator] ?? numbers.count
        numbers[candidate.estimator] = number
        return number
      }
    }
  }

  func decide(_ decision: String, step: Int, of search: String) -> String { decision }
  func decisions(of search: String, from step: Int) -> [String] { [] }
  func claim(_ wanted: [FitKey], onNews: (FinishedFit) -> Void) -> [FitKey] { wanted }
  func commit(_ fits: [FinishedFit]) async {}
  func journal(ofPart part: String) -> (any FitJournal)? { nil }
  func end() async {}
}
