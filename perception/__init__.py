"""From a video to measures: pose, bar, instants, force and pictures."""
