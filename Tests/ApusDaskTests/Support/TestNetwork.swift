import ApusParallel
import ApusTestSupport
import Foundation

/// A network namespace that is reached over a router, itself a network namespace: here, a router, there. What passes
/// the router can be slowed down, and be cut off without either end being told. Gone with the value.
final class TestNetwork: Sendable {
  private let router: String
  private let far: String
  private let link: String
  /// This side's address.
  let address: String
  /// The far side's address.
  let farAddress: String
  /// Another address of the far side, to which nothing gets from here.
  let hiddenAddress: String

  /// Runs a command on the far side.
  var command: [String] { ["/usr/bin/env", "ip", "netns", "exec", far] }

  static let isAvailable: Bool = getuid() == 0 && (try? TestNetwork()) != nil
  static let canSlowDown: Bool = (try? TestNetwork().slowDown()) != nil

  init() throws {
    // Addresses and names of this process alone: other test programs may run beside it.
    let number = Int(getpid())
    router = "apus-router-\(number)"
    far = "apus-far-\(number)"
    link = "apus\(number)"
    let block = number % 8192 * 8
    let subnet = "10.213.\(block / 256)."
    let hosts = [1, 2, 5, 6].map { "\(subnet)\(block % 256 + $0)" }
    address = hosts[0]
    farAddress = hosts[3]
    hiddenAddress = "10.214.\(block / 256).\(block % 256)"
    do {
      for name in [router, far] { try Self.run("ip", "netns", "add", name) }
      try Self.run("ip", "link", "add", link, "type", "veth", "peer", "name", "near", "netns", router)
      try Self.run(
        "ip", "-n", router, "link", "add", "beyond", "type", "veth", "peer", "name", "inside", "netns", far)
      for (place, device, own) in [
        ([], link, hosts[0]), (["-n", router], "near", hosts[1]), (["-n", router], "beyond", hosts[2]),
        (["-n", far], "inside", hosts[3]),
      ] {
        try Self.run("ip", place + ["address", "add", "\(own)/30", "dev", device])
        try Self.run("ip", place + ["link", "set", device, "up"])
      }
      try Self.run("ip", "-n", far, "link", "set", "lo", "up")
      try Self.run("ip", "-n", far, "route", "add", "default", "via", hosts[2])
      try Self.run("ip", "route", "add", "\(subnet)\(block % 256 + 4)/30", "via", hosts[1])
      try Self.run("ip", "-n", far, "address", "add", "\(hiddenAddress)/32", "dev", "lo")
      try Self.run("ip", "route", "add", "unreachable", "\(hiddenAddress)/32")
      try mend()
    } catch {
      remove()
      throw error
    }
  }

  deinit { remove() }

  /// Nothing passes any more, and nobody is told.
  func cut() throws { try forward(false) }

  /// All passes again.
  func mend() throws { try forward(true) }

  private func forward(_ isOn: Bool) throws {
    try Self.run(
      "ip", "netns", "exec", router, "sh", "-c", "echo \(isOn ? 1 : 0) > /proc/sys/net/ipv4/ip_forward")
  }

  /// 20 Mbit/s, with 40 ms there and back where the kernel can delay.
  func slowDown() throws {
    do {
      try Self.run("tc", "qdisc", "add", "dev", link, "root", "netem", "delay", "40ms", "rate", "20mbit")
    } catch {
      try Self.run(
        "tc", "qdisc", "add", "dev", link, "root", "tbf", "rate", "20mbit", "burst", "32kbit", "latency",
        "400ms")
    }
  }

  private func remove() {
    _ = try? Self.run("ip", "route", "del", "unreachable", "\(hiddenAddress)/32")
    _ = try? Self.run("ip", "link", "del", link)
    for name in [router, far] { _ = try? Self.run("ip", "netns", "del", name) }
  }

  private static func run(_ words: String...) throws { try run(words[0], Array(words.dropFirst())) }

  private static func run(_ program: String, _ arguments: [String]) throws {
    let result = try runProgram(program, arguments)
    guard result.exitCode == 0 else { throw ApusError(.job, "\(program) failed: \(result.errors)") }
  }
}
