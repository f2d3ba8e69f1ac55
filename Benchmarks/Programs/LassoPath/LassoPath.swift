import Apus
import Foundation

/// Times `Lasso().path` on one thread and prints the seconds and the path as JSON.
///
/// Usage: `LassoPath TABLE`, a CSV file whose column `target` is to be predicted.
@main enum LassoPath {
  struct Report: Encodable {
    var wall: Double
    var cpu: Double
    var alphas: [Double]
    var coefficients: [[Double]]
    var intercepts: [Double]
  }

  static func main() throws {
    let data = try Dataset(csv: CommandLine.arguments[1], target: "target")
    let context = FitContext(compute: .sequential)
    // Code is loaded and memory is claimed at the first call; that is not what is compared.
    _ = try Lasso().path(data.gatheringRows(0..<600), context)
    let (clock, used) = (ContinuousClock.now, processorSeconds())
    let path = try Lasso().path(data, context)
    let (cpu, wall) = (processorSeconds() - used, (ContinuousClock.now - clock) / .seconds(1))
    let report = Report(
      wall: wall, cpu: cpu, alphas: path.map(\.alpha), coefficients: path.map(\.model.coefficients),
      intercepts: path.map(\.model.intercept))
    print(String(decoding: try JSONEncoder().encode(report), as: UTF8.self))
  }

  /// The CPU time that this process has used so far.
  static func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
  }
}
