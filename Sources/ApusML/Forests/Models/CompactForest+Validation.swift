extension CompactForest {
  /// Whether every node leads where it may, so that a damaged file cannot lead a prediction astray.
  func isSound() -> Bool {
    guard layout.offsetBits > 0, layout.slotBits > 0, layout.offsetBits < 60, layout.slotBits < 60,
      layout.codeShift < 60, valueWidth > 0, !trees.isEmpty,
      tables.allSatisfy({
        ($0.categoryCount ?? 0) >= 0 && ($0.categoryCount ?? 0) <= ColumnBins.maxCategories
      })
    else { return false }
    return trees.allSatisfy(isSound)
  }

  private func isSound(_ tree: CompactTree) -> Bool {
    let nodes = tree.nodes.elements
    let rowCount = tree.values.elements.count / valueWidth
    let valueCount = UInt64(hasClasses ? valueWidth + rowCount : rowCount)
    guard !nodes.isEmpty, tree.importances.elements.count == featureCount,
      tree.values.elements.count % valueWidth == 0,
      tree.sets.elements.count % CategorySet.wordCount == 0
    else { return false }
    let setCount = UInt64(tree.sets.elements.count / CategorySet.wordCount)
    for (index, node) in nodes.enumerated() {
      let code = layout.code(of: node)
      if layout.isSplit(node) {
        guard layout.feature(of: node) < featureCount, layout.offset(of: node) > 1,
          index + layout.offset(of: node) < nodes.count
        else { return false }
        let isCategorical = tables[layout.feature(of: node)].categoryCount != nil
        guard layout.isCategorical(node) == isCategorical, !isCategorical || code < setCount
        else { return false }
      } else {
        guard layout.offset(of: node) == 0, layout.slot(of: node) == 0, !layout.isCategorical(node),
          code < valueCount
        else { return false }
      }
    }
    guard let inner = tree.inner else { return true }
    return inner.values.elements.count == nodes.count && inner.decreases.elements.count == nodes.count
      && inner.values.elements.allSatisfy { $0 < valueCount }
  }
}
