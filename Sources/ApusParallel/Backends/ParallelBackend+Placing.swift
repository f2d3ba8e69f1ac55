extension ParallelBackend {
  /// Places data as ``put(_:)`` does, for as long as nobody asks to stop: to a cluster that may take long.
  ///
  /// - Throws: ``ApusError`` of kind `cancelled`, or what ``put(_:)`` throws.
  package func put<Value: SharedData>(
    _ data: Value, cancellation: Cancellation
  ) async throws -> DataReference<Value> {
    try await withThrowingTaskGroup(of: DataReference<Value>?.self) { group in
      group.addTask { try await put(data) }
      group.addTask {
        while !cancellation.isCancelled, !Task.isCancelled { try? await Task.sleep(for: .milliseconds(50)) }
        return nil
      }
      defer { group.cancelAll() }
      if let reference = try await group.next() ?? nil { return reference }
      group.cancelAll()
      // It may have been placed at that moment.
      if let late = try? await group.next(), let reference = late { await remove(reference.digest) }
      throw ApusError(.cancelled, "the work was cancelled while its data was placed")
    }
  }
}
