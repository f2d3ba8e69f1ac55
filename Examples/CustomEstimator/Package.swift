// swift-tools-version: 6.0
import PackageDescription

let package = Package(
  name: "custom-estimator",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "apus", path: "../..")],
  targets: [
    .executableTarget(name: "CustomEstimator", dependencies: [.product(name: "Apus", package: "apus")])
  ],
  swiftLanguageModes: [.v6]
)
