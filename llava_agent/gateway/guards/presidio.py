"""Personal data that has no form of its own (names, places) or an uncommon one, found by Microsoft Presidio.

An extra: `pip install llava-agent[presidio]`. Nothing is downloaded: a language model is a package that is
installed beside it, and the recognisers that ask the network for lists of domains are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from llava_agent.errors import ConfigError
from llava_agent.gateway.guards.finding import Finding, Place
from llava_agent.gateway.guards.settings import PresidioSettings

#: Longest name in words, which a stream waits for.
NAME_WORDS = 4
#: What they look for is found by the built-in patterns.
_ASKING_THE_NETWORK = ("EmailRecognizer", "UrlRecognizer")


class Presidio:
    """Implements `guards.finding.Guard`. Safe to share between threads.

    Raises:
        ConfigError: the package or the language model is not installed, or it knows no such entity.
    """

    name = "presidio"

    def __init__(self, settings: PresidioSettings) -> None:
        self._settings = settings
        if find_spec("presidio_analyzer") is None:
            raise ConfigError(
                "the policy's guards ask for presidio, which is not installed",
                "pip install llava-agent[presidio]",
            )
        if settings.model is not None and find_spec(settings.model) is None:
            raise ConfigError(
                f"the language model {settings.model} of the guard presidio is not installed",
                "install that package, or leave `model` out",
            )
        self._analyzer = self._load()

    def look(self, text: str, place: Place) -> Sequence[Finding]:
        found = self._analyzer.analyze(
            text=text,
            language=self._settings.language,
            entities=list(self._settings.entities),
            score_threshold=self._settings.score,
        )
        return [Finding(one.entity_type.lower(), one.start, one.end) for one in found]

    def _load(self) -> Any:
        """The analyzer, which takes seconds: it is made before any call has a time limit."""
        from presidio_analyzer import AnalyzerEngine, RecognizerRegistry

        language = self._settings.language
        registry = RecognizerRegistry(supported_languages=[language])
        registry.load_predefined_recognizers(languages=[language])
        for recognizer in _ASKING_THE_NETWORK:
            registry.remove_recognizer(recognizer)
        unknown = set(self._settings.entities) - set(registry.get_supported_entities([language]))
        if unknown:
            raise ConfigError(f"presidio knows no {min(unknown)}", "see its list of entities")
        return AnalyzerEngine(
            registry=registry, nlp_engine=self._words(language), supported_languages=[language]
        )

    def _words(self, language: str) -> Any:
        """spaCy's model, or words alone where none is named: then names of people are not found."""
        import spacy
        from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine

        model = self._settings.model
        engine: Any = SpacyNlpEngine(
            models=[{"lang_code": language, "model_name": model or "blank"}],
            ner_model_configuration=NerModelConfiguration(),
        )
        engine.nlp = {language: spacy.blank(language) if model is None else spacy.load(model)}
        return engine
