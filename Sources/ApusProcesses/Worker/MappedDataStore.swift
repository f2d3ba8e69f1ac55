import ApusParallel
import Synchronization

/// The data that a worker's jobs can refer to: files placed by the pool, mapped when first asked for.
final class MappedDataStore: SharedDataStore {
  private let state = Mutex(State())

  private struct State {
    var paths: [Digest: String] = [:]
    var values: [Digest: any Sendable] = [:]
  }

  func place(_ digest: Digest, path: String) { state.withLock { $0.paths[digest] = path } }

  func drop(_ digest: Digest) {
    state.withLock { state in
      state.paths[digest] = nil
      state.values[digest] = nil
    }
  }

  func value<Value: SharedData>(for reference: DataReference<Value>) throws -> Value {
    try state.withLock { state in
      if let value = state.values[reference.digest] as? Value { return value }
      guard let path = state.paths[reference.digest] else {
        throw ApusError(
          .job, "no \(Value.typeName) with digest \(reference.digest) was put on this backend",
          hint: "put the data on the backend that runs the job, and remove it only after the run")
      }
      let value = try Value(layout: PlacedFile.layout(mapping: path))
      state.values[reference.digest] = value
      return value
    }
  }
}
