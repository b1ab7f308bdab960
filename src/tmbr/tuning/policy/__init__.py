"""Learning from episodes that the trained model plays itself: PPO and GRPO on one loop."""
