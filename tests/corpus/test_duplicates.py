"""Duplicates: the same words in another case, width or script, and texts that nearly say the same."""

import random

import pytest

from corpus.duplicates import find_near_duplicates, jaccard, same_key, shingles

CLOSE = "抓舉時槓鈴要貼近身體，肩膀在槓鈴前面，腿先伸直，再用髖部發力，最後快速下蹲接槓。"
CLOSE_SIMPLIFIED = "抓举时杠铃要贴近身体，肩膀在杠铃前面，腿先伸直，再用髋部发力，最后快速下蹲接杠。"
LACES = "Drag the bar toward the knot of your laces, then straight up until it meets the thigh."


def test_case_width_spacing_marks_and_script_do_not_change_what_a_text_says() -> None:
    assert same_key("The  bar stays close.") == same_key("ｔhe bar, stays CLOSE")
    assert same_key(CLOSE) == same_key(CLOSE_SIMPLIFIED)
    assert same_key("5 × 2") != same_key("5 × 3")


def test_a_copy_in_the_other_script_and_one_with_a_word_changed_are_near() -> None:
    pairs = find_near_duplicates([CLOSE, LACES, CLOSE_SIMPLIFIED, LACES.replace("meets", "hits")])

    assert [(i, j) for i, j, _ in pairs] == [(0, 2), (1, 3)]
    assert pairs[0][2] == 1.0
    assert 0.8 <= pairs[1][2] < 1.0


def test_likeness_is_the_true_jaccard_index() -> None:
    texts = [LACES, LACES + " Say it once."]
    ((_, _, likeness),) = find_near_duplicates(texts, threshold=0.6)

    assert likeness == jaccard(shingles(texts[0]), shingles(texts[1]))


def test_texts_about_the_same_that_say_something_else_are_not_near() -> None:
    assert find_near_duplicates([LACES, "Pull to the knee and hold for two seconds, then finish the pull."]) == []


def test_no_text_and_empty_texts_are_no_trouble() -> None:
    assert find_near_duplicates([]) == []
    assert find_near_duplicates(["", "a"]) == []


@pytest.mark.parametrize("threshold", [0, -1, 1.5])
def test_a_threshold_that_means_nothing_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match="threshold"):
        find_near_duplicates([], threshold)


def test_minhash_misses_no_pair_that_comparing_all_of_them_finds() -> None:
    chance = random.Random(5)
    words = [f"w{i:03d}" for i in range(400)]
    texts = []
    for _ in range(40):
        text = chance.choices(words, k=60)
        changed = list(text)
        for i in chance.sample(range(60), chance.randrange(0, 9)):
            changed[i] = chance.choice(words)
        texts += [" ".join(text), " ".join(changed)]
    runs = [shingles(text) for text in texts]
    true = {(i, j) for j in range(len(texts)) for i in range(j) if jaccard(runs[i], runs[j]) >= 0.8}

    assert len(true) > 10
    assert {(i, j) for i, j, _ in find_near_duplicates(texts)} == true
