import Apus
import Foundation

/// The exit codes of `apus`; thrown by a command that has said all there is to say.
enum ExitStatus: Error, Equatable {
  /// All was done.
  case success
  /// The command line was wrong: an option, an estimator, a parameter.
  case usage
  /// A file or the data in it could not be used, or a result could not be written.
  case data
  /// Some fits failed; the results of the others were printed.
  case someFitsFailed
  /// Every fit failed.
  case allFitsFailed
  /// A signal ended the work; what was finished by then was printed.
  case interrupted(signal: Int32)

  /// The code for an error.
  init(_ kind: ApusError.Kind) {
    switch kind {
    case .invalidParameter, .unsupported: self = .usage
    case .data, .shape, .file, .format, .numerical: self = .data
    case .job: self = .allFitsFailed
    case .cancelled: self = .interrupted(signal: Interruption.shared.signal ?? SIGINT)
    }
  }

  /// The code that the shell sees.
  var rawValue: Int32 {
    switch self {
    case .success: 0
    case .usage: 2
    case .data: 3
    case .someFitsFailed: 4
    case .allFitsFailed: 5
    case .interrupted(let signal): 128 + signal
    }
  }
}
