"""From traces to an adapter: rows, masks and trainers, thin over TRL and PEFT."""
