import Foundation

/// Numbers as people read them.
enum Quantities {
  /// A duration: `12 ms`, `3.42 s`, `2 min 5 s`, `1 h 12 min`.
  static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0 else { return "?" }
    if seconds < 0.001 { return "\(fixed(seconds * 1e6, 0)) µs" }
    if seconds < 1 { return "\(significant(seconds * 1e3)) ms" }
    if seconds < 60 { return "\(significant(seconds)) s" }
    let whole = Int(seconds.rounded())
    if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
    return "\(whole / 3600) h \(whole % 3600 / 60) min"
  }

  /// A score with as many digits as help to compare: `0.9767`, `54.21`, `-2860`, `1.234e+09`.
  static func score(_ value: Double) -> String {
    guard value.isFinite else { return "\(value)" }
    if abs(value) >= 1e7 { return String(format: "%.4g", value) }
    return fixed(value, scoreDigits(value))
  }

  /// A mean and its standard deviation, with as many digits as the mean has: `0.9767 ± 0.0123`.
  static func score(_ mean: Double, deviation: Double) -> String {
    guard mean.isFinite, deviation.isFinite, abs(mean) < 1e7 else {
      return "\(score(mean)) ± \(score(deviation))"
    }
    return "\(score(mean)) ± \(fixed(deviation, scoreDigits(mean)))"
  }

  private static func scoreDigits(_ value: Double) -> Int { abs(value) < 10 ? 4 : abs(value) < 1000 ? 2 : 0 }

  /// A rate a second: `1250/s`, `12.3/s`, `0.42/s`.
  static func rate(_ perSecond: Double) -> String { "\(significant(perSecond))/s" }

  /// A count with thin groups of thousands: `20,000`.
  static func count(_ number: Int) -> String { number.grouped }

  /// A size in memory: `812 KiB`, `45.2 MiB`.
  static func bytes(_ count: Int) -> String {
    var size = Double(count)
    for unit in ["B", "KiB", "MiB"] {
      if size < 1024 { return "\(significant(size)) \(unit)" }
      size /= 1024
    }
    return "\(significant(size)) GiB"
  }

  /// A hyperparameter's number in few digits: `0.001`, `31.62`.
  static func parameter(_ value: Double) -> String {
    guard value.isFinite else { return "\(value)" }
    return String(format: "%.4g", value)
  }

  private static func significant(_ value: Double) -> String {
    fixed(value, value >= 100 ? 0 : value >= 10 ? 1 : 2)
  }

  private static func fixed(_ value: Double, _ digits: Int) -> String {
    String(format: "%.\(digits)f", value)
  }
}
