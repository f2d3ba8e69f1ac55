import Synchronization

/// Hands results from the task that receives them to the task that commits them, as many at a time as have
/// come; holds back the first when the second falls behind.
final class ResultQueue<Element: Sendable>: Sendable {
  private struct State {
    var elements: [Element] = []
    var isFinished = false
    var reader: CheckedContinuation<Void, Never>?
    var writer: CheckedContinuation<Void, Never>?
  }

  private let state = Mutex(State())
  private let limit: Int

  /// - Parameter limit: how many elements may wait.
  init(limit: Int) { self.limit = limit }

  /// Adds an element; waits while too many others do. One task may write.
  func append(_ element: Element) async {
    let (reader, isFull) = state.withLock { state in
      state.elements.append(element)
      defer { state.reader = nil }
      return (state.reader, state.elements.count >= limit)
    }
    reader?.resume()
    guard isFull else { return }
    await withCheckedContinuation { writer in
      let isFree = state.withLock { state in
        if state.elements.count < limit { return true }
        state.writer = writer
        return false
      }
      if isFree { writer.resume() }
    }
  }

  /// Whether waiting for more would gain nothing, or hold back the task that writes: nothing more comes, or as
  /// many elements wait as half the limit.
  var isPressing: Bool { state.withLock { $0.isFinished || $0.elements.count >= limit / 2 } }

  /// Says that nothing more comes.
  func finish() {
    let reader = state.withLock { state in
      state.isFinished = true
      defer { state.reader = nil }
      return state.reader
    }
    reader?.resume()
  }

  /// Everything that has come since the last call, at least one element; nil after the last one. One task may
  /// read.
  func next() async -> [Element]? {
    while true {
      let (batch, isFinished, writer) = state.withLock { state in
        defer {
          state.elements = []
          state.writer = nil
        }
        return (state.elements, state.isFinished, state.writer)
      }
      writer?.resume()
      if !batch.isEmpty { return batch }
      if isFinished { return nil }
      await withCheckedContinuation { reader in
        let isReady = state.withLock { state in
          if !state.elements.isEmpty || state.isFinished { return true }
          state.reader = reader
          return false
        }
        if isReady { reader.resume() }
      }
    }
  }
}
