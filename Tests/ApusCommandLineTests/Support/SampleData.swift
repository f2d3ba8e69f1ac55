import Foundation

/// Small tables with known answers.
enum SampleData {
  /// `y = 3 + 2a − b` without noise, 40 rows.
  static let line: String = {
    var text = "a,b,y\n"
    for row in 0..<40 {
      let a = Double(row % 8)
      let b = Double((row * 5) % 11)
      text += "\(a),\(b),\(3 + 2 * a - b)\n"
    }
    return text
  }()

  /// Two classes, `high` where `size` is at least 5, with a column of no use; 60 rows.
  static let sizes: String = {
    var text = "size,noise,kind\n"
    for row in 0..<60 {
      let size = Double((row * 7) % 20) / 2
      text += "\(size),\(Double((row * 13) % 17)),\(size >= 5 ? "high" : "low")\n"
    }
    return text
  }()
}
