/// How many jobs a worker may have at once, so that it never waits for the next and none waits long for it.
///
/// The size grows toward ``targetSeconds`` of work and no faster than doubling; jobs that are long beside a
/// message (``longJob``) are sent one at a time.
package struct BatchWindow: Sendable {
  /// 0.2 s: a message costs about 50 µs of both ends together, so this is far below a thousandth.
  private static let targetSeconds = 0.2
  private static let longJob = 0.05
  private static let largest = 4096

  /// The number of jobs that a worker may have.
  package private(set) var size = 1
  private var meanSeconds: Double?
  private var finishedSinceGrowth = 0

  package init() {}

  /// Learns from a job that has ended.
  package mutating func finished(seconds: Double) {
    let mean = meanSeconds.map { 0.8 * $0 + 0.2 * seconds } ?? seconds
    meanSeconds = mean
    finishedSinceGrowth += 1
    let wanted =
      mean >= Self.longJob ? 1 : max(2, Int(min(Self.targetSeconds / max(mean, 1e-6), Double(Self.largest))))
    if wanted <= size {
      size = wanted
      finishedSinceGrowth = 0
    } else if finishedSinceGrowth >= size {
      size = min(2 * size, wanted)
      finishedSinceGrowth = 0
    }
  }
}
