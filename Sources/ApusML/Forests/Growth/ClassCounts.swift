import CKernels

/// Classes whose rows count whole numbers of times, split by the Gini impurity in whole numbers.
final class ClassCounts: NodeStatistics {
  private let target: ClassTarget
  private let room: SplitRoom
  private let allClasses: Room<Int32>
  private let allCounts: Room<Int32>
  private let classes: Room<Int32>
  private let counts: Room<Int32>
  private let totals: Room<Int32>
  private var squares = 0.0
  private(set) var weight = 0.0
  private(set) var isPure = false

  init(_ target: ClassTarget, room: SplitRoom) {
    self.target = target
    self.room = room
    let n = target.classes.count
    allClasses = Room(target.classes)
    allCounts = Room(n)
    classes = Room(n)
    counts = Room(n)
    // The kernels look at classes eight at a time.
    totals = Room(repeating: 0, count: (target.classCount + 7) / 8 * 8)
  }

  var valueWidth: Int { target.classCount }
  var greatestDecrease: Double { weight - squares / weight }
  var decreaseScale: Double { 1 }

  func beginTree(multiplicities: UnsafePointer<Int32>, count: Int) {
    if let weights = target.weights {
      for row in 0..<count { allCounts.base[row] = multiplicities[row] &* Int32(weights[row]) }
    } else {
      allCounts.base.update(from: multiplicities, count: count)
    }
  }

  func enter(_ rows: UnsafePointer<UInt32>, count: Int) {
    var total: Int64 = 0
    var squares = 0.0
    let occurring = forest_gather_counts(
      allClasses.base, allCounts.base, rows, Int64(count), classes.base, counts.base, totals.base,
      Int32(target.classCount), &total, &squares)
    weight = Double(total)
    self.squares = squares
    isPure = occurring < 2
  }

  func bestSplit(
    codes: UnsafePointer<UInt16>, count: Int, lowest: Int32, highest: Int32, missingCode: Int32,
    limits: forest_leaf_limits
  ) -> forest_split {
    var best = forest_split()
    forest_gini_split(
      codes, Int64(count), lowest, highest, classes.base, counts.base, totals.base, Int32(target.classCount),
      weight, squares, missingCode, limits, room.scratch, &best)
    return best
  }

  func score(ofRow index: Int) -> (sum: Double, weight: Double) {
    let leading = leadingClass(totals.base, count: target.classCount)
    let weight = Double(counts.base[index])
    return (Int(classes.base[index]) == leading ? weight : 0, weight)
  }

  func leafValue(_ table: inout [Double]) -> UInt64 {
    classLeafValue(totals.base, count: target.classCount, weight: weight, isPure: isPure, &table)
  }
}

/// The position of the largest total, the first among equals.
func leadingClass<Number: Comparable>(_ totals: UnsafePointer<Number>, count: Int) -> Int {
  var leading = 0
  for index in 1..<count where totals[index] > totals[leading] { leading = index }
  return leading
}

/// A pure leaf's value is its class; another's is the number of its row of shares, after the classes.
func classLeafValue<Number: ForestNumber>(
  _ totals: UnsafePointer<Number>, count: Int, weight: Double, isPure: Bool, _ table: inout [Double]
) -> UInt64 {
  if isPure { return UInt64(leadingClass(totals, count: count)) }
  let row = table.count / count
  for index in 0..<count { table.append(totals[index].asDouble / weight) }
  return UInt64(count + row)
}

/// The numbers in which class totals are kept.
protocol ForestNumber: Comparable {
  var asDouble: Double { get }
}

extension Int32: ForestNumber {
  var asDouble: Double { Double(self) }
}

extension Double: ForestNumber {
  var asDouble: Double { self }
}
