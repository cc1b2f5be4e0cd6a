"""Source to facts: which functions are tasks, what their annotations mean, where everything stands."""

from stem_builder.scan.package import ScanResult, scan_package

__all__ = ["ScanResult", "scan_package"]
