import Synchronization

/// Hands events from the tasks in which they happen to the one that deals with them.
final class EventQueue<Event: Sendable>: Sendable {
  private struct State {
    var events: [Event] = []
    var reader: CheckedContinuation<Void, Never>?
  }

  private let state = Mutex(State())

  /// Adds an event.
  func append(_ event: Event) {
    let reader = state.withLock { state in
      state.events.append(event)
      defer { state.reader = nil }
      return state.reader
    }
    reader?.resume()
  }

  /// How many events have come since the last call of ``next()``.
  var count: Int { state.withLock { $0.events.count } }

  /// Everything that has come since the last call, at least one event. One task may read.
  func next() async -> [Event] {
    while true {
      let events = state.withLock { state in
        defer { state.events = [] }
        return state.events
      }
      if !events.isEmpty { return events }
      await withCheckedContinuation { reader in
        let isReady = state.withLock { state in
          if !state.events.isEmpty { return true }
          state.reader = reader
          return false
        }
        if isReady { reader.resume() }
      }
    }
  }
}
