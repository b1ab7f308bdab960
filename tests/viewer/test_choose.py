from __future__ import annotations

from tests.support import traces
from tmbr.viewer.choose import all_of_few, side_by_side


def test_each_cell_shows_a_success_and_a_failure_on_few_samples() -> None:
    solved, failed = traces.multibranch(), traces.react()
    lost = traces.multibranch()
    lost.finish = failed.finish
    both_fail = [traces.another(failed, 1), traces.another(lost, 1)]
    alone = [traces.another(failed, 2)]
    mixed = [traces.another(failed, 3), traces.another(solved, 3)]
    again = [traces.another(failed, 4), traces.another(solved, 4)]
    chosen = side_by_side([*alone, *both_fail, *mixed, *again])
    # On sample 3 the cells differ; sample 1 adds a failure of the other; nothing else is news.
    assert [trace.sample.id[-1] for trace in chosen] == ["3", "3", "1", "1"]
    assert side_by_side([*again, *mixed, *both_fail, *alone]) == chosen


def test_seeds_are_not_mixed_and_the_limit_holds() -> None:
    episodes = [traces.another(traces.react(), 1, seed) for seed in range(5)]
    assert side_by_side(episodes) == episodes[:1]
    assert side_by_side([traces.react(), traces.multibranch(), traces.restart()], limit=2) == [
        traces.react(),
        traces.multibranch(),
    ]
    assert side_by_side([]) == []


def test_few_are_all_shown_and_of_many_some() -> None:
    few = [traces.another(traces.react(), number) for number in range(3)]
    assert all_of_few(few[::-1]) == few
    assert len(side_by_side(few)) == 1
    assert all_of_few(few, limit=2) == side_by_side(few)
