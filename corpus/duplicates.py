"""Texts that are the same, and texts that nearly are, in either Chinese script."""

import hashlib
import re
import unicodedata
from collections.abc import Sequence

from corpus.languages import to_simplified

_SHINGLE = 5  # characters
_N_HASHES = 128
_N_BANDS = 32  # bands of 4 hashes: a pair alike by 0.8 is missed once in 10^7, one alike by 0.6 once in 88


def text_sha256(text: str) -> str:
    """Return the SHA-256 of a text as 64 digits."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def folded(text: str) -> str:
    """Return a text without what does not change what it says: case, width, spacing, Chinese script."""
    return " ".join(to_simplified(unicodedata.normalize("NFKC", text)).casefold().split())


def same_key(text: str) -> str:
    """Return the SHA-256 of a folded text: equal for texts that say the same in the same words."""
    return text_sha256(re.sub(r"[\W_]+", " ", folded(text)).strip())


def shingles(text: str) -> frozenset[str]:
    """Return all runs of five characters of a folded text; a shorter text is one run."""
    text = folded(text)
    return frozenset(text[i : i + _SHINGLE] for i in range(max(1, len(text) - _SHINGLE + 1)))


def jaccard(first: frozenset[str], second: frozenset[str]) -> float:
    """Return what two sets have in common over what they hold together, from 0 to 1."""
    together = len(first | second)
    return len(first & second) / together if together else 1.0


def find_near_duplicates(texts: Sequence[str], threshold: float = 0.8) -> list[tuple[int, int, float]]:
    """Return the pairs of texts that are nearly the same, as (i, j, likeness) with i < j, in order.

    MinHash finds candidates, the true Jaccard index of their five-character runs decides. Below a threshold of 0.6
    pairs begin to be missed.

    Args:
        texts: Any number of texts.
        threshold: Likeness from which a pair counts, more than 0 and at most 1.

    Raises:
        ValueError: The threshold is outside its range.
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold must be in (0, 1], got {threshold}")
    from rensa import RMinHash, RMinHashLSH

    runs = [shingles(text) for text in texts]
    hashes = RMinHash.from_token_sets([sorted(run) for run in runs], num_perm=_N_HASHES, seed=1)
    index = RMinHashLSH(threshold=threshold, num_perm=_N_HASHES, num_bands=_N_BANDS)
    pairs = []
    for j, hashed in enumerate(hashes):
        for i in sorted(index.query(hashed)):
            likeness = jaccard(runs[i], runs[j])
            if likeness >= threshold:
                pairs.append((int(i), j, likeness))
        index.insert(j, hashed)
    return sorted(pairs)
