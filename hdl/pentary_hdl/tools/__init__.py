"""External tools: `toolchain` finds and runs them, `processes` kills them when the calling command ends."""
