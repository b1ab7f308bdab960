"use strict";
// Filter and fold. The page says everything without this script.
const tools = document.querySelector(".tools");
if (tools) {
  const episodes = [...document.querySelectorAll(".episode")];
  const { text, outcome, strategy, open, close } = tools.elements;
  const output = tools.querySelector("output");

  const matches = (episode) =>
    (!outcome.value || episode.dataset.outcome === outcome.value) &&
    (!strategy.value || episode.dataset.strategy === strategy.value) &&
    (!text.value || episode.closest(".sample").querySelector("h3").textContent
      .concat(episode.textContent).toLowerCase().includes(text.value.toLowerCase()));

  const filter = () => {
    for (const episode of episodes) episode.hidden = !matches(episode);
    for (const sample of document.querySelectorAll(".sample"))
      sample.hidden = !sample.querySelector(".episode:not([hidden])");
    output.value = `${episodes.filter((episode) => !episode.hidden).length} shown`;
  };
  const fold = (unfolded) => {
    for (const episode of episodes)
      for (const part of [episode, ...episode.querySelectorAll("details:not(.prompt)")])
        part.open = unfolded;
  };

  tools.hidden = false;
  tools.addEventListener("input", filter);
  tools.addEventListener("submit", (event) => event.preventDefault());
  open.addEventListener("click", () => fold(true));
  close.addEventListener("click", () => fold(false));
  filter();
}
