import Apus
import Foundation

/// Where the rows come from: a file, here or elsewhere, or a dataset that comes with the program.
enum DataSource: Sendable {
  case bundled(BundledDataset)
  case file(String)
  case remote(String)

  /// A bundled dataset's name means that dataset, `scheme://…` a file elsewhere; everything else is a path (`./iris`
  /// is one too).
  init(_ name: String) {
    let bundled = BundledDataset.all.first { $0.name == name.lowercased() }
    self = bundled.map(DataSource.bundled) ?? (RemoteFile.isAddress(name) ? .remote(name) : .file(name))
  }

  /// The target column, where it is known without being told.
  var knownTarget: ColumnReference? {
    if case .bundled(let dataset) = self { .name(dataset.target) } else { nil }
  }

  /// Whether the rows come with their target, so that no column has to be named.
  var hasTarget: Bool {
    switch self {
    case .bundled: return true
    case .file(let path), .remote(let path):
      var name = RemoteFile.withoutQuery(path).lowercased()
      if name.hasSuffix(".gz") { name.removeLast(3) }
      return [".npz", ".svm", ".svmlight", ".libsvm"].contains { name.hasSuffix($0) }
    }
  }

  /// Whether the rows are a table of NumPy that lies on this machine.
  var isArrayFile: Bool {
    if case .file(let path) = self { path.lowercased().hasSuffix(".npy") } else { false }
  }

  /// Reads rows to learn from.
  ///
  /// - Parameters:
  ///   - options: what the columns are.
  ///   - targetFile: a list that holds the target of an array file.
  ///   - weightsFile: a list that holds its weights.
  /// - Throws: what reading throws; a missing file whose name is near a bundled dataset's suggests that.
  func read(_ options: TableOptions, targetFile: String? = nil, weightsFile: String? = nil) throws -> Dataset
  {
    if case .file(let path) = self, isArrayFile {
      return try Self.reading(path) {
        try Dataset(npy: path, target: targetFile, weights: weightsFile, options: options)
      }
    }
    switch self {
    case .bundled(let dataset): return try Dataset(bundled: dataset.name, options: options)
    case .file(let path):
      return try suggestingBundled(path) {
        try Self.reading(path) { try Dataset(contentsOf: path, options: options) }
      }
    case .remote(let address):
      return try Self.loaded(address).reading { path in
        try Self.reading(RemoteFile.withoutQuery(address)) {
          try Dataset(contentsOf: path, options: options)
        }
      }
    }
  }

  /// Reads rows for a model: its columns by name, in its order.
  ///
  /// - Throws: as ``read(_:)``, and for missing columns.
  func read(
    _ options: TableOptions, for schema: DatasetSchema, targetFile: String? = nil
  ) throws -> MatchedDataset {
    if let targetFile {
      guard case .file(let path) = self, isArrayFile else {
        throw ApusError(
          .invalidParameter, "--test-target-file goes with a --test that is a table in a .npy file")
      }
      return try Self.reading(path) {
        try MatchedDataset(npy: path, target: targetFile, schema: schema, options: options)
      }
    }
    switch self {
    case .bundled(let dataset):
      return try MatchedDataset(bundled: dataset.name, schema: schema, options: options)
    case .file(let path):
      return try suggestingBundled(path) {
        try Self.reading(path) { try MatchedDataset(contentsOf: path, schema: schema, options: options) }
      }
    case .remote(let address):
      return try Self.loaded(address).reading { path in
        try Self.reading(RemoteFile.withoutQuery(address)) {
          try MatchedDataset(contentsOf: path, schema: schema, options: options)
        }
      }
    }
  }

  /// Says that a file is being read, where that takes long.
  private static func reading<Result>(_ name: String, _ read: () throws -> Result) rethrows -> Result {
    try WorkDisplay.during("Reading \(name)") { _ in try read() }
  }

  private static func loaded(_ address: String) throws -> RemoteFile {
    var progress = LoadingProgress(RemoteFile.withoutQuery(address))
    defer { progress.finish() }
    return try RemoteFile(
      address, cancellation: Interruption.shared.cancellation,
      onProgress: { progress.show($0, of: $1) })
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
