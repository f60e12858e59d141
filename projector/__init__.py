"""The trainable bridge from image features to the language model's token space. Imports torch only."""
