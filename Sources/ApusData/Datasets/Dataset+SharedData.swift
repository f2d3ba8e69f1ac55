import ApusLinearAlgebra
import ApusParallel
import Foundation

extension Dataset: SharedData {
  /// `apus.dataset`.
  public static var typeName: String { "apus.dataset" }

  /// The digest of all parts; computed anew each time, in one pass over the data.
  public var digest: Digest { layout().digest(typeName: Self.typeName) }

  /// The names and shapes as a header; features, target, weights and groups as regions that share memory with
  /// this value.
  public func layout() -> SharedLayout {
    var header = DatasetHeader(
      rowCount: rowCount, columns: columns, targetName: targetName, target: .none, hasWeights: weights != nil,
      hasGroups: groups != nil)
    var regions = [SharedBytes(sharing: features)]
    switch target {
    case .none: break
    case .values(let values):
      header.target = .values
      regions.append(SharedBytes(copying: values))
    case .classes(let indices, let labels):
      header.target = .classes(labels: labels)
      regions.append(SharedBytes(copying: indices))
    }
    if let weights { regions.append(SharedBytes(copying: weights)) }
    if let groups { regions.append(SharedBytes(copying: groups)) }
    return SharedLayout(header: header.bytes, regions: regions)
  }

  /// Makes the data set from its layout; the features share the region's memory.
  ///
  /// - Throws: ``ApusError`` of kind `format` when the layout is not that of a data set.
  public init(layout: SharedLayout) throws {
    guard let header = DatasetHeader(bytes: layout.header), layout.regions.count == header.regionCount else {
      throw ApusError(.format, "the shared data is not a data set")
    }
    var rest = layout.regions.dropFirst()
    let target: Target =
      switch header.target {
      case .none: .none
      case .values: .values(try rest.removeFirst().elements(count: header.rowCount))
      case .classes(let labels):
        .classes(indices: try rest.removeFirst().elements(count: header.rowCount), labels: labels)
      }
    try self.init(
      features: Matrix(
        rowCount: header.rowCount, columnCount: header.columns.count, sharing: layout.regions[0]),
      columns: header.columns, target: target,
      weights: header.hasWeights ? try rest.removeFirst().elements(count: header.rowCount) : nil,
      groups: header.hasGroups ? try rest.removeFirst().elements(count: header.rowCount) : nil,
      targetName: header.targetName)
  }
}

/// What a data set's regions cannot say.
private struct DatasetHeader: Codable {
  enum TargetKind: Codable {
    case none
    case values
    case classes(labels: [String])
  }

  var rowCount: Int
  var columns: [Feature]
  var targetName: String?
  var target: TargetKind
  var hasWeights: Bool
  var hasGroups: Bool

  var regionCount: Int {
    var count = 1
    if case .none = target {} else { count += 1 }
    return count + (hasWeights ? 1 : 0) + (hasGroups ? 1 : 0)
  }

  var bytes: [UInt8] {
    // A value of strings, numbers and flags always has a JSON form.
    Array((try? JSONEncoder.jobs.encode(self)) ?? Data())
  }
}

extension DatasetHeader {
  init?(bytes: [UInt8]) {
    guard let header = try? JSONDecoder().decode(DatasetHeader.self, from: Data(bytes)) else { return nil }
    self = header
  }
}

extension SharedBytes {
  /// The elements of a matrix, which keeps them alive and unchanged.
  fileprivate convenience init(sharing matrix: Matrix<Double>) {
    let bytes = matrix.withUnsafeElements { UnsafeRawBufferPointer($0) }
    self.init(taking: bytes) { withExtendedLifetime(matrix) {} }
  }

  fileprivate convenience init<Element: BitwiseCopyable>(copying elements: [Element]) {
    self.init(count: elements.count * MemoryLayout<Element>.stride) { bytes in
      elements.withUnsafeBytes { bytes.copyMemory(from: $0) }
    }
  }

  /// - Throws: ``ApusError`` of kind `format` when the region has another size.
  fileprivate func elements<Element: BitwiseCopyable>(count: Int) throws -> [Element] {
    guard bytes.count == count * MemoryLayout<Element>.stride else {
      throw ApusError(.format, "a part of the shared data set has \(bytes.count) bytes for \(count) rows")
    }
    return Array(bytes.bindMemory(to: Element.self))
  }
}
