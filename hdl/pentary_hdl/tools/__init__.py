"""External tools: `toolchain` finds and runs them, `processes` ends them with the command that started them."""
