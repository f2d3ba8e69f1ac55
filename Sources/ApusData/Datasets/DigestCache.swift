import ApusParallel
import Synchronization

/// A digest that is computed when it is first asked for, once for all copies of a value.
final class DigestCache: Sendable {
  private let digest = Mutex<Digest?>(nil)

  /// The digest, computed now if nobody has asked before.
  func value(_ compute: () -> Digest) -> Digest {
    digest.withLock { digest in
      if let digest { return digest }
      let computed = compute()
      digest = computed
      return computed
    }
  }
}
