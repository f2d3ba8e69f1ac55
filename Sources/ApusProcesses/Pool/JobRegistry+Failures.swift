import ApusParallel

extension JobRegistry {
  /// How every job of a type fails that this registry does not know; nil for one that it knows.
  package func failureUnlessRegistered<J: Job>(_ type: J.Type) -> (@Sendable (String) -> JobFailure)? {
    do {
      try checkRegistered(type)
      return nil
    } catch {
      return { JobFailure(reason: .notRegistered, message: "\(error)", job: $0) }
    }
  }
}
