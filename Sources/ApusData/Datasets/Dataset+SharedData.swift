import ApusLinearAlgebra
import ApusParallel
import Foundation

extension Dataset: SharedData {
  /// `apus.dataset`.
  public static var typeName: String { "apus.dataset" }

  /// The SHA-256 digest of the data's layout: the same however the data came into memory. Computed once.
  ///
  /// - Complexity: one pass over the data when first asked.
  public var digest: Digest { digestCache.value { layout().digest(typeName: Self.typeName) } }

  /// The data as a header (names, labels, shapes) and regions: features, then target, weights and groups where
  /// there are any. The region of the features shares their memory.
  public func layout() -> SharedLayout {
    var regions = [features.sharedElements]
    var header = LayoutHeader(
      rowCount: rowCount, columns: columns, target: .none, classLabels: nil, targetName: targetName,
      hasWeights: weights != nil, hasGroups: groups != nil)
    switch target {
    case .none: break
    case .values(let values):
      header.target = .values
      regions.append(SharedBytes(copying: values))
    case .classes(let indices, let labels):
      header.target = .classes
      header.classLabels = labels
      regions.append(SharedBytes(copying: indices))
    }
    if let weights { regions.append(SharedBytes(copying: weights)) }
    if let groups { regions.append(SharedBytes(copying: groups)) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Names and whole numbers always encode.
    let bytes = (try? encoder.encode(header)) ?? Data()
    return SharedLayout(header: Array(bytes), regions: regions)
  }

  /// Makes the data from its layout; the features share the region's memory, such as a mapped file.
  ///
  /// - Throws: ``ApusError`` of kind `format` when the layout is not a data set's, `data` when a weight or a
  ///   class in it is not valid.
  public init(layout: SharedLayout) throws {
    guard let header = try? JSONDecoder().decode(LayoutHeader.self, from: Data(layout.header)),
      header.rowCount >= 0
    else { throw ApusError(.format, "the header of the shared data is not a data set's") }
    var regions = layout.regions[...]
    func next(_ what: String) throws -> SharedBytes {
      guard let region = regions.popFirst() else {
        throw ApusError(.format, "the shared data set lacks the region of its \(what)")
      }
      return region
    }
    let features: Matrix<Double>
    do {
      features = try Matrix(
        rowCount: header.rowCount, columnCount: header.columns.count, sharing: next("features"))
    } catch {
      throw ApusError(.format, "the features of the shared data set do not fit its header", cause: error)
    }
    let target: Target =
      switch header.target {
      case .none: .none
      case .values: .values(try next("target").copied(as: Double.self, count: header.rowCount))
      case .classes:
        .classes(
          indices: try next("target").copied(as: Int32.self, count: header.rowCount),
          labels: header.classLabels ?? [])
      }
    try self.init(
      features: features, columns: header.columns, target: target,
      weights: header.hasWeights ? next("weights").copied(as: Double.self, count: header.rowCount) : nil,
      groups: header.hasGroups ? next("groups").copied(as: Int32.self, count: header.rowCount) : nil,
      targetName: header.targetName)
  }
}

private struct LayoutHeader: Codable {
  enum TargetKind: String, Codable { case none, values, classes }

  var rowCount: Int
  var columns: [Feature]
  var target: TargetKind
  var classLabels: [String]?
  var targetName: String?
  var hasWeights: Bool
  var hasGroups: Bool
}

extension Matrix {
  /// The elements as a region that keeps this matrix's memory.
  fileprivate var sharedElements: SharedBytes {
    // The region holds the matrix, so its storage is never unique, and never written, while the region lives.
    withUnsafeElements { elements in
      SharedBytes(taking: UnsafeRawBufferPointer(elements)) { _ = self }
    }
  }
}

extension SharedBytes {
  /// A region with the bytes of an array.
  fileprivate convenience init<Element: BitwiseCopyable>(copying array: [Element]) {
    self.init(count: array.count * MemoryLayout<Element>.stride) { bytes in
      array.withUnsafeBytes { bytes.copyMemory(from: $0) }
    }
  }

  /// The region as an array.
  ///
  /// - Throws: ``ApusError`` of kind `format` when it is not `count` elements long.
  fileprivate func copied<Element: BitwiseCopyable>(as type: Element.Type, count: Int) throws -> [Element] {
    guard bytes.count == count * MemoryLayout<Element>.stride else {
      throw ApusError(.format, "a region of the shared data set has \(bytes.count) bytes for \(count) rows")
    }
    return Array(unsafeUninitializedCapacity: count) { buffer, initialized in
      UnsafeMutableRawBufferPointer(buffer).copyMemory(from: bytes)
      initialized = count
    }
  }
}
