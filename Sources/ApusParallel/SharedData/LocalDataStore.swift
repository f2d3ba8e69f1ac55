import Synchronization

/// Data that was put on a backend of this process: the values themselves, by digest.
public final class LocalDataStore: SharedDataStore {
  private let values = Mutex<[Digest: Entry]>([:])

  private struct Entry {
    var value: any Sendable
    var uses: Int
  }

  /// A store without data.
  public init() {}

  /// Keeps a value until it was removed as often as it was put.
  public func put<Value: SharedData>(_ value: Value) -> DataReference<Value> {
    let digest = value.digest
    values.withLock { $0[digest, default: Entry(value: value, uses: 0)].uses += 1 }
    return DataReference(digest: digest)
  }

  /// Lets go of a value that was put before, once.
  public func remove(_ digest: Digest) {
    values.withLock { values in
      guard let uses = values[digest]?.uses else { return }
      if uses > 1 { values[digest]?.uses -= 1 } else { values[digest] = nil }
    }
  }

  /// The data that a reference names.
  ///
  /// - Throws: ``ApusError`` of kind `job` when there is none.
  public func value<Value: SharedData>(for reference: DataReference<Value>) throws -> Value {
    if let value = values.withLock({ $0[reference.digest]?.value as? Value }) { return value }
    throw ApusError(
      .job, "no \(Value.typeName) with digest \(reference.digest) was put on this backend",
      hint: "put the data on the backend that runs the job, and remove it only after the run")
  }
}
