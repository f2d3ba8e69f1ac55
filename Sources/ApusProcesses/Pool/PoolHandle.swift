import ApusParallel
import CApusSystem
import Foundation
import Synchronization

/// What other threads ask of a pool's own thread.
enum PoolCommand: Sendable {
  /// A run has started, or its reader has caught up.
  case wake(Int, any PoolRun)
  /// Something may have been cancelled.
  case look
  /// Workers are to know of placed data.
  case place(Digest, path: String)
  /// Workers are to forget placed data.
  case drop(Digest)
  /// All workers are to end; the continuation is resumed when they have.
  case close(UnsafeContinuation<Void, Never>?)
}

/// A pool seen from other threads; the pool ends when the last one lets go of it.
final class PoolHandle: RunServer {
  private let channel: PoolChannel
  private let runs = Atomic<Int>(0)

  init(settings: PoolSettings) throws {
    let channel = try PoolChannel()
    self.channel = channel
    // A thread of its own until the end: the kernel ends workers with the thread that started them, and it
    // takes no signal for a write to a worker that has just died.
    Thread.detachNewThread {
      capus_set_thread_name("apus-pool")
      var signals = sigset_t()
      sigemptyset(&signals)
      sigaddset(&signals, SIGPIPE)
      pthread_sigmask(SIG_BLOCK, &signals, nil)
      PoolLoop(settings: settings, channel: channel).run()
    }
  }

  deinit { channel.send(.close(nil)) }

  /// Asks the pool's thread for something; false when the pool is closed.
  @discardableResult
  func send(_ command: PoolCommand) -> Bool { channel.send(command) }

  func nextRun() -> Int { runs.wrappingAdd(1, ordering: .relaxed).newValue }

  func wake(_ id: Int, _ run: any PoolRun) -> Bool { send(.wake(id, run)) }

  func look() { send(.look) }

  /// Ends the pool and waits until its workers are gone.
  func close() async { await withUnsafeContinuation { _ = channel.send(.close($0)) } }
}

/// Commands on their way to a pool's thread, and the pipe that wakes it.
final class PoolChannel: Sendable {
  /// Readable when there are commands.
  let wakeDescriptor: Int32
  private let writeDescriptor: Int32
  private let state = Mutex((commands: [PoolCommand](), isClosed: false))

  init() throws {
    var ends: [Int32] = [0, 0]
    guard capus_pipe(&ends) == 0 else { throw ApusError.systemFailure("cannot make", "a pipe") }
    (wakeDescriptor, writeDescriptor) = (ends[0], ends[1])
    _ = fcntl(wakeDescriptor, F_SETFL, O_NONBLOCK)
    _ = fcntl(writeDescriptor, F_SETFL, O_NONBLOCK)
  }

  deinit {
    Foundation.close(wakeDescriptor)
    Foundation.close(writeDescriptor)
  }

  @discardableResult
  func send(_ command: PoolCommand) -> Bool {
    let (isFirst, isClosed) = state.withLock { state in
      if !state.isClosed { state.commands.append(command) }
      return (state.commands.count == 1, state.isClosed)
    }
    if isClosed {
      if case .close(let continuation?) = command { continuation.resume() }
    } else if isFirst {
      var byte: UInt8 = 1
      _ = write(writeDescriptor, &byte, 1)
    }
    return !isClosed
  }

  /// Takes all commands.
  func take() -> [PoolCommand] {
    var bytes = [UInt8](repeating: 0, count: 64)
    while read(wakeDescriptor, &bytes, bytes.count) > 0 {}
    return state.withLock { state in
      defer { state.commands = [] }
      return state.commands
    }
  }

  /// Takes what came last and refuses all that comes later.
  func close() -> [PoolCommand] {
    state.withLock { state in
      state.isClosed = true
      defer { state.commands = [] }
      return state.commands
    }
  }
}
