"""What any part may need and no part is about: compiled code on disk, files, signals, parallel chunks, messages."""
