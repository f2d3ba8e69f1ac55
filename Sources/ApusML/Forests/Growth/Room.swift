/// Uninitialised memory for the arrays of a growing tree, freed with its owner.
final class Room<Element: BitwiseCopyable> {
  let base: UnsafeMutablePointer<Element>
  let capacity: Int

  init(_ capacity: Int) {
    self.capacity = max(1, capacity)
    base = .allocate(capacity: self.capacity)
  }

  convenience init(_ elements: [Element]) {
    self.init(elements.count)
    base.initialize(from: elements, count: elements.count)
  }

  convenience init(repeating element: Element, count: Int) {
    self.init(count)
    base.initialize(repeating: element, count: capacity)
  }

  deinit { base.deallocate() }
}
