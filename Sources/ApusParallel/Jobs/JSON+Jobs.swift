import Foundation

extension JSONEncoder {
  /// The encoding of jobs and outputs: NaN and infinity kept, keys sorted so that equal values are equal bytes.
  public static var jobs: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return encoder
  }

  /// One for all jobs; nobody changes it.
  static let sharedByJobs = JSONEncoder.jobs
}

extension JSONDecoder {
  /// The decoding that goes with `JSONEncoder.jobs`.
  public static var jobs: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return decoder
  }

  /// One for all jobs; nobody changes it.
  static let sharedByJobs = JSONDecoder.jobs
}
