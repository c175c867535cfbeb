"""Subtitles as text with times: read from SubRip or WebVTT, or cut out of a scene's script."""

import re
from typing import NamedTuple

MAX_BYTES = 4 * 1024 * 1024
_TIME = r"(?:(\d{1,3}):)?([0-5]\d):([0-5]\d)[,.](\d{1,3})"
_ARROW = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}.*", re.ASCII)
_TAG = re.compile(r"<[^<>]{0,200}>|\{\\[^{}]{0,200}\}")
_SENTENCE_END = re.compile(r"(?<=[.!?…。！？])\s+")


class TimedText(NamedTuple):
    """A text and when it is seen, in seconds from the start of the film."""

    start: float
    end: float
    text: str


def parse_subtitles(data: bytes) -> list[TimedText]:
    """Read the cues of a SubRip (.srt) or WebVTT (.vtt) file, in order of time; formatting is dropped.

    Lines that are no cue are passed over. UTF-8, with or without byte order mark; other bytes
    are read as Latin-1, as old subtitle programs wrote.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    cues: list[TimedText] = []
    lines = iter([*text.splitlines(), ""])
    for line in lines:
        found = _ARROW.fullmatch(line) if "-->" in line and len(line) < 500 else None
        if found is None:
            continue
        words = []
        for content in lines:
            if not content.strip():
                break
            words.append(_TAG.sub("", content).strip())
        start, end = _seconds(found.groups("0")[:4]), _seconds(found.groups("0")[4:])
        if end > start and any(words):
            cues.append(TimedText(start, end, " ".join(filter(None, words))))
    return sorted(cues)


def _seconds(parts: tuple[str, ...]) -> float:
    hours, minutes, seconds, fraction = parts
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds) + float(f"0.{fraction}")


def script_cues(script: str, start: float, seconds: float) -> list[TimedText]:
    """Make one cue per sentence of `script`, each as long as its share of the letters."""
    sentences = [sentence for sentence in _SENTENCE_END.split(" ".join(script.split())) if sentence]
    letters = sum(map(len, sentences))
    cues, now = [], start
    for sentence in sentences:
        length = seconds * len(sentence) / letters
        cues.append(TimedText(now, now + length, sentence))
        now += length
    return cues
