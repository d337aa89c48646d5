"""The vocabulary: frozen messages, one conversation a file, and the codec that writes and reads them all."""
