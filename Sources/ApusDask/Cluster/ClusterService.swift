import ApusParallel
import ApusProcesses
import Foundation
import Synchronization

/// What happens to the client of a cluster.
enum ClusterCommand: Sendable {
  /// A run has started, or its reader has caught up.
  case wake(Int, any PoolRun)
  /// A run may have been cancelled.
  case look
  /// Data is to be placed; the continuation, which has a number of its own, is resumed when a host has it.
  case put(Digest, path: String, Int, UnsafeContinuation<Void, any Error>)
  /// Whoever waited for data with that number does not any more.
  case abandon(Digest, Int)
  /// Data is no longer needed.
  case forget(Digest)
  /// The bridge says something, or has ended.
  case answered(BridgeAnswer?)
}

/// A client of a cluster, seen from other threads: passes what they ask for to the task that does it.
final class ClusterService: RunServer {
  private let commands: AsyncStream<ClusterCommand>.Continuation
  private let bridge: BridgeProcess
  private let runs = Atomic<Int>(0)
  private let puts = Atomic<Int>(0)
  private let status: Mutex<ClusterStatus>

  /// Connects to a scheduler.
  ///
  /// - Throws: ``ApusError`` of kind `file` without Python or Dask, of kind `job` when the scheduler cannot be
  ///   reached.
  init(
    _ terms: BridgeTerms, settings: ClusterSettings, python: String,
    onEvent: @escaping @Sendable (ClusterEvent) -> Void
  ) async throws {
    let (stream, commands) = AsyncStream.makeStream(of: ClusterCommand.self)
    self.commands = commands
    let bridge = try BridgeProcess(python: python) { answer in
      commands.yield(.answered(answer))
      if answer == nil { commands.finish() }
    }
    self.bridge = bridge
    bridge.send(.open(terms))
    let iterator = stream.makeAsyncIterator()
    let first = await Self.firstAnswer(iterator)
    switch first {
    case .ready(let slots, let dashboard, let dask):
      status = Mutex(ClusterStatus(workers: slots, dashboard: dashboard, daskVersion: dask))
    case .trouble(let message, _):
      await bridge.close()
      throw ApusError(
        .job, message, hint: "check the address, that the scheduler runs, and TLS on both sides")
    default:
      throw ApusError(
        .job, bridge.lastWords,
        hint:
          "the interpreter must have Dask (\(python) -m pip install 'distributed>=2024.2'); APUS_PYTHON names another"
      )
    }
    let dispatcher = ClusterDispatcher(
      settings: settings, status: status.withLock { $0 },
      send: { [bridge] in bridge.send($0) },
      lastWords: { [bridge] in bridge.lastWords },
      report: { [weak self] event in
        if case .status(let status) = event { self?.status.withLock { $0 = status } }
        onEvent(event)
      })
    Task { await dispatcher.serve(stream) }
  }

  deinit {
    let bridge = bridge
    Task { await bridge.close() }
  }

  /// How the cluster was when it was last heard of.
  var currentStatus: ClusterStatus { status.withLock { $0 } }

  func nextRun() -> Int { runs.wrappingAdd(1, ordering: .relaxed).newValue }

  func wake(_ id: Int, _ run: any PoolRun) -> Bool {
    if case .terminated = commands.yield(.wake(id, run)) { return false }
    return true
  }

  func look() { commands.yield(.look) }

  /// Brings data to every host, and waits until one of them has it, or the task is cancelled.
  func put(_ digest: Digest, path: String) async throws {
    let number = puts.wrappingAdd(1, ordering: .relaxed).newValue
    try await withTaskCancellationHandler {
      try await withUnsafeThrowingContinuation { continuation in
        if case .terminated = commands.yield(.put(digest, path: path, number, continuation)) {
          continuation.resume(throwing: ApusError(.job, bridge.lastWords))
        }
        // A task that was cancelled before has said so too early.
        if Task.isCancelled { commands.yield(.abandon(digest, number)) }
      }
    } onCancel: {
      commands.yield(.abandon(digest, number))
    }
  }

  /// Lets go of data.
  func forget(_ digest: Digest) { commands.yield(.forget(digest)) }

  /// Clears up on the cluster and ends the connection.
  func close() async { await bridge.close() }

  private static func firstAnswer(_ iterator: AsyncStream<ClusterCommand>.Iterator) async -> BridgeAnswer? {
    var iterator = iterator
    while let command = await iterator.next() {
      if case .answered(let answer) = command { return answer }
    }
    return nil
  }
}
