"""Training composed models on a researcher's own data: align, instruct, lora, qlora."""
