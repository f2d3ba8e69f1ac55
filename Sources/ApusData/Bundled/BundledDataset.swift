import ApusParallel
import CApusDatasets

/// A small real data set that comes with Apus, inside the program itself: at hand without files or a network.
///
/// ```swift
/// let iris = try Dataset(bundled: "iris")
/// ```
public struct BundledDataset: Sendable, Hashable {
  /// The name, such as `breast-cancer`.
  public let name: String
  /// The column to predict, the last of the file.
  public let target: String
  /// What it is, in a sentence.
  public let summary: String
  /// The file's name in the folder `Datasets` of the repository, where its source and licence stand.
  public let fileName: String

  /// Every bundled data set, by name.
  public static let all = [
    BundledDataset(
      "breast-cancer", target: "diagnosis", file: "breast-cancer.csv",
      "569 tumours by 30 measures of their cells, malignant or benign."),
    BundledDataset(
      "diabetes", target: "progression", file: "diabetes.csv",
      "442 patients by 10 measures; the progression of their disease after a year, a number."),
    BundledDataset(
      "digits", target: "digit", file: "digits.csv.gz",
      "1,797 handwritten digits by 64 pixels; ten classes."),
    BundledDataset(
      "iris", target: "species", file: "iris.csv", "150 flowers by 4 measures; three species."),
    BundledDataset(
      "letter", target: "letter", file: "letter.csv.gz",
      "20,000 printed capital letters by 16 measures; 26 classes."),
    BundledDataset(
      "wine", target: "cultivar", file: "wine.csv", "178 wines by 13 chemical measures; three cultivars."),
  ]

  private init(_ name: String, target: String, file: String, _ summary: String) {
    self.name = name
    self.target = target
    self.summary = summary
    fileName = file
  }

  /// The data set with a name.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` that suggests the nearest name and lists all.
  public init(named name: String) throws {
    guard let match = Self.all.first(where: { $0.name == name }) else {
      let names = Self.all.map(\.name)
      let suggestion = names.nearest(to: name).map { "did you mean '\($0)'? " } ?? ""
      throw ApusError(
        .invalidParameter, "there is no bundled data set '\(name)'",
        hint: "\(suggestion)bundled: \(names.joined(separator: ", "))")
    }
    self = match
  }

  /// The file, byte for byte: CSV with a header, compressed where its name ends in `.gz`.
  public var file: SharedBytes {
    let file = (0..<cdatasets_count()).lazy.map(cdatasets_file_at).first {
      String(cString: $0.name) == fileName
    }
    guard let file else { preconditionFailure("\(fileName) is listed but not embedded") }
    return SharedBytes(taking: UnsafeRawBufferPointer(start: file.bytes, count: file.count)) {}
  }
}

extension Dataset {
  /// Reads a data set that comes with Apus: `breast-cancer`, `diabetes`, `digits`, `iris`, `letter` or `wine`.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` for another name.
  public init(bundled name: String, compute: ComputeContext = .allCPUs) throws {
    let bundled = try BundledDataset(named: name)
    self = try bundled.read(TableOptions(target: .name(bundled.target)), compute)
  }

  /// Reads a data set that comes with Apus in another way than the usual: with another target, or none.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` for another name, `data` for columns that it does not
  ///   have.
  public init(bundled name: String, options: TableOptions, compute: ComputeContext = .allCPUs) throws {
    self = try BundledDataset(named: name).read(options, compute)
  }
}

extension MatchedDataset {
  /// Reads from a data set that comes with Apus what a model needs.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` for another name, `data` for a missing column.
  public init(
    bundled name: String, schema: DatasetSchema, options: TableOptions = TableOptions(),
    compute: ComputeContext = .allCPUs
  ) throws {
    var reader = try BundledDataset(named: name).reader(options, compute)
    self = try reader.read(matching: schema)
  }
}

extension BundledDataset {
  fileprivate func read(_ options: TableOptions, _ compute: ComputeContext) throws -> Dataset {
    var reader = try reader(options, compute)
    return try reader.read()
  }

  fileprivate func reader(_ options: TableOptions, _ compute: ComputeContext) throws -> DelimitedTextReader {
    let bytes = try FileBytes.inflated(file, path: fileName)
    return try DelimitedTextReader(
      TextSource(path: fileName, storage: bytes), options: options, compute: compute)
  }
}
