"""The vision-language model: tower, projector, language model, prompt, fusion, engines."""
