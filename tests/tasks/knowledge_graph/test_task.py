"""The task: samples, prompt, score, mistakes."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.environments.sparql_server import serving
from tests.tasks.knowledge_graph.playing import call
from tests.tasks.playing import key_of, led, play
from tmbr.core.errors import ConfigError
from tmbr.core.types import Completion, Message
from tmbr.environments.knowledge_graph import MemoryGraph
from tmbr.tasks.knowledge_graph import KnowledgeGraph
from tmbr.tasks.knowledge_graph.session import KnowledgeGraphSession
from tmbr.tasks.knowledge_graph.task import SIZES, TRIPLES, graph_seed, scored


def test_samples_are_made_when_they_are_asked_for() -> None:
    samples = KnowledgeGraph().samples("train")
    assert len(samples) == SIZES["train"] == 20_000
    assert samples[3] == samples[3:4][0] == KnowledgeGraph().samples("train")[3]
    assert samples[-1].id == "generated-10000-train-19999"
    with pytest.raises(IndexError):
        samples[20_000]


def test_the_splits_share_no_graph_no_name_and_no_question() -> None:
    seeds = [{graph_seed(10_000, split, i) for i in range(size)} for split, size in SIZES.items()]
    assert sum(map(len, seeds)) == len(set.union(*seeds)) == 210
    names: list[set[str]] = []
    texts: list[set[str]] = []
    for split in SIZES:
        samples = KnowledgeGraph().samples(split)[:300]
        names.append({name for sample in samples for name in sample.setup["entities"]})
        texts.append({sample.instruction for sample in samples})
    for kind in (names, texts):
        assert sum(map(len, kind)) == len(set.union(*kind))
    assert all(len(some) > 290 for some in texts)


def test_larger_graphs_serve_more_questions() -> None:
    task = KnowledgeGraph("generated-100k")
    samples = task.samples("test")
    assert {graph_seed(100_000, "test", i) for i in range(len(samples))} == {2}
    for sample in samples[:8]:
        assert sample.setup["triples"] == TRIPLES["generated-100k"]
        assert led(task, sample).score.success


def test_the_prompt_holds_the_question_once() -> None:
    for form, roles in (("text", ["user"]), ("agentbench", ["system", "user"])):
        task = KnowledgeGraph(form=form)
        sample = task.samples("train")[0]
        messages = task.messages(sample, task.open(sample).observation)
        assert [message.role for message in messages] == roles
        assert sum(m.content.count(sample.instruction) for m in messages) == 1
        assert messages[-1].content.endswith(f"\nEntities: [{', '.join(sample.setup['entities'])}]")


def test_what_is_said_does_not_tell_the_answer() -> None:
    """No id of the answer is shown before the end, and neither is the score."""
    task = KnowledgeGraph()
    for sample in task.samples("validation")[:24]:
        played = play(task, sample, task.expert)
        if not sample.target[0].isdecimal():
            assert not any(entity in m.content for m in played.messages for entity in sample.target)


ids = st.frozensets(st.sampled_from("abcdef"))


@given(ids, ids)
def test_the_score_is_f1_and_success_the_exact_set(found: frozenset[str], gold: frozenset[str]) -> None:
    score = scored(found, gold)
    both = len(found & gold)
    if both:
        precision, recall = both / len(found), both / len(gold)
        assert score.value == pytest.approx(2 * precision * recall / (precision + recall))
    else:
        assert score.value == 0.0
    assert score.success == (found == gold)


def test_an_episode_without_an_answer_scores_nothing() -> None:
    task = KnowledgeGraph()
    sample = task.samples("validation")[0]
    session = task.open(sample)
    assert task.score(sample, session, []).value == 0.0
    session.step(call("#3"))
    assert task.score(sample, session, []) == scored(frozenset(), frozenset(sample.target))


def test_no_state_is_shared_between_episodes() -> None:
    """Two on one graph, in turns, say what each says alone."""
    task = KnowledgeGraph()
    one, other = task.samples("validation")[:2]
    alone = [led(task, sample).steps for sample in (one, other)]
    sessions = [task.open(sample) for sample in (one, other)]
    ways = [[task.parse(_completion(m)) for m in task.walkthrough(s)] for s in (one, other)]
    heard: list[list[object]] = [[], []]
    for number in range(max(map(len, ways))):
        for which in (0, 1):
            if number < len(ways[which]):
                heard[which].append(sessions[which].step(ways[which][number]))
    assert heard == alone
    first, second = (task.open(one) for _ in range(2))
    assert isinstance(first, KnowledgeGraphSession)
    assert isinstance(second, KnowledgeGraphSession)
    assert first.state.knowledge is not second.state.knowledge
    assert first.state.knowledge.graph is second.state.knowledge.graph


def _completion(message: Message) -> Completion:
    return Completion(message.content, message.tool_calls)


@pytest.mark.parametrize("form", ["text", "agentbench"])
def test_a_mistake_is_wrong_and_nearly_always_admissible(form: str) -> None:
    task, rng = KnowledgeGraph(form=form), Random(0)

    def err(messages: list[Message]) -> Message:
        wrong = task.mistake(messages, rng)
        assert key_of(task, wrong) != key_of(task, task.expert(messages))
        return wrong

    games = [play(task, sample, err) for sample in task.samples("validation")[:10]]  # type: ignore[arg-type]
    turns = sum(len(game.steps) for game in games)
    assert sum(len(game.refused) for game in games) < 0.05 * turns
    assert {game.steps[-1].status for game in games} == {"task limit reached"}


def test_a_slip_is_wrong_often_refused_and_mended() -> None:
    """Every fifth turn a slip: the expert still answers most questions, and is itself never refused."""
    task, rng = KnowledgeGraph(), Random(0)
    slips: list[str] = []

    def stumble(messages: list[Message]) -> Message:
        if rng.random() > 0.2:
            return task.expert(messages)
        wrong = task.slip(messages, rng)
        said = key_of(task, wrong)
        assert said is not None
        assert said != key_of(task, task.expert(messages))
        slips.append(said)
        return wrong

    games = [play(task, sample, stumble) for sample in task.samples("validation")[:80]]  # type: ignore[arg-type]
    refused = [action.key for game in games for action in game.refused]
    assert 0.2 * len(slips) < len(refused) < 0.9 * len(slips)
    assert set(refused) <= set(slips)
    assert sum(game.score.success for game in games) > 65


def test_a_mistake_is_drawn_from_the_generator_alone() -> None:
    task = KnowledgeGraph()
    sample = task.samples("validation")[0]
    messages = task.messages(sample, task.open(sample).observation)
    assert task.mistake(messages, Random(1)) == task.mistake(messages, Random(1))
    assert len({task.mistake(messages, Random(seed)).content for seed in range(30)}) > 3


def test_forms_are_part_of_the_version() -> None:
    assert KnowledgeGraph(form="text").version != KnowledgeGraph(form="agentbench").version


def test_a_mistyped_name_gets_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'agentbench'"):
        KnowledgeGraph(form="agentbensh")
    with pytest.raises(ConfigError, match=r"did you mean 'induced-std\.even'"):
        KnowledgeGraph("induced-std.evn")
    with pytest.raises(ConfigError, match="did you mean 'validation'"):
        KnowledgeGraph().samples("validatoin")


def test_freebase_needs_an_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMBR_SPARQL", raising=False)
    with pytest.raises(ConfigError, match=r"freebase-dev needs a SPARQL endpoint .*; set TMBR_SPARQL"):
        KnowledgeGraph("freebase-dev")
    monkeypatch.setenv("TMBR_SPARQL", "ftp://x")
    with pytest.raises(ConfigError, match=r"is no http\(s\) URL"):
        KnowledgeGraph("freebase-dev")
    with serving(MemoryGraph([])) as url:
        assert KnowledgeGraph("freebase-dev", endpoint=f"{url}/sparql").data == "freebase-dev"
