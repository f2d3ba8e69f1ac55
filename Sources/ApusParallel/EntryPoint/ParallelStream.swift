/// Results of a parallel loop in completion order, each with the index of its item.
public struct ParallelStream<Output: Sendable>: AsyncSequence, Sendable {
  /// A result with the index of its item.
  public typealias Element = (index: Int, output: Output)
  /// What the loop's closure throws.
  public typealias Failure = any Error

  let results: JobResults<Result<Output, any Error>>

  /// Starts the loop.
  public func makeAsyncIterator() -> Iterator { Iterator(base: results.makeAsyncIterator()) }

  /// Reads the results of one loop.
  public struct Iterator: AsyncIteratorProtocol {
    var base: JobResults<Result<Output, any Error>>.Iterator

    /// The next result, or nil after the last one.
    ///
    /// - Throws: what the closure threw for an item; ``ApusError`` of kind `cancelled` when the loop was.
    public mutating func next() async throws -> Element? {
      guard let result = await base.next() else { return nil }
      return (result.index, try ParallelStream.value(of: result))
    }
  }

  static func value(of result: JobResult<Result<Output, any Error>>) throws -> Output {
    switch result.outcome {
    case .success(let output, _): return try output.get()
    case .failure(let failure): throw ApusError(.cancelled, failure.message)
    }
  }
}
