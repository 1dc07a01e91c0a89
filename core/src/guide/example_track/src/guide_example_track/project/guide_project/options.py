"""The options of this project: `guide run --set NAME=VALUE` overrides what pyproject.toml says."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """What can be chosen without touching the code. Replace: whatever your field has to choose."""

    sample_rate: int = 48_000  # samples a second
    block: int = 1024  # samples a tick
    tone_db: float = -12.0  # of the tone, below a sine of full scale
    noise_db: float = -40.0  # of the noise, likewise
    sweep_s: float = 8.0  # from low to high and back
    floor_db: float = -90.0  # what the picture shows as black

    def __post_init__(self) -> None:
        """Refuse what cannot work, in a sentence."""
        if not 64 <= self.block <= 1 << 20:
            raise ValueError(f"block is 64 to {1 << 20} samples, not {self.block}")
        if self.sample_rate < 8000:
            raise ValueError(f"sample_rate is 8000 or more, not {self.sample_rate}")
        if not 0 < self.sweep_s < float("inf"):
            raise ValueError(f"sweep_s is above 0, not {self.sweep_s}")
        for name in ("tone_db", "noise_db", "floor_db"):
            if not -200 <= getattr(self, name) <= 0:
                raise ValueError(f"{name} is -200 to 0, not {getattr(self, name)}")
        if self.floor_db == 0:
            raise ValueError("floor_db is below 0: nothing would be left to show")
