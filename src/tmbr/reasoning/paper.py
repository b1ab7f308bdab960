"""The paper's reasoning (arXiv 2403.19962, section 3.3), first version: branches and restarts.

At each step the model proposes several actions and a judge picks one before any is executed. When a
path turns out poor, the agent goes back to the start and is told to avoid what it did.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jinja2 import Template

from tmbr.core.protocols import Episode, Judge, Model, Outcome, World
from tmbr.core.types import Access, Sampling
from tmbr.reasoning.judges import default_judge
from tmbr.reasoning.paths import judged_step
from tmbr.reasoning.tree import VARIED, Tree

_RESTART = Template((Path(__file__).parent / "restart.jinja").read_text())


@dataclass(frozen=True, slots=True)
class Paper:
    """num_branch: proposals a step. num_path: paths at most; both as in the paper's Table 3.

    path_steps: a path this long that has not ended is judged poor.
    """

    num_branch: int = 2
    num_path: int = 2
    path_steps: int = 19
    sampling: Sampling = VARIED
    name: str = "paper"
    access: Access = "restart"

    async def solve(self, episode: Episode, model: Model, judge: Judge | None, seed: int) -> Outcome:
        tree = Tree(episode, model, seed)
        judge = judge or default_judge()
        note = ""
        for path in range(self.num_path):
            last = path == self.num_path - 1
            world = episode.world.fork()
            outcome, poor = await self._path(tree, judge, world, note, last)
            if not poor:
                return outcome
            note = _RESTART.render(actions=_tried(tree, outcome.leaf))
            world.close()
        raise AssertionError("the last path is never called poor")

    async def _path(
        self, tree: Tree, judge: Judge, world: World, note: str, last: bool
    ) -> tuple[Outcome, bool]:
        """One path from the start; True when it was given up and another one may follow."""
        at = tree.plant(note)
        steps = 0
        while (stop := tree.spent()) is None:
            if steps >= self.path_steps and not last:
                return Outcome(at, world, stop), True
            at, step = await judged_step(tree, at, self.num_branch, self.sampling, judge, world)
            steps += 1
            if step.done:
                break
        return Outcome(at, world, stop), False


def _tried(tree: Tree, leaf: int) -> list[str]:
    nodes = [tree.trace.nodes[index] for index in tree.trace.branch(leaf)]
    actions = [node.action for node in nodes if node.action is not None]
    return [", ".join(action.arguments.values()) or action.name for action in actions]
