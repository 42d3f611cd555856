"""A motion without a video: one plain picture shown at the times of the motion, in the place of a clip's frames."""

from collections.abc import Iterator
from dataclasses import dataclass

from perception.pose import Floats, Image, check_shape


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """What stands in for the frames of a clip that is no video: one picture (H, W, 3), shown at times (T,)."""

    image: Image
    times_s: Floats

    def __post_init__(self) -> None:
        check_shape("image", self.image, (None, None, 3))

    def between(self, start_s: float, end_s: float) -> Iterator[tuple[float, Image]]:
        """Yield times from start to end, in seconds, each with a copy of the picture to draw on."""
        for time_s in self.times_s:
            if start_s <= time_s <= end_s:
                yield float(time_s), self.image.copy()
