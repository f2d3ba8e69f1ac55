import Synchronization

/// A fixed number of slots, each a thread of its own while the pool lives, which run what is submitted in the
/// order of submission.
final class SlotPool: Sendable {
  /// What runs in a slot; it is told the slot's number.
  typealias Work = @Sendable (_ slot: Int) -> Void

  let slotCount: Int
  private let state: Mutex<State>
  private let waitingCount = Atomic<Int>(0)

  private struct State {
    var threads: [ParkedThread?]
    var free: [Int]
    var waiting: [Work] = []
  }

  init(slots: Int) {
    slotCount = slots
    // The lowest slot is taken first.
    state = Mutex(State(threads: Array(repeating: nil, count: slots), free: (0..<slots).reversed()))
  }

  deinit { ParkedThread.giveBack(state.withLock { $0.threads.compactMap { $0 } }) }

  /// Whether work waits for a slot; those who hold one for long should then make way.
  var isContended: Bool { waitingCount.load(ordering: .relaxed) > 0 }

  /// Runs work as soon as a slot is free.
  func submit(_ work: @escaping Work) {
    let start = state.withLock { state -> (slot: Int, thread: ParkedThread)? in
      guard let slot = state.free.popLast() else {
        state.waiting.append(work)
        waitingCount.store(state.waiting.count, ordering: .relaxed)
        return nil
      }
      let thread = state.threads[slot] ?? ParkedThread.borrow(1)[0]
      state.threads[slot] = thread
      return (slot, thread)
    }
    guard let start else { return }
    start.thread.start(named: "apus-worker-\(start.slot)") { [self] in
      var next: Work? = work
      while let current = next {
        current(start.slot)
        next = takeWaiting(orFree: start.slot)
      }
    }
  }

  private func takeWaiting(orFree slot: Int) -> Work? {
    state.withLock { state in
      guard !state.waiting.isEmpty else {
        state.free.append(slot)
        return nil
      }
      defer { waitingCount.store(state.waiting.count, ordering: .relaxed) }
      return state.waiting.removeFirst()
    }
  }
}
