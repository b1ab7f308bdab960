"""Equal calls."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tmbr.core.types import Action

ACTIONS = st.builds(
    Action,
    st.sampled_from("ab"),
    st.dictionaries(st.sampled_from("xy"), st.sampled_from(["", "1", "é"])),
)


@given(ACTIONS, ACTIONS)
def test_calls_are_the_same_where_their_keys_are(one: Action, other: Action) -> None:
    assert one.same(other) == (one.key == other.key)
