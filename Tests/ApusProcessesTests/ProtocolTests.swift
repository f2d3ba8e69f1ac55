import ApusParallel
import ApusProcesses
import Foundation
import Testing

@Suite struct ProtocolTests {
  static func frames(_ count: Int) -> [UInt8] {
    var writer = ByteWriter()
    for index in 0..<count {
      writer.writeFrame(.jobs) { writer in
        writer.write("job \(index)")
        writer.write(Double(index) / 3)
      }
    }
    return writer.bytes
  }

  @Test(arguments: [1, 2, 7, 1000]) func framesAreCutHoweverTheBytesArrive(_ step: Int) throws {
    var reader = FrameReader(awaitsPreamble: true)
    let stream = Array("a banner\n".utf8) + WorkerProtocol.preamble + Self.frames(10)
    var frames: [Frame] = []
    for start in stride(from: 0, to: stream.count, by: step) {
      reader.append(stream[start..<min(start + step, stream.count)])
      while let frame = try reader.next() { frames.append(frame) }
    }
    #expect(String(decoding: reader.strayOutput, as: UTF8.self) == "a banner\n")
    #expect(frames.count == 10)
    for (index, frame) in frames.enumerated() {
      var body = ByteReader(frame.body)
      #expect(try body.readText() == "job \(index)")
      #expect(try body.readDouble() == Double(index) / 3)
      #expect(body.isAtEnd)
      #expect(throws: ApusError.self) { try body.read(UInt8.self) }
    }
  }

  @Test func damagedStreamsAreRefused() {
    func read(_ bytes: [UInt8], awaitsPreamble: Bool = false) throws {
      var reader = FrameReader(awaitsPreamble: awaitsPreamble)
      reader.append(bytes)
      while try reader.next() != nil {}
    }
    // Too long, without a type, of an unknown type, never greeting.
    #expect(throws: ApusError.self) { try read([0xFF, 0xFF, 0xFF, 0xFF, 3]) }
    #expect(throws: ApusError.self) { try read([0, 0, 0, 0, 3]) }
    #expect(throws: ApusError.self) { try read([1, 0, 0, 0, 99]) }
    #expect(throws: ApusError.self) { try read(Array(repeating: 65, count: 70_000), awaitsPreamble: true) }
  }

  @Test func anyBytesAreReadWithoutATrap() {
    var random = Seed(4).randomSource()
    for _ in 0..<2000 {
      var bytes = Self.frames(3)
      for _ in 0..<4 { bytes[random.integer(below: bytes.count)] = UInt8(random.integer(below: 256)) }
      var reader = FrameReader(awaitsPreamble: false)
      reader.append(bytes)
      while let frame = try? reader.next() {
        _ = try? ResultMessage.readAll(frame.body)
        var body = ByteReader(frame.body)
        _ = try? body.readText()
      }
    }
  }

  @Test func aMismatchIsRefusedWithATable() throws {
    let pool = Handshake(
      version: 1, executable: String(repeating: "a", count: 64), wireNames: ["x", "y"], pid: 1)
    var worker = pool
    worker.wireNames = ["x", "y", "z"]
    #expect(pool.refusal(ofWorker: worker) == nil)
    worker.version = 2
    worker.executable = String(repeating: "b", count: 64)
    worker.wireNames = ["x", "z"]
    let refusal = try #require(pool.refusal(ofWorker: worker))
    #expect(
      refusal == """
        the worker does not fit the pool
                            pool          worker
          protocol version  1             2
          executable        aaaaaaaaaaaa  bbbbbbbbbbbb
          job x             yes           yes
          job y             yes           no
          job z             no            yes
        """)
  }

  @Test func placedDataIsReadBackWithoutACopyAndLeavesNoFile() throws {
    let regions = [[UInt8](1...100), [], [UInt8](repeating: 7, count: 5000)].map { bytes in
      SharedBytes(count: bytes.count) { $0.copyBytes(from: bytes) }
    }
    var file: PlacedFile? = try PlacedFile(SharedLayout(header: [9, 8, 7], regions: regions))
    let path = try #require(file?.path)
    #expect(file?.folder == "/dev/shm" || file?.folder == PlacedFile.defaultFolders[1])
    let layout = try PlacedFile.layout(mapping: path)
    #expect(layout.header == [9, 8, 7])
    #expect(layout.regions.map { Array($0.bytes) } == regions.map { Array($0.bytes) })
    #expect(layout.regions.allSatisfy { Int(bitPattern: $0.bytes.baseAddress) % 64 == 0 })
    file = nil
    #expect(throws: ApusError.self) { try PlacedFile.layout(mapping: path) }
    // The mapping outlives the file.
    #expect(layout.regions[2].bytes[4999] == 7)
  }

  @Test func dataThatFitsNowhereIsRefused() {
    let layout = SharedLayout(header: [1], regions: [])
    #expect { try PlacedFile(layout, folders: ["/proc"]) } throws: { "\($0)".contains("no room") }
    #expect(throws: ApusError.self) { try PlacedFile.layout(mapping: "/proc/self/maps") }
  }
}
