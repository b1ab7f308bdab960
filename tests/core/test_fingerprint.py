"""An adapter knows its base."""

from __future__ import annotations

from pathlib import Path

import pytest

from tmbr.core.errors import ConfigError, DataError
from tmbr.core.fingerprint import RECORD, Fingerprint

CONFIG = {"model_type": "llama", "hidden_size": 64, "transformers_version": "5.0"}
VOCABULARY = {"a": 0, "b": 1}


def test_the_same_base_passes_under_another_name(tmp_path: Path) -> None:
    Fingerprint.of("hub/name", CONFIG, VOCABULARY).write(tmp_path)
    newer = {**CONFIG, "transformers_version": "5.1"}
    Fingerprint.of("./a copy", newer, dict(reversed(VOCABULARY.items()))).check(tmp_path)


@pytest.mark.parametrize(
    ("config", "vocabulary", "part"),
    [
        ({**CONFIG, "hidden_size": 32}, VOCABULARY, "architecture"),
        (CONFIG, {"a": 1, "b": 0}, "vocabulary"),
    ],
)
def test_another_base_is_one_line(
    tmp_path: Path, config: dict[str, object], vocabulary: dict[str, int], part: str
) -> None:
    Fingerprint.of("one", CONFIG, VOCABULARY).write(tmp_path)
    with pytest.raises(ConfigError, match=f"trained on 'one'; the {part} of 'two' differs") as caught:
        Fingerprint.of("two", config, vocabulary).check(tmp_path)
    assert "\n" not in str(caught.value)


def test_an_adapter_made_elsewhere_passes_and_a_broken_record_does_not(tmp_path: Path) -> None:
    base = Fingerprint.of("one", CONFIG, VOCABULARY)
    base.check(tmp_path)
    (tmp_path / RECORD).write_text('{"name": "one"')
    with pytest.raises(DataError, match=RECORD):
        base.check(tmp_path)


def test_other_weights_of_the_same_shape_are_another_base(tmp_path: Path) -> None:
    one, copy, other = (tmp_path / name for name in ("one", "copy", "other"))
    for folder, content in ((one, b"weights"), (copy, b"weights"), (other, b"tuned!!")):
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(content)
    Fingerprint.of(str(one), CONFIG, VOCABULARY).write(tmp_path)
    Fingerprint.of(str(copy), CONFIG, VOCABULARY).check(tmp_path)
    Fingerprint.of("hub/name", CONFIG, VOCABULARY).check(tmp_path)  # its weights are not known
    with pytest.raises(ConfigError, match=r"the weights of '.*other' differ: load it on its own base"):
        Fingerprint.of(str(other), CONFIG, VOCABULARY).check(tmp_path)
