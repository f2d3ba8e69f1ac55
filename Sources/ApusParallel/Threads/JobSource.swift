import Synchronization

/// The items of a run, handed out with their indices to several threads, some at a time.
package final class JobSource<Items: Sequence & Sendable>: Sendable where Items.Element: Sendable {
  /// An item with its place in the sequence.
  package typealias Numbered = (index: Int, item: Items.Element)

  private let state: Mutex<State>
  private let taken = Atomic<Int>(0)

  private struct State {
    var iterator: Items.Iterator
    var nextIndex = 0
    var returned: [Numbered] = []
  }

  package init(_ items: Items) { state = Mutex(State(iterator: items.makeIterator())) }

  /// How many items were drawn from the sequence so far.
  package var takenCount: Int { taken.load(ordering: .relaxed) }

  /// Takes up to `count` items; fewer only at the end of the sequence.
  package func take(_ count: Int) -> [Numbered] {
    state.withLock { state in
      var taken: [Numbered] = []
      taken.reserveCapacity(count)
      while taken.count < count, let item = state.returned.popLast() { taken.append(item) }
      while taken.count < count, let item = state.iterator.next() {
        taken.append((state.nextIndex, item))
        state.nextIndex += 1
      }
      self.taken.store(state.nextIndex, ordering: .relaxed)
      return taken
    }
  }

  /// Takes the next item; nil at the end of the sequence.
  package func next() -> Numbered? {
    state.withLock { state in
      guard let item = state.iterator.next() else { return nil }
      defer { state.nextIndex += 1 }
      return (state.nextIndex, item)
    }
  }

  /// Puts back items that were taken too early, to be handed out first.
  package func putBack(_ items: ArraySlice<Numbered>) {
    state.withLock { $0.returned.append(contentsOf: items.reversed()) }
  }
}
