extension LogisticObjective {
  /// Parameters reordered by score, each score's coefficients followed by its intercept.
  func byScore(_ vector: [Double], _ width: Int) -> [Double] {
    let k = scoreCount
    if k == 1 { return vector }
    var ordered = [Double](repeating: 0, count: vector.count)
    for index in 0..<width {
      for score in 0..<k { ordered[score * width + index] = vector[index * k + score] }
    }
    return ordered
  }

  /// What ``byScore(_:_:)`` did, undone.
  func byFeature(_ vector: [Double], _ width: Int) -> [Double] {
    let k = scoreCount
    if k == 1 { return vector }
    var ordered = [Double](repeating: 0, count: vector.count)
    for index in 0..<width {
      for score in 0..<k { ordered[index * k + score] = vector[score * width + index] }
    }
    return ordered
  }
}
