"""GGUF files for llama.cpp: the language model, and tower with projector (`mmproj`)."""
