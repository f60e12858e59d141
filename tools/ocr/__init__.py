"""Text lines of an image: PP-OCR's models on ONNX Runtime.

The models and their settings are RapidOCR's, and so are the lines that come out (tested). Its Python is not
used: importing it takes longer than finding the lines of a photo.
"""

from tools.ocr.lines import MAX_SIDE, PHOTO_MIN_SIDE, SCREEN_MIN_SIDE, OcrLine, read_lines

__all__ = ["MAX_SIDE", "PHOTO_MIN_SIDE", "SCREEN_MIN_SIDE", "OcrLine", "read_lines"]
