"""The local model against transformers' own `generate`, and against itself in other company."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, MistralConfig, MistralForCausalLM

from tests.support import tiny
from tmbr.core.errors import ConfigError, ModelFault
from tmbr.core.fingerprint import Fingerprint
from tmbr.core.grammar import LINE, Grammar, one_of
from tmbr.core.types import Completion, Context, Message, Sampling
from tmbr.models.local import LocalModel
from tmbr.models.schemas import fits

T = TypeVar("T")
GREEDY = Sampling(max_tokens=24)
WARM = Sampling(temperature=1.0, max_tokens=24)
TOOL = {
    "type": "function",
    "function": {
        "name": "take_action",
        "description": "act",
        "parameters": {"type": "object", "properties": {"action": {"type": "string"}}},
    },
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def asked(text: str) -> Context:
    return Context(Message("system", "You are an agent.")).then(Message("user", text))


def answered(context: Context, answer: Completion, observation: str) -> Context:
    return context.then(answer.message(), answer.token_ids).then(Message("user", observation))


def with_model(folder: Path, use: Callable[[LocalModel], Awaitable[T]], **settings: int | str) -> T:
    async def run() -> T:
        model = LocalModel.load(str(folder), **settings)  # type: ignore[arg-type]
        try:
            return await use(model)
        finally:
            await model.aclose()

    return asyncio.run(run())


def generated(folder: Path, model: LocalModel, context: Context, length: int = 24) -> list[int]:
    """What `generate` writes, greedily, after the very same token ids."""
    ids = model._encoder.encode(context, ())
    reference = AutoModelForCausalLM.from_pretrained(folder)
    out = reference.generate(torch.tensor([ids]), max_new_tokens=length, do_sample=False)
    return out[0, len(ids) :].tolist()


PROMPTS = [asked(" ".join(tiny.CORPUS[i % 4].split()[: 3 + i])) for i in range(16)]


@pytest.mark.parametrize("kv_heads", [1, 2, 4])
def test_a_batch_writes_what_generate_writes(tmp_path: Path, kv_heads: int) -> None:
    folder = tiny.write(tmp_path, kv_heads=kv_heads)

    async def use(model: LocalModel) -> None:
        answers = await asyncio.gather(*(model.complete(p, (), 1, GREEDY, 0) for p in PROMPTS[:6]))
        for prompt, (answer,) in zip(PROMPTS, answers, strict=False):
            assert list(answer.token_ids) == generated(folder, model, prompt)
            assert len(answer.logprobs) == len(answer.token_ids)

    with_model(folder, use)


@pytest.mark.parametrize("sampling", [GREEDY, WARM, Sampling(0.7, 0.8, 24)])
def test_tokens_do_not_depend_on_the_company(folder: Path, sampling: Sampling) -> None:
    async def alone(model: LocalModel) -> list[list[Completion]]:
        return [await model.complete(p, (), 1 + i % 3, sampling, i) for i, p in enumerate(PROMPTS)]

    async def together(model: LocalModel) -> list[list[Completion]]:
        return await asyncio.gather(
            *(model.complete(p, (), 1 + i % 3, sampling, i) for i, p in enumerate(PROMPTS))
        )

    one = with_model(folder, alone, max_batch=1, cache_bytes=0)
    many = with_model(folder, together, max_batch=16)
    for left, right in zip(one, many, strict=True):
        assert [c.token_ids for c in left] == [c.token_ids for c in right]
        assert [c.text for c in left] == [c.text for c in right]
        for a, b in zip(left, right, strict=True):
            assert a.logprobs == pytest.approx(b.logprobs, abs=1e-4)


ACTING = Grammar("Thought: " + LINE + "\nAction: " + one_of(["go to desk 3", "look", "take apple 1"]))
CALLING = Grammar(tools=(TOOL,))


def test_a_grammar_holds_for_its_own_request_alone(folder: Path) -> None:
    """In mixed company every answer is as it is alone, and none is cut in its middle."""
    ways = [
        WARM,
        replace(WARM, grammar=ACTING, max_tokens=60),
        replace(GREEDY, grammar=CALLING, max_tokens=120),
        Sampling(0.7, 0.8, 90, grammar=CALLING),
        Sampling(3.0, 1.0, 120, grammar=ACTING),
    ]

    async def ask(model: LocalModel, i: int) -> list[Completion]:
        return await model.complete(PROMPTS[i], (TOOL,), 1 + i % 3, ways[i % 5], i)

    async def alone(model: LocalModel) -> list[list[Completion]]:
        return [await ask(model, i) for i in range(10)]

    async def together(model: LocalModel) -> list[list[Completion]]:
        return await asyncio.gather(*(ask(model, i) for i in range(10)))

    async def unguided(model: LocalModel) -> list[list[Completion]]:
        return [await ask(model, i) for i in (0, 5)]

    one = with_model(folder, alone, max_batch=1, cache_bytes=0)
    many = with_model(folder, together, max_batch=16)
    for left, right in zip(one, many, strict=True):
        assert [c.token_ids for c in left] == [c.token_ids for c in right]
        for a, b in zip(left, right, strict=True):
            assert a.logprobs == pytest.approx(b.logprobs, abs=1e-4)
    free = with_model(folder, unguided, max_batch=1, cache_bytes=0)
    assert [free[0], free[1]] == [one[0], one[5]]
    for i, answers in enumerate(one):
        for answer in answers if (grammar := ways[i % 5].grammar) else ():
            assert answer.finish_reason == "stop"
            assert fits(grammar, answer), answer.text


def test_under_a_grammar_the_logprobs_are_the_models_own(folder: Path) -> None:
    async def use(model: LocalModel) -> None:
        sampling = Sampling(1.0, max_tokens=60, grammar=ACTING)
        (answer,) = await model.complete(PROMPTS[2], (), 1, sampling, 5)
        ids = model._encoder.encode(PROMPTS[2], ())
        reference = AutoModelForCausalLM.from_pretrained(folder)
        logits = reference(torch.tensor([[*ids, *answer.token_ids]])).logits[0].detach().log_softmax(-1)
        wanted = [float(logits[len(ids) + i - 1, t]) for i, t in enumerate(answer.token_ids)]
        assert answer.logprobs == pytest.approx(wanted, abs=1e-3)
        assert min(answer.logprobs) < -5  # what had to be said was not likely

    with_model(folder, use)


def test_a_grammar_that_does_not_fit_the_room_is_cut_like_any_answer(folder: Path) -> None:
    async def use(model: LocalModel) -> None:
        sampling = Sampling(1.0, max_tokens=8, grammar=CALLING)
        (answer,) = await model.complete(PROMPTS[2], (), 1, sampling, 5)
        assert (answer.finish_reason, len(answer.token_ids)) == ("length", 8)

    with_model(folder, use)


def test_a_schema_without_a_grammar_is_one_line(folder: Path) -> None:
    odd = {"type": "object", "properties": {"x": {"anyOf": [{"type": "string"}], "type": "either"}}}
    tool = {"type": "function", "function": {"name": "f", "parameters": odd}}

    async def use(model: LocalModel) -> None:
        with pytest.raises(ConfigError, match="no grammar can be made of the schema") as error:
            await model.complete(PROMPTS[2], (), 1, Sampling(grammar=Grammar(tools=(tool,))), 5)
        assert "\n" not in str(error.value)
        assert await model.complete(PROMPTS[2], (), 1, GREEDY, 5)

    with_model(folder, use)


def test_candidates_differ_and_follow_from_the_seed(folder: Path) -> None:
    async def use(model: LocalModel) -> None:
        four = await model.complete(PROMPTS[3], (), 4, WARM, 7)
        again = await model.complete(PROMPTS[3], (), 2, WARM, 7)
        other = await model.complete(PROMPTS[3], (), 2, WARM, 8)
        assert len({c.token_ids for c in four}) == 4
        assert [c.token_ids for c in again] == [c.token_ids for c in four[:2]]
        assert other[0].token_ids != four[0].token_ids

    with_model(folder, use)


def test_a_branch_costs_only_its_new_tokens(folder: Path) -> None:
    async def use(model: LocalModel) -> list[Completion]:
        first = asked("take apple 1 from desk 3.")
        candidates = await model.complete(first, (), 3, WARM, 1)
        prompt = model.count(first)
        assert [c.usage.prompt for c in candidates] == [prompt, 0, 0]
        wanted = [answered(first, c, "nothing happens.") for c in candidates]
        return [*candidates, *[(await model.complete(w, (), 1, GREEDY, 2))[0] for w in wanted]]

    cold = with_model(folder, use, cache_bytes=0)
    warm = with_model(folder, use)
    assert [c.token_ids for c in warm] == [c.token_ids for c in cold]
    for branch, fresh in zip(warm[3:], cold[3:], strict=True):
        assert fresh.usage.prefill == fresh.usage.prompt
        # The last sampled token was never fed, and the turn around the observation is new.
        assert branch.usage.prefill < 30
    first = warm[0].usage.prompt
    assert warm[3].usage.prefill == warm[3].usage.prompt - first - len(warm[0].token_ids) + 1


def test_little_memory_forgets_but_answers_alike(folder: Path) -> None:
    async def use(model: LocalModel) -> list[tuple[int, ...]]:
        found, contexts = [], PROMPTS[:4]
        for turn in range(3):
            answers = await asyncio.gather(*(model.complete(c, (), 2, WARM, turn) for c in contexts))
            found += [a.token_ids for pair in answers for a in pair]
            contexts = [
                answered(c, pair[1], "you see nothing.")
                for c, pair in zip(contexts, answers, strict=True)
            ]
        return found

    assert with_model(folder, use, cache_bytes=200_000) == with_model(folder, use, cache_bytes=0)


def test_an_end_token_stops_and_is_kept(folder: Path) -> None:
    async def use(model: LocalModel) -> None:
        hot = Sampling(temperature=3.0, max_tokens=200)
        answers = await model.complete(asked("go"), (), 12, hot, 0)
        stopped = [a for a in answers if a.finish_reason == "stop"]
        assert stopped
        for answer in stopped:
            (end,) = model._encoder.stop & {answer.token_ids[-1]}
            assert end not in answer.token_ids[:-1]
            assert "<|im_end|>" not in answer.text
            assert answer.usage.generated == len(answer.token_ids) == len(answer.logprobs)

    with_model(folder, use)


def test_no_room_is_an_answer_not_an_exception(folder: Path) -> None:
    async def use(model: LocalModel) -> None:
        full = asked("desk " * 600)
        answers = await model.complete(full, (), 2, GREEDY, 0)
        assert [(a.text, a.finish_reason) for a in answers] == [("", "context")] * 2
        assert answers[0].usage.prompt == model.count(full) > model.context_limit
        text = "desk"
        while model.count(asked(text)) < model.context_limit - 5:
            text += " desk"
        (cut,) = await model.complete(asked(text), (), 1, GREEDY, 0)
        assert cut.finish_reason == "context"
        assert model.count(asked(text)) + len(cut.token_ids) == model.context_limit
        with pytest.raises(ModelFault, match="exceed the context of 512"):
            await model.score(full, ["yes"])

    with_model(folder, use)


def test_score_is_the_log_probability_of_the_text(folder: Path) -> None:
    async def use(model: LocalModel) -> None:
        context, texts = PROMPTS[5], ["yes", "no, never", ""]
        scored = await model.score(context, texts)
        assert scored.usage.prompt == model.count(context)
        assert 0 < scored.usage.prefill <= scored.usage.prompt + 2 * scored.usage.generated
        scores = scored.logprobs
        reference = AutoModelForCausalLM.from_pretrained(folder)
        ids = list(model._encoder.encode(context, ()))
        for text, score in zip(texts, scores, strict=True):
            tokens = list(model._encoder.continuation(text))
            logits = reference(torch.tensor([ids + tokens])).logits[0].detach().log_softmax(-1)
            wanted = sum(float(logits[len(ids) + i - 1, t]) for i, t in enumerate(tokens))
            assert score == pytest.approx(wanted, abs=1e-3)

    with_model(folder, use)


def test_logprobs_are_of_the_untempered_distribution(folder: Path) -> None:
    async def use(model: LocalModel) -> None:
        (answer,) = await model.complete(PROMPTS[2], (), 1, Sampling(2.0, 0.9, 10), 5)
        ids = model._encoder.encode(PROMPTS[2], ())
        reference = AutoModelForCausalLM.from_pretrained(folder)
        logits = reference(torch.tensor([[*ids, *answer.token_ids]])).logits[0].detach().log_softmax(-1)
        wanted = [float(logits[len(ids) + i - 1, t]) for i, t in enumerate(answer.token_ids)]
        assert answer.logprobs == pytest.approx(wanted, abs=1e-3)

    with_model(folder, use)


def test_an_adapter_is_loaded_and_changes_the_answers(folder: Path, tmp_path: Path) -> None:
    adapter = adapted(folder, tmp_path)

    async def use(model: LocalModel) -> tuple[str, str, tuple[int, ...]]:
        (answer,) = await model.complete(PROMPTS[1], (), 1, GREEDY, 0)
        return model.name, model.weights_version, answer.token_ids

    base = with_model(folder, use)
    tuned = with_model(folder, use, adapter=str(adapter))
    assert base[0] != tuned[0]
    assert base[1] != tuned[1]
    assert base[2] != tuned[2]
    reference = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(folder), str(adapter))

    async def ids(model: LocalModel) -> tuple[int, ...]:
        return model._encoder.encode(PROMPTS[1], ())

    prompt = with_model(folder, ids)
    out = reference.generate(input_ids=torch.tensor([prompt]), max_new_tokens=24, do_sample=False)
    assert out[0, len(prompt) :].tolist() == list(tuned[2])


def test_an_adapter_of_another_base_is_one_line(folder: Path, tmp_path: Path) -> None:
    other = tiny.write(tmp_path / "other", hidden=32)
    adapter = adapted(other, tmp_path)
    with pytest.raises(ConfigError, match="another base") as error:
        LocalModel.load(str(folder), adapter=str(adapter))
    assert "\n" not in str(error.value)


def test_an_adapter_knows_a_base_of_equal_shapes_by_its_record(folder: Path, tmp_path: Path) -> None:
    adapter = adapted(folder, tmp_path)
    config = AutoModelForCausalLM.from_pretrained(folder).config.to_dict()
    Fingerprint.of("twin", config, vocabulary={"other": 0}).write(adapter)
    with pytest.raises(ConfigError, match="trained on 'twin'") as error:
        LocalModel.load(str(folder), adapter=str(adapter))
    assert "\n" not in str(error.value)


def adapted(base: Path, folder: Path) -> Path:
    torch.manual_seed(3)
    model = get_peft_model(
        AutoModelForCausalLM.from_pretrained(base),
        LoraConfig(r=4, target_modules=["q_proj", "v_proj", "down_proj"], init_lora_weights=False),
    )
    model.save_pretrained(folder / "adapter")
    return folder / "adapter"


@pytest.mark.parametrize(
    ("settings", "why"),
    [({"device": "abacus"}, "abacus"), ({"dtype": "float3"}, "known: float32, bfloat16")],
)
def test_bad_settings_are_one_line(folder: Path, settings: dict[str, str], why: str) -> None:
    with pytest.raises(ConfigError, match=why) as error:
        LocalModel.load(str(folder), **settings)  # type: ignore[arg-type]
    assert "\n" not in str(error.value)


def test_a_missing_model_is_one_line(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(ConfigError, match="cannot load the model") as error:
            LocalModel.load(str(path))
        assert "\n" not in str(error.value)


def test_torn_weights_are_one_line(tmp_path: Path) -> None:
    torn = tiny.write(tmp_path / "torn")
    weights = torn / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ConfigError, match="cannot load the model") as error:
        LocalModel.load(str(torn))
    assert "\n" not in str(error.value)


def test_tool_calls_are_read_and_survive_the_next_turn(folder: Path) -> None:
    async def use(model: LocalModel) -> None:
        call = {"name": "take_action", "arguments": {"action": "go to desk 1"}}
        text = f"look there.\n<tool_call>\n{json.dumps(call)}\n</tool_call>"
        ids = (*model._encoder.continuation(text), model._encoder.tokenizer.eos_token_id)
        answer = Completion(text, token_ids=ids)
        (answer,) = model._completions(request_of(ids))
        assert answer.text == text
        (made,) = answer.tool_calls
        assert (made.name, json.loads(made.arguments)) == ("take_action", call["arguments"])
        prompt = PROMPTS[0]
        then = prompt.then(answer.message(), answer.token_ids).then(
            Message("tool", "on the desk 1", tool_call_id=made.id)
        )
        before = model._encoder.encode(prompt, [TOOL])
        after = model._encoder.encode(then, [TOOL])
        assert after[: len(before) + len(ids)] == before + ids
        whole = model._encoder.tokenizer.decode(list(after))
        assert whole.count("<tool_call>") == 1
        assert whole.endswith("<|im_start|>tool\non the desk 1<|im_end|>\n<|im_start|>assistant\n")

    with_model(folder, use)


def request_of(ids: tuple[int, ...]):  # type: ignore[no-untyped-def]
    from tmbr.models.batching import Drawn, Request

    loop = asyncio.get_running_loop()
    request = Request((1, 2, 3), 1, 99, Sampling(max_tokens=99), 0, loop.create_future())
    request.drawn = [Drawn(list(ids), [0.0] * len(ids), ended=True)]
    return request


def test_other_kinds_of_attention_fall_back_to_the_models_own_cache(tmp_path: Path) -> None:
    made = tiny.tokenizer()
    torch.manual_seed(0)
    config = MistralConfig(
        vocab_size=512,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        sliding_window=16,
        initializer_range=0.2,
        eos_token_id=made.eos_token_id,
        bos_token_id=None,
    )
    MistralForCausalLM(config).save_pretrained(tmp_path)
    made.save_pretrained(tmp_path)

    async def use(model: LocalModel) -> None:
        answers = await asyncio.gather(*(model.complete(p, (), 2, GREEDY, 0) for p in PROMPTS[:3]))
        for prompt, (answer, twin) in zip(PROMPTS, answers, strict=False):
            assert list(answer.token_ids) == generated(tmp_path, model, prompt)
            assert twin.token_ids == answer.token_ids
        assert len((await model.score(PROMPTS[0], ["yes"])).logprobs) == 1

    with_model(tmp_path, use)


def test_a_cancelled_episode_leaves_the_others_alone(folder: Path) -> None:
    async def use(model: LocalModel) -> None:
        long = Sampling(temperature=1.0, max_tokens=300)
        tasks = [asyncio.create_task(model.complete(p, (), 2, long, 1)) for p in PROMPTS[:4]]
        await asyncio.sleep(0.05)
        tasks[1].cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(done[1], asyncio.CancelledError)
        alone = await model.complete(PROMPTS[2], (), 2, long, 1)
        assert [c.token_ids for c in alone] == [c.token_ids for c in done[2]]

    with_model(folder, use)


def test_a_closed_model_says_so(folder: Path) -> None:
    async def use(model: LocalModel) -> None:
        await model.aclose()
        with pytest.raises(ModelFault, match="closed"):
            await model.complete(PROMPTS[0], (), 1, GREEDY, 0)

    with_model(folder, use)


def test_importing_the_module_does_not_import_torch() -> None:
    code = "import sys, tmbr.models.local; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
