"""Pose of several people by two networks: one finds boxes about people, one looks for keypoints in each box."""

from collections.abc import Callable

from perception.following import Follower, Found
from perception.pose import Floats, Image, Person, check_shape

REDETECT_FRAMES = 15  # half a second at 30 fps: how long a newcomer may go unseen

Detect = Callable[[Image], list[Floats]]
Look = Callable[[Image, list[Floats]], list[Found]]


class TopDown:
    """Finds and follows people in the frames of one clip; keeps its state between frames.

    Each person is looked for in the box that the keypoints of the frame before give. The detector, which is the slower
    network, runs when somebody is missing and every `REDETECT_FRAMES` frames. There is no depth: `world_m` is NaN.
    """

    def __init__(self, name: str, weights_sha256: str, detect: Detect, look: Look, max_people: int) -> None:
        """Take the two networks as functions.

        Args:
            name: Of the estimator.
            weights_sha256: Of the weights of both networks.
            detect: Returns a box (left, top, right, bottom) in pixels for each person in a picture.
            look: Returns who is in each of some boxes of a picture; nobody where the network is not sure.
            max_people: How many to follow at most; each costs one run of the pose network a frame.
        """
        self.name = name
        self.weights_sha256 = weights_sha256
        self._detect = detect
        self._look = look
        self._max_people = max_people
        self._follower = Follower(max_people)
        self.reset()

    def reset(self) -> None:
        """Forget whom it was tracking, as at a camera cut; ids are not used again."""
        self._follower.reset()
        self._since_detection = REDETECT_FRAMES

    def estimate(self, image_rgb: Image) -> list[Person]:
        """Return the people in the next frame, the largest first.

        Args:
            image_rgb: (H, W, 3) uint8, RGB, upright.
        """
        check_shape("image_rgb", image_rgb, (None, None, 3))
        self._since_detection += 1
        boxes = self._follower.boxes_px()
        is_due = self._since_detection >= REDETECT_FRAMES
        found = [] if is_due else self._look(image_rgb, boxes)
        if is_due or len(found) < max(1, len(boxes)):
            # Boxes from the detector are used as they are: one that follows itself may drift off the body.
            self._since_detection = 0
            found = self._look(image_rgb, self._largest(self._detect(image_rgb)))
        return self._follower.follow(found)

    def _largest(self, boxes: list[Floats]) -> list[Floats]:
        sizes = [float(max(box[2] - box[0], 0) * max(box[3] - box[1], 0)) for box in boxes]
        order = sorted(range(len(boxes)), key=lambda i: -sizes[i])
        return [boxes[i] for i in order if sizes[i] > 0][: self._max_people]
