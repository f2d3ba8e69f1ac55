import ApusData
import ApusParallel
import Foundation

// A model file is one line of JSON, the header, and then one JSON value, the contents. The header tells what
// the file is, how long the contents are and their SHA-256 digest, so a foreign, cut or damaged file is known
// before anything in it is believed.

extension SavedModel {
  /// The version of the format that this program writes, and the newest it reads.
  public static let formatVersion = 1

  /// Reads a model file.
  ///
  /// - Throws: ``ApusError`` of kind `file` when it cannot be read, of kind `format` when it is not a model,
  ///   is cut short or damaged, was written in a newer format, or holds an estimator that this program does
  ///   not know.
  public init(contentsOf path: String) throws {
    let file = try SharedBytes(mapping: path)
    func refuse(_ message: String, _ hint: String? = nil) -> ApusError {
      ApusError(.format, message, hint: hint, at: .init(file: path))
    }
    let foreign = refuse(
      "this is not a saved Apus model", "models are written by `apus fit … --output FILE` or `apus search`")
    guard let lineEnd = file.bytes.prefix(4096).firstIndex(of: UInt8(ascii: "\n")),
      let header = try? JSONDecoder().decode(
        SavedModelHeader.self, from: Data(file.bytes.prefix(upTo: lineEnd))),
      header.format == SavedModelHeader.formatName
    else { throw foreign }
    guard header.version <= Self.formatVersion else {
      throw refuse(
        "the model is in format \(header.version), but this program reads up to \(Self.formatVersion)",
        "use the version of Apus that saved it, or a newer one")
    }
    let contents = UnsafeRawBufferPointer(rebasing: file.bytes[(lineEnd + 1)...])
    guard contents.count >= header.bytes else {
      throw refuse(
        "the model is cut short: \(contents.count) of \(header.bytes) bytes are there", "copy the file again")
    }
    var hasher = DigestHasher()
    hasher.update(contents)
    guard contents.count == header.bytes, hasher.finish().hexadecimal == header.sha256 else {
      throw refuse("the model is damaged: its bytes do not match their digest", "copy the file again")
    }
    do {
      self = try JSONDecoder.jobs.decode(SavedModelContents.self, from: Data(contents)).saved
    } catch let error as ApusError {
      throw refuse(
        "the model cannot be used by this program: \(error.message)",
        "use the program that saved it, or register its estimator")
    } catch {
      throw ApusError(
        .format, "the model's contents cannot be read", hint: "save it again", at: .init(file: path),
        cause: error)
    }
  }

  /// Writes a model file; an existing file is replaced only when the new one is complete.
  ///
  /// The same model always gives the same bytes.
  ///
  /// - Throws: ``ApusError`` of kind `file` when the file cannot be written.
  public func write(to path: String) throws { try AtomicFile.write(encoded(), to: path) }

  /// Checks that a model file can be written, before a long fit whose model should go there.
  ///
  /// - Throws: ``ApusError`` of kind `file`.
  public static func checkWritable(_ path: String) throws { try AtomicFile.checkWritable(path) }

  private func encoded() throws -> Data {
    let contents = try JSONEncoder.jobs.encode(SavedModelContents(saved: self))
    let header = SavedModelHeader(
      format: SavedModelHeader.formatName, version: Self.formatVersion, bytes: contents.count,
      sha256: Digest(of: contents).hexadecimal)
    return try JSONEncoder.jobs.encode(header) + Data("\n".utf8) + contents
  }
}

/// The first line of a model file.
private struct SavedModelHeader: Codable {
  static let formatName = "apus-model"

  var format: String
  var version: Int
  var bytes: Int
  var sha256: String
}

/// The contents of a model file; the estimator's name decides the type of the model.
private struct SavedModelContents: Codable {
  var saved: SavedModel

  private enum CodingKeys: String, CodingKey { case estimator, schema, training, model }

  init(saved: SavedModel) { self.saved = saved }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(saved.estimator, forKey: .estimator)
    try container.encode(saved.schema, forKey: .schema)
    try container.encode(saved.training, forKey: .training)
    try container.encode(saved.model, forKey: .model)
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let estimator = try container.decode(AnyEstimator.self, forKey: .estimator)
    func model<E: Estimator>(of estimator: E) throws -> any FittedModel {
      try container.decode(E.Model.self, forKey: .model)
    }
    saved = SavedModel(
      estimator: estimator, schema: try container.decode(DatasetSchema.self, forKey: .schema),
      training: try container.decode(TrainingSummary.self, forKey: .training),
      model: try model(of: estimator.base))
  }
}
