import Foundation
import Synchronization

/// Where the threads of a run leave results for the one who reads them, and the count that bounds how far
/// they may be ahead of the reader.
///
/// A thread asks for permits before it takes items; a permit comes back when the reader, having read a result,
/// asks for more.
package final class Mailbox<Element: Sendable>: Sendable {
  private let state = Mutex(State())

  package init() {}

  private struct State {
    /// Items taken by threads whose results were not read yet.
    var outstanding = 0
    /// Results in the reader's hands.
    var lent = 0
    var results: [Element] = []
    var activeLoops = 0
    var exhausted = false
    /// How often items were put back: a thread that found the source empty before then knows nothing of them.
    var putBacks = 0
    var closed = false
    var reader: Reader?
  }

  private enum Reader {
    case task(UnsafeContinuation<Void, Never>)
    case thread(DispatchSemaphore)

    func wake() {
      switch self {
      case .task(let continuation): continuation.resume()
      case .thread(let semaphore): semaphore.signal()
      }
    }
  }

  /// What the reader finds.
  package enum Reading {
    case results([Element])
    case nothingYet
    case finished
  }

  // MARK: Threads

  /// Permission to take a number of items.
  package struct Permits {
    package var count: Int
    fileprivate var putBacks: Int
  }

  /// Asks for permission to take up to `count` items; nil tells the thread to end its loop.
  package func permits(_ count: Int, lookAhead: Int) -> Permits? {
    let (permits, reader) = state.withLock { state -> (Permits?, Reader?) in
      let free = state.closed || state.exhausted ? 0 : min(count, lookAhead - state.outstanding)
      guard free > 0 else { return (nil, endLoop(&state)) }
      state.outstanding += free
      return (Permits(count: free, putBacks: state.putBacks), nil)
    }
    reader?.wake()
    return permits
  }

  /// Gives back the part of some permits for which the source had no items.
  package func exhausted(_ permits: Permits, found: Int) {
    state.withLock { state in
      if permits.putBacks == state.putBacks { state.exhausted = true }
      state.outstanding -= permits.count - found
    }
  }

  /// Gives back the permits of items that were put back to their source before this call.
  package func putBack(_ count: Int) {
    state.withLock { state in
      state.outstanding -= count
      state.exhausted = false
      state.putBacks += 1
    }
  }

  /// Leaves results for the reader.
  package func deliver(_ results: [Element]) {
    let reader = state.withLock { state -> Reader? in
      guard !state.closed else { return nil }
      state.results.append(contentsOf: results)
      defer { state.reader = nil }
      return state.reader
    }
    reader?.wake()
  }

  // The last loop to end wakes the reader, who finds that nothing more comes.
  private func endLoop(_ state: inout State) -> Reader? {
    state.activeLoops -= 1
    guard state.activeLoops == 0 else { return nil }
    defer { state.reader = nil }
    return state.reader
  }

  // MARK: The reader

  /// Takes up to `batchLimit` results, counts those lent before as read, and says how many loops to start.
  ///
  /// Loops are started only when half of the look-ahead is free, so that a fast reader does not wake a thread
  /// for every result; and no more of them than `most`, how many slots there may be.
  package func read(batchLimit: Int, lookAhead: Int, slots: Int, starting most: Int = .max) -> (
    reading: Reading, loopsToStart: Int
  ) {
    state.withLock { state in
      state.outstanding -= state.lent
      state.lent = 0
      guard !state.closed else { return (.finished, 0) }
      let free = lookAhead - state.outstanding
      var loops = 0
      if !state.exhausted, state.activeLoops == 0 || free * 2 >= lookAhead {
        loops = max(0, min(slots - state.activeLoops, free, most))
        state.activeLoops += loops
      }
      if state.results.isEmpty {
        return (state.exhausted && state.outstanding == 0 ? .finished : .nothingYet, loops)
      }
      let batch: [Element]
      if state.results.count <= batchLimit {
        batch = state.results
        state.results = []
      } else {
        batch = Array(state.results.prefix(batchLimit))
        state.results.removeFirst(batchLimit)
      }
      state.lent = batch.count
      return (.results(batch), loops)
    }
  }

  /// Suspends the reading task until there is something to read.
  package func waitInTask() async {
    await withUnsafeContinuation { wait(.task($0)) }
  }

  /// Blocks the reading thread until there is something to read.
  package func waitInThread() {
    let semaphore = DispatchSemaphore(value: 0)
    wait(.thread(semaphore))
    semaphore.wait()
  }

  private func wait(_ reader: Reader) {
    let ready = state.withLock { state in
      // Items that are outstanding without a loop are with worker processes; their delivery wakes the reader.
      let nothingComes = state.activeLoops == 0 && state.outstanding == 0
      if !state.results.isEmpty || state.closed || nothingComes { return true }
      state.reader = reader
      return false
    }
    if ready { reader.wake() }
  }

  /// Ends the run for the reader: what comes later is dropped.
  package func close() {
    let reader = state.withLock { state -> Reader? in
      state.closed = true
      state.results = []
      defer { state.reader = nil }
      return state.reader
    }
    reader?.wake()
  }
}
