"""Uncompressed sound is stored shuffled, and comes back as it was."""

import random
from array import array

from aura_vcs.compression import shuffled, unshuffled, way_to_keep
from aura_vcs.ids import blob_id
from aura_vcs.objects.packs.format import CODEC_RAW, CODEC_SHUFFLED, CODEC_ZSTD, Frame
from aura_vcs.objects.packs.reader import decode_frame
from aura_vcs.objects.packs.writer import encode_frame
from hypothesis import given, strategies as st


def _sound(seconds: float) -> bytes:
    """A wandering level with noise in its low bits, as a voice has."""
    choices = random.Random("voice")
    level, samples = 0.0, array("h")
    for _ in range(int(48_000 * seconds)):
        level = 0.995 * level + choices.gauss(0, 60)
        samples.append(max(-32_768, min(32_767, int(level))))
    return samples.tobytes()


@given(st.binary(max_size=300))
def test_shuffling_is_undone(data):
    """Any bytes, of even or odd length, come back."""
    assert unshuffled(shuffled(data)) == data


def test_sound_is_stored_shuffled_and_comes_back():
    """16-bit sound takes less room shuffled, cut at odd places too, at every level, and decodes to itself."""
    data = _sound(4)
    pieces = [data[:100_001], data[100_001:250_000], data[250_000:]]
    for level in (None, 12):
        codec, stored = encode_frame(pieces, level)
        length = sum(map(len, stored))
        assert codec == CODEC_SHUFFLED
        assert length < 0.85 * len(data)
        decoded = decode_frame(Frame(8, length, len(data), codec), b"".join(stored), "a pack")
        assert blob_id(decoded) == blob_id(data)


def test_other_content_is_not_shuffled():
    """Noise is kept raw and text is compressed as it is."""
    noise = random.Random("noise").randbytes(300_000)
    text = b" ".join(str(number).encode() for number in range(60_000))
    assert encode_frame([noise], None)[0] == CODEC_RAW
    assert encode_frame([text], None)[0] == CODEC_ZSTD
    assert (way_to_keep(noise), way_to_keep(text), way_to_keep(_sound(1))) == ("raw", "plain", "shuffled")
