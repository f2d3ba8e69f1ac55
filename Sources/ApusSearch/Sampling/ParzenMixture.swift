import ApusParallel
import Foundation

/// A density over points of several dimensions: a mixture of one component around each observed point and one
/// that is wide, which stands for what was known before.
///
/// A component is a product over the dimensions of normal densities cut off at 0 and 1, or of probabilities of
/// categories. Widths follow Scott's rule, as in Optuna's multivariate sampler.
struct ParzenMixture {
  private let dimensions: [UnitDimension]
  private let centres: [[Double]]
  private let width: Double
  /// The probability that a component leaves its own category.
  private let leaving: Double
  /// For each centre, the logarithm of what its density is divided by.
  private let normalisers: [Double]

  private static var narrowest: Double { 0.01 }
  /// The width of a component when there is one point.
  private static var widest: Double { 0.2 }

  init(_ dimensions: [UnitDimension], around centres: [[Double]]) {
    self.dimensions = dimensions
    self.centres = centres
    let exponent = -1 / (Double(dimensions.count) + 4)
    let width = max(Self.narrowest, Self.widest * pow(Double(max(1, centres.count)), exponent))
    self.width = width
    leaving = 1 / Double(centres.count + 1)
    normalisers = centres.map { centre in
      zip(dimensions, centre).reduce(0) { sum, place in
        guard place.0.categoryCount == nil else { return sum }
        // √2π σ times the mass of the normal density between 0 and 1.
        let scale = width * 2.0.squareRoot()
        let mass = (erf((1 - place.1) / scale) + erf(place.1 / scale)) / 2
        return sum + log((2 * Double.pi).squareRoot() * width * mass)
      }
    }
  }

  /// A point drawn from the density.
  func draw(_ random: inout RandomSource) -> [Double] {
    let component = random.integer(below: centres.count + 1)
    guard component < centres.count else { return dimensions.map { $0.draw(&random) } }
    return zip(dimensions, centres[component]).map { dimension, centre in
      if dimension.categoryCount != nil {
        return random.uniform() < leaving ? dimension.draw(&random) : centre
      }
      while true {
        let point = centre + width * random.normal()
        if point >= 0, point <= 1 { return point }
      }
    }
  }

  /// The logarithm of the density at a point.
  func logDensity(_ point: [Double]) -> Double {
    // The wide component: uniform over the interval, and over the categories.
    var terms = [dimensions.reduce(0) { $0 - log(Double($1.categoryCount ?? 1)) }]
    for (centre, normaliser) in zip(centres, normalisers) {
      var sum = -normaliser
      for (index, dimension) in dimensions.enumerated() {
        if let count = dimension.categoryCount {
          let other = leaving / Double(count)
          sum += log(point[index] == centre[index] ? 1 - leaving + other : other)
        } else {
          let distance = (point[index] - centre[index]) / width
          sum -= distance * distance / 2
        }
      }
      terms.append(sum)
    }
    let largest = terms.max() ?? 0
    return largest + log(terms.reduce(0) { $0 + exp($1 - largest) } / Double(terms.count))
  }
}
