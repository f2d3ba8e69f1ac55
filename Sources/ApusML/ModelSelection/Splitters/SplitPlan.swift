import ApusParallel
import Foundation

/// The splits of one search, placed once beside the data so that a job names its fold by a number.
package struct SplitPlan: SharedData {
  package static let typeName = "apus.split-plan"

  package let splits: [Split]
  package let digest: Digest

  package init(_ splits: [Split]) {
    self.splits = splits
    digest = Self.layout(of: splits).digest(typeName: Self.typeName)
  }

  package func layout() -> SharedLayout { Self.layout(of: splits) }

  package init(layout: SharedLayout) throws {
    digest = layout.digest(typeName: Self.typeName)
    guard let counts = try? JSONDecoder().decode([[Int]].self, from: Data(layout.header)),
      layout.regions.count == counts.count
    else { throw ApusError(.format, "these are not the splits of a data set") }
    splits = try zip(counts, layout.regions).map { counts, region in
      guard counts.count == 2, region.bytes.count == (counts[0] + counts[1]) * MemoryLayout<Int>.stride else {
        throw ApusError(.format, "the splits of a data set are damaged")
      }
      let rows = region.bytes.bindMemory(to: Int.self)
      return Split(train: Array(rows[..<counts[0]]), test: Array(rows[counts[0]...]))
    }
  }

  private static func layout(of splits: [Split]) -> SharedLayout {
    let header = "[" + splits.map { "[\($0.train.count),\($0.test.count)]" }.joined(separator: ",") + "]"
    let regions = splits.map { split in
      let rows = split.train + split.test
      return SharedBytes(count: rows.count * MemoryLayout<Int>.stride) { bytes in
        rows.withUnsafeBytes { bytes.copyMemory(from: $0) }
      }
    }
    return SharedLayout(header: Array(header.utf8), regions: regions)
  }
}
