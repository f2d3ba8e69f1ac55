import Apus
import Foundation

/// Where the rows come from: a file, or a dataset that comes with the program.
enum DataSource: Sendable {
  case bundled(BundledDataset)
  case file(String)

  /// A bundled dataset's name means that dataset; everything else is a path (`./iris` is one too).
  init(_ name: String) {
    let bundled = BundledDataset.all.first { $0.name == name.lowercased() }
    self = bundled.map(DataSource.bundled) ?? .file(name)
  }

  /// The target column, where it is known without being told.
  var knownTarget: ColumnReference? {
    if case .bundled(let dataset) = self { .name(dataset.target) } else { nil }
  }

  /// Whether the rows come with their target, so that no column has to be named.
  var hasTarget: Bool {
    switch self {
    case .bundled: return true
    case .file(let path):
      var name = path.lowercased()
      if name.hasSuffix(".gz") { name.removeLast(3) }
      return [".npz", ".svm", ".svmlight", ".libsvm"].contains { name.hasSuffix($0) }
    }
  }

  /// Reads rows to learn from.
  ///
  /// - Throws: what reading throws; a missing file whose name is near a bundled dataset's suggests that.
  func read(_ options: TableOptions) throws -> Dataset {
    switch self {
    case .bundled(let dataset): return try Dataset(bundled: dataset.name, options: options)
    case .file(let path):
      return try suggestingBundled(path) { try Dataset(contentsOf: path, options: options) }
    }
  }

  /// Reads rows for a model: its columns by name, in its order.
  ///
  /// - Throws: as ``read(_:)``, and for missing columns.
  func read(_ options: TableOptions, for schema: DatasetSchema) throws -> MatchedDataset {
    switch self {
    case .bundled(let dataset):
      return try MatchedDataset(bundled: dataset.name, schema: schema, options: options)
    case .file(let path):
      return try suggestingBundled(path) {
        try MatchedDataset(contentsOf: path, schema: schema, options: options)
      }
    }
  }

  private func suggestingBundled<Result>(_ path: String, _ read: () throws -> Result) throws -> Result {
    do {
      return try read()
    } catch var error as ApusError where error.kind == .file && error.hint == nil {
      if !FileManager.default.fileExists(atPath: path) {
        let names = BundledDataset.all.map(\.name)
        let nearest = path.contains("/") ? nil : names.nearest(to: path)
        error.hint =
          nearest.map { "did you mean the bundled dataset '\($0)'?" }
          ?? "check the path; bundled datasets: \(names.joined(separator: ", "))"
      }
      throw error
    }
  }
}
