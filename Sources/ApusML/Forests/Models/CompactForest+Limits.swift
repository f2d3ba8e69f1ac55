import ApusParallel

extension CompactForest {
  /// Checks numbers of trees that a caller asks for.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` unless they ascend from 1 to the number of trees.
  func check(_ treeCounts: [Int]) throws {
    let ascends = zip(treeCounts, treeCounts.dropFirst()).allSatisfy { $0 <= $1 }
    guard ascends, treeCounts.allSatisfy({ $0 >= 1 && $0 <= trees.count }) else {
      throw ApusError(
        .invalidParameter, "numbers of trees must ascend from 1 to \(trees.count), but are \(treeCounts)")
    }
  }

  /// The forest of the first `treeCount` trees; trees are shared, not copied.
  func prefix(treeCount: Int) -> CompactForest {
    precondition(treeCount >= 1 && treeCount <= trees.count, "a prefix has from 1 to all of the trees")
    var prefix = self
    prefix.trees = Array(trees.prefix(treeCount))
    return prefix
  }

  /// The forest whose trees have no node below a depth; nil where inner nodes did not keep their values.
  func limited(toDepth depth: Int) -> CompactForest? {
    var limited = self
    limited.trees.removeAll(keepingCapacity: true)
    for tree in trees {
      guard let cut = self.cut(tree, toDepth: depth) else { return nil }
      limited.trees.append(cut)
    }
    return limited
  }

  private func cut(_ tree: CompactTree, toDepth maxDepth: Int) -> CompactTree? {
    guard let inner = tree.inner else { return nil }
    let source = tree.nodes.elements
    var record = TreeRecord(layout: layout)
    var pending = [(node: 0, depth: 0, parent: -1)]
    while let (index, depth, parent) = pending.popLast() {
      let place = record.nodes.count
      if parent >= 0 { record.nodes[parent] |= layout.offset(place - parent) }
      let node = source[index]
      let value = copyValue(inner.values.elements[index], from: tree.values.elements, to: &record.values)
      record.innerValues.append(value)
      guard layout.isSplit(node), depth < maxDepth else {
        record.nodes.append(layout.leaf(value: value))
        record.decreases.append(0)
        continue
      }
      var code = layout.code(of: node)
      if layout.isCategorical(node) {
        let first = Int(code) * CategorySet.wordCount
        code = UInt64(record.sets.count / CategorySet.wordCount)
        record.sets += tree.sets.elements[first..<first + CategorySet.wordCount]
      }
      record.nodes.append(
        layout.split(slot: layout.slot(of: node), code: code, isCategorical: layout.isCategorical(node)))
      record.decreases.append(inner.decreases.elements[index])
      pending.append((index + layout.offset(of: node), depth + 1, place))
      pending.append((index + 1, depth + 1, -1))
    }
    return record.finished(featureCount: featureCount, keepsInnerValues: true).tree
  }

  private func copyValue(_ value: UInt64, from source: [Double], to target: inout [Double]) -> UInt64 {
    let ownCount = hasClasses ? valueWidth : 0
    guard value >= ownCount else { return value }
    let first = (Int(value) - ownCount) * valueWidth
    let row = target.count / valueWidth
    target += source[first..<first + valueWidth]
    return UInt64(ownCount + row)
  }
}
