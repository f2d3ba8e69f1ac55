import Foundation
import Synchronization
import Testing

/// Runs tests that wait for other programs on threads of their own.
///
/// A test that blocks would otherwise hold one of Swift's cooperative threads, of which there are only as many
/// as processors, and with all of them held no asynchronous test goes on. There are a few more of these threads
/// than processors: so few that a hundred such tests do not start a hundred programs at once, so many that tests
/// do not wait beyond their time limits behind one that builds a package.
public struct BlockingTestTrait: SuiteTrait, TestTrait, TestScoping {
  /// The trait of a suite holds for each of its tests.
  public var isRecursive: Bool { true }

  /// Runs a test with the blocking threads as its executor.
  public func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
  ) async throws {
    try await withTaskExecutorPreference(BlockingTestThreads.shared) { try await function() }
  }
}

extension Trait where Self == BlockingTestTrait {
  /// The tests wait for other programs, and so run on threads of their own.
  public static var blocking: Self { Self() }
}

/// A few threads that do one job after another.
private final class BlockingTestThreads: TaskExecutor {
  static let shared = BlockingTestThreads(count: ProcessInfo.processInfo.activeProcessorCount + 2)

  private let queue = Mutex<[UnownedJob]>([])
  private let available = DispatchSemaphore(value: 0)

  private init(count: Int) {
    for _ in 0..<count {
      // The threads of a test program live as long as it does.
      Thread.detachNewThread { [self] in
        while true {
          available.wait()
          queue.withLock { $0.removeFirst() }.runSynchronously(on: asUnownedTaskExecutor())
        }
      }
    }
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.withLock { $0.append(job) }
    available.signal()
  }
}
